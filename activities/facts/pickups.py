"""A pickup gets ready, its code is checked, and it is handed over: whole or in part, to whoever has the code or
satisfies the store's staff."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts import charges, deadlines, displacing, holds, inventory, pickup_times, set_aside
from activities.facts.bill import Bill, bill
from activities.facts.fulfillments import answered, changed, close_silence, locked, not_before
from activities.facts.handing_over import left_though_cancelled
from activities.facts.journal import note, nudge, tell
from activities.facts.line_cancellations import Part, Where, had_left, wishes
from activities.facts.line_outcomes import taken
from activities.facts.moves import moved
from activities.facts.recall import not_stopped
from activities.facts.units import PricedUnits, Units, common, listed
from activities.models import LEFT, FulfillmentStatus, Recall, ShippingMethod, Subject
from activities.pickup_codes import MOST_TRIES, PickupCodes
from infra.clock import wall_clock
from infra.database.tables import Fulfillment, HandOver, Location, Order, Product, Reservation
from infra.hold_kinds import HoldKind
from infra.words import (
    ChargeStatus,
    EventType,
    HandOverProof,
    LineCancellationStatus,
    MessageKind,
    MoneyMoveKind,
    ReservationStatus,
    StockMoveKind,
    TenderDue,
)

SENT_AT_FIRST = 1
"""The number of a pickup's first code."""


class Taken(NamedTuple):
    """How a store's goods came to be handed over. `units` by SKU; none: all that is left."""

    proof: HandOverProof
    by: str
    note: str = ""
    units: Mapping[str, int] | None = None
    reference: str | None = None
    paid_as: str | None = None
    """At the store, where it is paid there."""


def ready(tx: Session, fulfillment_id: str, at: datetime, window: timedelta) -> None:
    """Its own units are set aside, packed, and paid for where that comes first: the customer is told. What else lies
    there says nothing of it. Safe to repeat."""
    order, f = locked(tx, fulfillment_id)
    if f.method != ShippingMethod.PICKUP or f.status != FulfillmentStatus.PACKED or f.recall == Recall.ASKED:
        return
    f.status, f.ready_at, f.code_n, f.code_tries = FulfillmentStatus.READY_FOR_PICKUP, at, SENT_AT_FIRST, 0
    pickup_times.begun(tx, order, f, at + window, at)
    note(tx, order, EventType.READY_FOR_PICKUP, at, fulfillment_id=fulfillment_id, until=(at + window).isoformat())
    tell_code(tx, order, f, MessageKind.READY_FOR_PICKUP, fulfillment_id)
    changed(tx, order, f)


def tell_code(tx: Session, order: Order, f: Fulfillment, kind: MessageKind, subject: str) -> None:
    """The code itself is put in when it is sent: see `customer`."""
    place = tx.get_one(Location, f.location_id)
    names = dict(tx.execute(select(Product.sku, Product.name).where(Product.sku.in_(units_in(tx, f)))).all())
    about: dict[str, Any] = {
        "fulfillment": f.fulfillment_id,
        "code_n": f.code_n,
        "place": place.name,
        "address": address_of(place),
        "items": listed(units_in(tx, f), names),
    }
    about |= {"deadline": f.pickup_until.isoformat()} if f.pickup_until else {}
    tell(tx, order, kind, subject, **about)


def address_of(location: Location) -> str:
    address = location.address
    town = " ".join(filter(None, (address.get("zip"), address.get("city"))))
    return ", ".join(filter(None, (address.get("street1"), address.get("street2"), town)))


def units_in(tx: Session, f: Fulfillment) -> Counter[str]:
    units: Counter[str] = Counter()
    for reservation in set_aside.units_in(tx, f.fulfillment_id):
        units[reservation.sku] += reservation.quantity
    return units


# --- the code ---------------------------------------------------------------------------------------------------------


def opens(tx: Session, fulfillment_id: str, typed: str, codes: PickupCodes, at: datetime, *, by: str) -> bool:
    """Whether it is this pickup's code. A wrong one is on record; after five of them the customer is sent another."""
    order, f = locked(tx, fulfillment_id)
    if f.code_n is None or f.status != FulfillmentStatus.READY_FOR_PICKUP:
        return False
    if codes.fits(typed, fulfillment_id, f.code_n):
        return True
    f.code_tries = (f.code_tries or 0) + 1
    note(tx, order, EventType.PICKUP_CODE_WRONG, at, fulfillment_id=fulfillment_id, tries=f.code_tries, by=by)
    if f.code_tries >= MOST_TRIES:
        another_code(tx, order, f, "tries", at)
    changed(tx, order, f)
    return False


def another_code(tx: Session, order: Order, f: Fulfillment, why: str, at: datetime) -> None:
    """The one before opens nothing any more. The caller holds the order's lock, and calls `changed`."""
    f.code_n, f.code_tries = (f.code_n or SENT_AT_FIRST) + 1, 0
    note(tx, order, EventType.PICKUP_CODE_CHANGED, at, fulfillment_id=f.fulfillment_id, why=why)
    tell_code(tx, order, f, MessageKind.PICKUP_CODE, f"{f.fulfillment_id} code {f.code_n}")
    nudge(tx, [order.order_id], "message")


# --- handed over ------------------------------------------------------------------------------------------------------


def picked_up(tx: Session, fulfillment_id: str, how: Taken, at: datetime) -> bool:
    """The customer has it, or a part of it: those units are gone, the rest stays ready. A fact, whoever tells it: what
    had been given back by then is a hold. False when it is known already."""
    order, f = locked(tx, fulfillment_id)
    if how.reference and known(tx, f, how.reference):
        return False
    if f.status == FulfillmentStatus.CANCELLED or (f.status == FulfillmentStatus.PICKED_UP and cut_short(tx, f)):
        return left_though_cancelled(tx, order, f, at)
    if f.status in LEFT:
        return False
    if f.status != FulfillmentStatus.READY_FOR_PICKUP:
        answered(tx, f, at)
    at = not_before(f, at)
    close_silence(tx, f, HoldKind.RELEASE_UNANSWERED, at)
    products = inventory.lock_all_of(tx, order.order_id)
    found = displacing.found(tx, f, set_aside.units_in(tx, fulfillment_id))
    gone, unknown = taken_out(tx, f, how.units)
    if unknown:
        about = Subject.fulfillment(fulfillment_id)
        holds.opened(tx, order.order_id, HoldKind.LEFT_THOUGH_CANCELLED, about, at)
    paid_as = paid_there(tx, order, f, gone, how, at)
    n = recorded(tx, f, how, sum(r.quantity for r in gone), paid_as, at)
    sent: Counter[str] = Counter()
    for r in gone:
        sent[r.sku] += r.quantity
    if gone:
        inventory.left(tx, StockMoveKind.PICKED_UP, fulfillment_id, gone, found, at)
    units = sent.total()
    note(tx, order, EventType.PICKED_UP, at, fulfillment_id=fulfillment_id, units=units, proof=how.proof, by=how.by)
    names = {sku: product.name for sku, product in products.items()}
    subject = fulfillment_id if n == 1 else f"{fulfillment_id}/{n}"
    tell(tx, order, MessageKind.PICKED_UP, subject, items=listed(sent, names))
    if set_aside.units_in(tx, fulfillment_id):
        parts = [Part(r.line_no, r.first_unit, r.quantity, Where.PACKED, r, f) for r in gone]
        taken(tx, order, f, parts, at)
    else:
        f.status, f.delivered_at = FulfillmentStatus.PICKED_UP, at
        deadlines.close(tx, Subject.fulfillment(fulfillment_id))
        not_stopped(tx, order, f, at) if f.recall == Recall.ASKED else had_left(tx, order, f, at)
    changed(tx, order, f)
    return True


def known(tx: Session, f: Fulfillment, reference: str) -> bool:
    mine = (HandOver.fulfillment_id == f.fulfillment_id, HandOver.reference == reference)
    return tx.scalars(select(HandOver.n).where(*mine)).first() is not None


def cut_short(tx: Session, f: Fulfillment) -> bool:
    """What was not taken of it in time is the store's again."""
    return any(row.fulfillment_id == f.fulfillment_id for row in wishes(tx, f.order_id, LineCancellationStatus.DONE))


def first_units(tx: Session, f: Fulfillment, wanted: Mapping[str, int] | None) -> list[Units]:
    """Those that would go, as `taken_out` takes them."""
    left, found = Counter(dict(wanted or units_in(tx, f))), []
    for r in sorted(set_aside.units_in(tx, f.fulfillment_id), key=lambda r: (r.line_no, r.first_unit)):
        if count := min(left[r.sku], r.quantity):
            left[r.sku] -= count
            found.append(Units(r.line_no, r.first_unit, count))
    return found


def taken_out(tx: Session, f: Fulfillment, wanted: Mapping[str, int] | None) -> tuple[list[Reservation], bool]:
    """The units that are gone, and whether there were more of them than it had."""
    left, gone = Counter(dict(wanted or units_in(tx, f))), []
    for reservation in sorted(set_aside.units_in(tx, f.fulfillment_id), key=lambda r: (r.line_no, r.first_unit)):
        count = min(left[reservation.sku], reservation.quantity)
        if not count:
            continue
        if count < reservation.quantity:
            set_aside.last_units(tx, reservation, reservation.quantity - count)
        left[reservation.sku] -= count
        reservation.status = ReservationStatus.CONSUMED
        gone.append(reservation)
    tx.flush()
    return gone, any(left.values())


def recorded(tx: Session, f: Fulfillment, how: Taken, units: int, paid_as: str | None, at: datetime) -> int:
    last = tx.scalar(select(func.max(HandOver.n)).where(HandOver.fulfillment_id == f.fulfillment_id)) or 0
    tx.add(
        HandOver(
            fulfillment_id=f.fulfillment_id,
            n=last + 1,
            order_id=f.order_id,
            reference=how.reference,
            proof=how.proof,
            by=how.by,
            note=how.note,
            quantity=units,
            paid_as=paid_as,
            effective_at=at,
            recorded_at=wall_clock(),
        )
    )
    return last + 1


# --- paid at the store ------------------------------------------------------------------------------------------------


def due_for(tx: Session, order: Order, f: Fulfillment, gone: list[Units]) -> tuple[Bill, list[PricedUnits]]:
    """What of these units is to be paid as they are handed over."""
    now = bill(tx, order)
    later = TenderDue.AT_HAND_OVER in now.tenders.values()
    return now, common(now.unpaid.get(f.fulfillment_id, []), gone) if later else []


def paid_there(
    tx: Session, order: Order, f: Fulfillment, gone: list[Reservation], how: Taken, at: datetime
) -> str | None:
    """Booked in the same transaction. A store's own system that hands over has taken the money."""
    now, due = due_for(tx, order, f, [Units(r.line_no, r.first_unit, r.quantity) for r in gone])
    if not due:
        return None
    charge = charges.write(tx, order, now.charges + 1, min(now.tenders), due, ChargeStatus.PAID)
    moved(tx, order, None, MoneyMoveKind.CAPTURED, charge.amount, charge.charge_id, at, charge.charge_id)
    note(tx, order, EventType.CAPTURED, at, fulfillment_id=f.fulfillment_id, amount=charge.amount)
    return how.paid_as or how.by
