"""A till's sales of a day in a file: each is taken by itself, once, however often and however cut the file is sent."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from activities.intake.order import AskedOrder
from activities.intake.sale import POS
from starter.accepting import accepted
from starter.http.dependencies import Dependencies
from starter.http.problems import FieldError, Refusal, named, wrong
from starter.keys import Caller
from starter.transactions import written

Result = Literal["taken", "known", "refused"]
NOT_ONE = [("sale", "is not one JSON object: the file may have been cut here")]


class Outcome(NamedTuple):
    """What became of one sale of the file; `n` counts from 1."""

    n: int
    order_id: str | None
    result: Result
    errors: list[FieldError]


def lines_of(body: bytes) -> Iterator[Any]:
    """One JSON value a line; None where there is none."""
    for line in body.decode(errors="replace").splitlines():
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield None


def taken(here: Dependencies, till: str, sales: list[Any], who: Caller) -> list[Outcome]:
    """Each in a transaction of its own: those before one that fails are taken."""
    return [outcome(here, till, n, sale, who) for n, sale in enumerate(sales, start=1)]


def outcome(here: Dependencies, till: str, n: int, sale: Any, who: Caller) -> Outcome:
    order_id = sale.get("order_id") if isinstance(sale, dict) else None
    order_id = order_id if isinstance(order_id, str) and len(order_id) <= 64 else None
    try:
        asked = read(till, sale)
        new = written(here.sessions, lambda tx: accepted(tx, here, asked, who).new)
        return Outcome(n, order_id, "taken" if new else "known", [])
    except Refusal as refusal:
        errors = [FieldError(field=field, message=message) for field, message in refusal.errors]
        return Outcome(n, order_id, "refused", errors)


def read(till: str, sale: Any) -> AskedOrder:
    if not isinstance(sale, dict):
        raise wrong(NOT_ONE)
    try:
        asked = AskedOrder.model_validate({"channel": POS, "till": till} | sale)
    except ValidationError as invalid:
        raise wrong(named([error | {"loc": ("body", *error["loc"])} for error in invalid.errors()])) from None
    if asked.till != till:
        raise wrong([("till", "is not the one that the file is of")])
    return asked


def counted(outcomes: list[Outcome]) -> Counter[Result]:
    return Counter(each.result for each in outcomes)
