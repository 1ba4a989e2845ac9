"""The vendors' contracts as data, and what is held against them: recorded calls, and what the sandbox declares.

spec = load("stripe", prefix="/stripe")
assert spec.wrong(recorded) == []                 a call as `SandboxControl.requests` gives it
assert spec.beyond("POST", "/v1/refunds", CREATE_REFUND) == []     declared parameters of the sandbox
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from infra.sandbox.params import Field, nested

FOLDER = Path(__file__).parent / "contracts"
Schema = dict[str, Any]


def load(name: str, *, prefix: str) -> "Spec":
    """The contract of a vendor; `prefix` is where the sandbox has put its API."""
    return Spec(read(name), prefix)


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return document


@dataclass(frozen=True)
class Spec:
    document: dict[str, Any]
    prefix: str

    def wrong(self, recorded: Mapping[str, Any]) -> list[str]:
        """What the vendor would not take of this call; empty when all is well."""
        path = str(recorded["path"]).removeprefix(self.prefix)
        operation = self._operation(str(recorded["method"]), path)
        if operation is None:
            return [f"{recorded['method']} {path}: no such operation"]
        query = nested(parse_qsl(recorded["query"], keep_blank_values=True))
        found = list(self._errors(self._query(operation), query, "query", text=True))
        body = operation.get("requestBody")
        if body is None:
            return found + ([f"a body, where none is known: {recorded['body']}"] if recorded["body"] else [])
        (kind, content), *_ = body["content"].items()
        text = kind == "application/x-www-form-urlencoded"
        if not recorded["body"] and not body.get("required"):
            given: Any = {}
        elif text:
            given = nested(parse_qsl(recorded["body"], keep_blank_values=True))
        else:
            given = json.loads(recorded["body"])
        return found + list(self._errors(content["schema"], given, "body", text=text))

    def beyond(self, method: str, path: str, declared: Mapping[str, Field]) -> list[str]:
        """What the sandbox declares and the vendor does not; empty when it is a part of the contract."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path}: no such operation"]
        body = operation.get("requestBody")
        schema = next(iter(body["content"].values()))["schema"] if body else self._query(operation)
        return list(self._beyond(schema, Field("object", fields=declared), f"{method} {path}"))

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        """Exact paths go before those with placeholders."""
        for template in sorted(self.document["paths"], key=lambda each: each.count("{")):
            pattern = "/".join("[^/]+" if "{" in part else re.escape(part) for part in template.rstrip("/").split("/"))
            operations: dict[str, Any] = self.document["paths"][template]
            if re.fullmatch(pattern, path.rstrip("/")) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        return None

    def _query(self, operation: dict[str, Any]) -> Schema:
        if "x-query" in operation:
            query: Schema = operation["x-query"]
            return query
        listed = [each for each in operation.get("parameters", []) if each["in"] == "query"]
        return {
            "type": "object",
            "properties": {each["name"]: each["schema"] for each in listed},
            "required": [each["name"] for each in listed if each.get("required")],
        }

    def _variants(self, schema: Schema) -> list[Schema]:
        """References followed, `anyOf` laid out, `allOf` merged."""
        if "$ref" in schema:
            return self._variants(self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return [variant for each in schema[choice] for variant in self._variants(each)]
        if "allOf" in schema:
            merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
            for part in (self._variants(each)[0] for each in schema["allOf"]):
                properties = {**merged.get("properties", {}), **part.get("properties", {})}
                required = [*merged.get("required", []), *part.get("required", [])]
                merged = {**merged, **part, "properties": properties, "required": required}
            return [merged]
        return [schema]

    def _errors(self, schema: Schema, value: Any, where: str, *, text: bool) -> Iterator[str]:
        attempts = [list(self._one(variant, value, where, text)) for variant in self._variants(schema)]
        yield from min(attempts, key=len, default=[])

    def _one(self, schema: Schema, value: Any, where: str, text: bool) -> Iterator[str]:
        if value is None:
            if not schema.get("nullable"):
                yield f"{where}: null"
            return
        match schema.get("type"):
            case "object":
                yield from self._object(schema, value, where, text)
            case "array":
                items = list(value.values()) if text and isinstance(value, dict) else value
                if text and isinstance(value, str):
                    items = [value]
                if not isinstance(items, list):
                    yield f"{where}: not an array"
                    return
                for n, each in enumerate(items):
                    yield from self._errors(schema.get("items", {}), each, f"{where}[{n}]", text=text)
            case None:
                return
            case kind:
                yield from _scalar(kind, schema, value, where, text)

    def _object(self, schema: Schema, value: Any, where: str, text: bool) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: not an object"
            return
        known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}.{name}: missing"
        for name, each in value.items():
            if name in known:
                yield from self._errors(known[name], each, f"{where}.{name}", text=text)
            elif isinstance(others, dict):
                yield from self._errors(others, each, f"{where}.{name}", text=text)
            elif known and not others:
                yield f"{where}.{name}: unknown"

    def _beyond(self, schema: Schema, declared: Field, where: str) -> Iterator[str]:
        variants = [variant for variant in self._variants(schema) if variant.get("enum") != [""]]
        fitting = [variant for variant in variants if _kind(variant) in (declared.type, None)]
        if not fitting:
            yield f"{where}: {declared.type}, the contract says {[_kind(variant) for variant in variants]}"
            return
        contract = fitting[0]
        limit = contract.get("maxLength")
        if declared.type == "string" and limit is not None and declared.max_length != limit and not declared.values:
            yield f"{where}: at most {declared.max_length} characters, the contract says {limit}"
        if declared.values and "enum" in contract and not set(declared.values) <= set(contract["enum"]):
            yield f"{where}: {set(declared.values) - set(contract['enum'])} are no values of it"
        if declared.type == "array" and declared.items and "items" in contract:
            yield from self._beyond(contract["items"], declared.items, f"{where}[]")
        if declared.type == "object":
            known = contract.get("properties", {})
            for name in contract.get("required", []):
                if name not in declared.fields or not declared.fields[name].required:
                    yield f"{where}.{name}: required by the contract"
            for name, each in declared.fields.items():
                if name not in known:
                    yield f"{where}.{name}: unknown to the contract"
                else:
                    yield from self._beyond(known[name], each, f"{where}.{name}")


def _kind(schema: Schema) -> str | None:
    """The declared type that fits a schema: an object without properties of its own is a map."""
    kind = schema.get("type")
    if kind == "object" and not schema.get("properties"):
        return "map"
    return kind if isinstance(kind, str) else None


def _scalar(kind: str, schema: Schema, value: Any, where: str, text: bool) -> Iterator[str]:
    patterns = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "boolean": "(?i)true|false", "string": "(?s).*"}
    kinds: dict[str, Any] = {"integer": int, "number": (int, float), "boolean": bool, "string": str}
    if text:
        if not isinstance(value, str) or not re.fullmatch(patterns[kind], value):
            yield f"{where}: {value!r} is no {kind}"
            return
        value = {"integer": int, "number": float}.get(kind, str)(value)
    elif not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{where}: {value!r} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of the values"
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{where}: {len(value)} characters"
        if "pattern" in schema and kind == "string" and not re.search(schema["pattern"], value):
            yield f"{where}: {value!r} does not match {schema['pattern']}"
    elif not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where}: {value} is out of range"
