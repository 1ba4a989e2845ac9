"""A till's sales of a day in a file: each is taken by itself, once, however often and however cut the file is sent."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.requests import WrongFields
from activities.intake.delivery_times import DeliveryTimes
from activities.intake.order import AskedOrder
from activities.intake.sale import POS
from starter.http.dependencies import Dependencies
from starter.http.problems import FieldError, named
from starter.keys import Caller
from starter.placing import OtherContent, place
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
        return Outcome(n, order_id, "taken" if take(here, till, sale, who) else "known", [])
    except WrongFields as unfit:
        errors = unfit.errors
    except facts.placing.Unreachable as missing:
        errors = [(f"customer.{field}", message) for field, message in missing.errors]
    except OtherContent as other:
        errors = [(other.field, "was used before, for an order with other content")]
    return Outcome(n, order_id, "refused", [FieldError(field=field, message=message) for field, message in errors])


def take(here: Dependencies, till: str, sale: Any, who: Caller) -> bool:
    """Whether it is new."""
    asked = read(till, sale)
    times = DeliveryTimes(here.settings.orders_handling_days, here.settings.orders_transit_days)

    def work(tx: Session) -> bool:
        known = who.knows_customers
        return place(tx, asked, placed_by=who.key_id, known_contact=known, times=times).new

    return written(here.sessions, work)


def read(till: str, sale: Any) -> AskedOrder:
    if not isinstance(sale, dict):
        raise WrongFields(NOT_ONE)
    try:
        asked = AskedOrder.model_validate({"channel": POS, "till": till} | sale)
    except ValidationError as invalid:
        raise WrongFields(named([error | {"loc": ("body", *error["loc"])} for error in invalid.errors()])) from None
    if asked.till != till:
        raise WrongFields([("till", "is not the one that the file is of")])
    return asked


def counted(outcomes: list[Outcome]) -> Counter[Result]:
    return Counter(each.result for each in outcomes)
