"""Strict parameters, declared per endpoint: what is not declared is refused, as the vendors do.

    CAPTURE = {"amount_to_capture": Field("integer", minimum=1), "metadata": Field("map"), …}
    given = check(CAPTURE, nested(call.form()), text=True)      raises Invalid(reason, name), typed values otherwise

`text=True` reads form values (everything is a string: `"12"`, `"true"`), False reads JSON. The declarations are held
against the vendors' published contracts by the tests.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Type = Literal["string", "integer", "number", "boolean", "object", "array", "map", "any"]
Reason = Literal["unknown", "missing", "type", "enum", "length", "range", "pattern"]


@dataclass(frozen=True)
class Field:
    """One parameter."""

    type: Type = "string"
    required: bool = False
    nullable: bool = False
    """Whether JSON null will do."""
    values: tuple[Any, ...] = ()
    """The only ones allowed."""
    max_length: int | None = None
    min_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    """Of an object."""
    items: "Field | None" = None
    """Of an array."""


class Invalid(Exception):
    """A parameter that will not do: `name` as the caller wrote it (`card[number]`), `expected` the declared one."""

    def __init__(self, reason: Reason, name: str, expected: Field | None = None, value: Any = None) -> None:
        super().__init__(f"{name}: {reason}")
        self.reason = reason
        self.name = name
        self.expected = expected
        self.value = value


def check(declared: Mapping[str, Field], given: Mapping[str, Any], *, text: bool, inside: str = "") -> dict[str, Any]:
    """The given parameters, typed. Raises Invalid for the first that is wrong."""
    for name in given:
        if name not in declared:
            raise Invalid("unknown", _join(inside, name), None, given[name])
    for name, expected in declared.items():
        if expected.required and (name not in given or given[name] in (None, "")):
            raise Invalid("missing", _join(inside, name), expected)
    return {name: _value(declared[name], value, _join(inside, name), text) for name, value in given.items()}


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Bracket notation to objects: `a[b][0]=x` is `{"a": {"b": {"0": "x"}}}`; `check` makes the declared arrays."""
    whole: dict[str, Any] = {}
    for name, value in pairs:
        keys = [name.split("[", 1)[0], *re.findall(r"\[([^\]]*)\]", name)]
        place = whole
        for key in keys[:-1]:
            inner = place.setdefault(key or str(len(place)), {})
            if not isinstance(inner, dict):
                raise Invalid("type", name, None, value)
            place = inner
        place[keys[-1] or str(len(place))] = value
    return whole


def _value(expected: Field, value: Any, name: str, text: bool) -> Any:
    if value is None and expected.nullable:
        return None
    match expected.type:
        case "any":
            return value
        case "object":
            if not isinstance(value, dict):
                raise Invalid("type", name, expected, value)
            return check(expected.fields, value, text=text, inside=name)
        case "map":
            if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
                raise Invalid("type", name, expected, value)
            return value
        case "array":
            return _array(expected, value, name, text)
        case _:
            return _limits(expected, _scalar(expected, value, name, text), name)


def _array(expected: Field, value: Any, name: str, text: bool) -> list[Any]:
    if text and isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        raise Invalid("type", name, expected, value)
    items = expected.items or Field("any")
    return [_value(items, each, _join(name, str(n)), text) for n, each in enumerate(value)]


def _scalar(expected: Field, value: Any, name: str, text: bool) -> Any:
    wrong = Invalid("type", name, expected, value)
    if text and isinstance(value, str):
        if expected.type == "boolean":
            if value not in ("true", "false"):
                raise wrong
            return value == "true"
        if expected.type in ("integer", "number"):
            if not re.fullmatch(r"-?\d+" if expected.type == "integer" else r"-?\d+(\.\d+)?", value):
                raise wrong
            return int(value) if expected.type == "integer" else float(value)
        return value
    kinds = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}[expected.type]
    if not isinstance(value, kinds) or (isinstance(value, bool) and expected.type != "boolean"):  # type: ignore[arg-type]
        raise wrong
    return value


def _limits(expected: Field, value: Any, name: str) -> Any:
    if expected.values and value not in expected.values:
        raise Invalid("enum", name, expected, value)
    if isinstance(value, str):
        if len(value) > (expected.max_length or len(value)) or len(value) < (expected.min_length or 0):
            raise Invalid("length", name, expected, value)
        if expected.pattern and not re.search(expected.pattern, value):
            raise Invalid("pattern", name, expected, value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = expected.minimum, expected.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            raise Invalid("range", name, expected, value)
    return value


def _join(inside: str, name: str) -> str:
    return f"{inside}[{name}]" if inside else name
