"""A customer stands at the counter: what the store's staff ask before they hand over, and what is refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from activities.facts.fulfillments import locked
from activities.facts.journal import nudge
from activities.facts.pickups import Taken, due_for, first_units, known, opens, picked_up, units_in
from activities.facts.requests import NothingLeft, WrongFields
from activities.facts.units import total
from activities.models import FulfillmentStatus, ShippingMethod
from activities.pickup_codes import PickupCodes
from infra.database.tables import Fulfillment, Order
from infra.words import HandOverProof


class Paid(NamedTuple):
    """At the counter, just now: the till's own id for it, and how much, in minor units."""

    reference: str
    amount: int


class AtCounter(NamedTuple):
    """`by`: who of the staff. `code`: as the customer shows it; without one, `note` says what staff have looked at.
    `units` by SKU; none: all that is left."""

    by: str
    code: str | None = None
    note: str = ""
    units: Mapping[str, int] | None = None
    request_id: str | None = None
    paid: Paid | None = None
    """Of what is paid as it is handed over."""


def handed_over(tx: Session, fulfillment_id: str, asked: AtCounter, codes: PickupCodes, at: datetime) -> bool:
    """False: the code is wrong, which is to be committed: it counts. The same `request_id` again is the same hand-over.
    Raises one of `requests.Impossible` where nothing changes."""
    order, f = locked(tx, fulfillment_id)
    if asked.request_id and known(tx, f, asked.request_id):
        return True
    if why := not_to_be_had(f):
        raise NothingLeft(why)
    if errors := unfit(tx, f, asked) or unpaid(tx, order, f, asked):
        raise WrongFields(errors)
    if asked.code and not opens(tx, fulfillment_id, asked.code, codes, at, by=asked.by):
        return False
    proof = HandOverProof.CODE if asked.code else HandOverProof.STAFF
    paid_as = asked.paid and asked.paid.reference
    how = Taken(proof, asked.by, asked.note, asked.units, asked.request_id, paid_as)
    picked_up(tx, fulfillment_id, how, at)
    nudge(tx, [order.order_id])
    return True


def not_to_be_had(f: Fulfillment) -> str | None:
    if f.method != ShippingMethod.PICKUP:
        return "it is sent, and not picked up"
    if f.status == FulfillmentStatus.PICKED_UP:
        return "it was picked up"
    if f.status == FulfillmentStatus.CANCELLED:
        return "it is cancelled"
    if f.status != FulfillmentStatus.READY_FOR_PICKUP:
        return f"it is not ready yet: it is {f.status}"
    return None


def unpaid(tx: Session, order: Order, f: Fulfillment, asked: AtCounter) -> list[tuple[str, str]]:
    """Nothing leaves before it is paid for, and nothing is paid for that is not due."""
    due = total(due_for(tx, order, f, first_units(tx, f, asked.units))[1])
    if asked.paid is None:
        return [("paid", f"is missing: {due} is to be paid before it is handed over")] if due else []
    if asked.paid.amount != due:
        return [("paid.amount", f"must be {due}" if due else "must be 0: it is paid for")]
    return []


def unfit(tx: Session, f: Fulfillment, asked: AtCounter) -> list[tuple[str, str]]:
    errors = []
    if not (asked.code or asked.note):
        errors.append(("code", "is missing: ask for it, or say in `note` what you have looked at"))
    left = units_in(tx, f)
    for sku, quantity in (asked.units or {}).items():
        if not 0 < quantity <= left[sku]:
            errors.append(("units", f"{sku}: {left[sku]} of it can be handed over, not {quantity}"))
    return errors
