"""What is ready waits for its customer: reminded, told again, extended once, taken by somebody else; or given up."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts.fulfillments import changed, locked
from activities.facts.journal import fulfillments_of, locked_order, note, nudge
from activities.facts.line_cancellations import Wish, cancelled, parts_left
from activities.facts.pickup_times import begun
from activities.facts.pickups import another_code, tell_code
from activities.facts.requests import NothingLeft
from activities.facts.statuses import derive
from activities.models import CLOSED, ENDED, CancelReason, FulfillmentStatus
from infra.database.tables import Contact, Fulfillment, Message, Order
from infra.words import ContactKind, EventType, MessageKind


def waiting(tx: Session, fulfillment_id: str) -> Fulfillment | None:
    f = tx.get_one(Fulfillment, fulfillment_id, populate_existing=True)
    return f if f.status == FulfillmentStatus.READY_FOR_PICKUP and f.recall is None else None


def reminder_due(tx: Session, order: Order, fulfillment_id: str, at: datetime) -> None:
    if f := waiting(tx, fulfillment_id):
        note(tx, order, EventType.PICKUP_REMINDED, at, fulfillment_id=fulfillment_id)
        tell_code(tx, order, f, MessageKind.PICKUP_REMINDER, subject_of(f))


def subject_of(f: Fulfillment) -> str:
    """Once for each time that it waits until."""
    return f"{f.fulfillment_id}/extended" if f.extended_at else f.fulfillment_id


def expired(tx: Session, order: Order, fulfillment_id: str, at: datetime) -> datetime | None:
    """What is still there is cut, and its store asked to shelve it: only when that is done the units are anybody's, and
    the money goes back. Taken before that, it was taken."""
    f = waiting(tx, fulfillment_id)
    if f is None or f.pickup_until is None:
        return None
    if at < f.pickup_until:
        return f.pickup_until
    parts = [part for part in parts_left(tx, order) if part.fulfillment is f]
    note(tx, order, EventType.PICKUP_EXPIRED, at, fulfillment_id=fulfillment_id, units=sum(p.quantity for p in parts))
    cancelled(tx, order, parts, Wish(CancelReason.EXPIRED), at)
    return None


# --- what customers and staff may change ------------------------------------------------------------------------------


def to_change(tx: Session, fulfillment_id: str) -> tuple[Order, Fulfillment]:
    """Locked. Raises `NothingLeft`."""
    order, f = locked(tx, fulfillment_id)
    if f.status != FulfillmentStatus.READY_FOR_PICKUP:
        raise NothingLeft(f"it does not wait to be picked up: it is {f.status}")
    if f.recall is not None:
        raise NothingLeft("its time is over: the store was asked to put it back")
    return order, f


def extended(tx: Session, fulfillment_id: str, window: timedelta, at: datetime, *, by: str) -> None:
    """It waits as long again, once. Raises `NothingLeft`."""
    order, f = to_change(tx, fulfillment_id)
    if f.extended_at or f.pickup_until is None:
        raise NothingLeft("it was extended already, and is once only")
    f.extended_at = at
    begun(tx, order, f, f.pickup_until + window, at)
    note(
        tx, order, EventType.PICKUP_EXTENDED, at, fulfillment_id=fulfillment_id, until=f.pickup_until.isoformat(), by=by
    )
    changed(tx, order, f)
    nudge(tx, [order.order_id])


def sent_again(tx: Session, fulfillment_id: str, at: datetime, *, by: str) -> None:
    """The one message is overlooked. Raises `NothingLeft`."""
    order, f = to_change(tx, fulfillment_id)
    mine = (Message.order_id == order.order_id, Message.subject.startswith(f"{fulfillment_id}/again "))
    times = tx.scalar(select(func.count(Message.subject.distinct())).where(*mine)) or 0
    note(tx, order, EventType.PICKUP_SENT_AGAIN, at, fulfillment_id=fulfillment_id, by=by)
    tell_code(tx, order, f, MessageKind.READY_FOR_PICKUP, f"{fulfillment_id}/again {times + 1}")
    changed(tx, order, f)
    nudge(tx, [order.order_id], "message")


def person_given(tx: Session, order_id: str, name: str, at: datetime, *, by: str) -> None:
    """Somebody else comes for it: the code of what is ready is another one. Raises `NothingLeft`."""
    order = locked_order(tx, order_id)
    mine = (Contact.order_id == order_id, Contact.kind == ContactKind.PICKUP)
    person, fulfillments = tx.scalars(select(Contact).where(*mine)).first(), fulfillments_of(tx, order_id)
    if person is None:
        raise NothingLeft("it is sent, and not picked up")
    if order.status in CLOSED or (fulfillments and all(f.status in ENDED for f in fulfillments)):
        raise NothingLeft("nothing of it is still to be picked up")
    if person.name == name:
        return
    person.name = name
    note(tx, order, EventType.PICKUP_PERSON_GIVEN, at, by=by)
    for f in fulfillments:
        if f.status == FulfillmentStatus.READY_FOR_PICKUP and f.recall is None:
            another_code(tx, order, f, "person", at)
            f.version = order.version + 1
    derive(tx, order)
    nudge(tx, [order_id])
