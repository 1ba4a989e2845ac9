"""Fulfillments: asked of a warehouse, packed, released, gone, arrived; or stopped on the way."""

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from activities.facts import holds
from activities.facts.journal import (
    MINE,
    LockedFulfillment,
    alone,
    locked_order,
    locking,
    note,
    outcome_known,
    unwritten,
)
from activities.facts.statuses import derive
from activities.models import FulfillmentStatus
from infra.clock import wall_clock
from infra.database.tables import (
    Contact,
    Effect,
    Fulfillment,
    Hold,
    Location,
    Order,
    Parcel,
    ParcelContent,
    Reservation,
)
from infra.hold_kinds import HoldKind
from infra.words import EventType, ReservationStatus

BY_FULFILLMENT = alone(
    select(Order).join(Fulfillment, Fulfillment.order_id == Order.order_id).where(Fulfillment.fulfillment_id == MINE)
)
WITH_WAREHOUSE = (
    select(
        Fulfillment,
        Location,
        Contact,
        Parcel,
        exists().where(Hold.order_id == Fulfillment.order_id, Hold.closed_at.is_(None)),
        exists().where(Effect.order_id == Fulfillment.order_id, Effect.finished_at.is_(None)),
    )
    .join(Location, Location.location_id == Fulfillment.location_id)
    .join(Contact, Contact.contact_id == Fulfillment.contact_id)
    .outerjoin(Parcel, Parcel.fulfillment_id == Fulfillment.fulfillment_id)
    .where(Fulfillment.fulfillment_id == MINE)
    .order_by(Parcel.n)
    .execution_options(populate_existing=True)
)


def locked(tx: Session, fulfillment_id: str) -> tuple[Order, Fulfillment]:
    """The order, locked, and its fulfillment as it is now."""
    for mine in unwritten(tx).values():
        if known := mine.fulfillments.get(fulfillment_id):
            return locked_order(tx, mine.order.order_id), known.fulfillment
    found = locked_with_warehouse(tx, fulfillment_id)
    if found is None:
        raise NoResultFound
    return locked_order(tx, found[0].order_id), found[0]


def locked_with_warehouse(tx: Session, fulfillment_id: str) -> tuple[Fulfillment, str] | None:
    """The fulfillment, its order locked, and the warehouse that it is for. What facts of a fulfillment look for anyway
    is read with it."""
    order = locking(tx, BY_FULFILLMENT, fulfillment_id)
    if order is None:
        return None
    rows = tx.execute(WITH_WAREHOUSE, {"mine": fulfillment_id}).all()
    f, location, contact, _, is_held, is_calling = rows[0]
    known = unwritten(tx)[order.order_id]
    known.fulfillments[fulfillment_id] = LockedFulfillment(f, location, contact, [row[3] for row in rows if row[3]])
    known.may_be_held, known.may_be_calling = known.may_be_held and is_held, known.may_be_calling and is_calling
    return f, location.warehouse


def not_before(f: Fulfillment, at: datetime) -> datetime:
    """Whose clock is behind ours is not believed: nothing happens before what it follows."""
    return max([at, *filter(None, (f.requested_at, f.packed_at, f.shipped_at))])


def parcels_of(tx: Session, fulfillment_id: str) -> list[Parcel]:
    """By their numbers. Read once under the lock."""
    for mine in unwritten(tx).values():
        if known := mine.fulfillments.get(fulfillment_id):
            return list(known.parcels)
    return list(tx.scalars(select(Parcel).where(Parcel.fulfillment_id == fulfillment_id).order_by(Parcel.n)))


def replace_parcels(tx: Session, order: Order, f: Fulfillment, before: list[Parcel], after: list[Parcel]) -> None:
    if before:
        tx.execute(delete(ParcelContent).where(ParcelContent.fulfillment_id == f.fulfillment_id))
    for parcel in before:
        tx.delete(parcel)
    tx.flush()  # their numbers are given again
    tx.add_all(after)
    known = unwritten(tx)[order.order_id].fulfillments[f.fulfillment_id].parcels
    known[:] = sorted([parcel for parcel in known if parcel not in before] + after, key=lambda parcel: parcel.n)


def changed(tx: Session, order: Order, fulfillment: Fulfillment) -> None:
    fulfillment.version = order.version + 1
    derive(tx, order)


def requested(tx: Session, fulfillment_id: str, at: datetime) -> None:
    order, f = locked(tx, fulfillment_id)
    if f.status != FulfillmentStatus.PLANNED:
        return
    f.status, f.requested_at = FulfillmentStatus.REQUESTED, at
    note(tx, order, EventType.REQUESTED, at, fulfillment_id=fulfillment_id, location=f.location_id)
    changed(tx, order, f)


def to_ask_again(tx: Session, fulfillment_id: str, call: str) -> None:
    """The warehouse does not answer: the same request, or release, goes out once more. That it may have it is not
    forgotten."""
    order, f = locked(tx, fulfillment_id)
    if call == "request" and f.status == FulfillmentStatus.REQUESTED and not f.recall:
        f.status = FulfillmentStatus.PLANNED
    elif call == "release" and f.status == FulfillmentStatus.PACKED and f.released:
        f.released = False
    else:
        return
    step = (Effect.order_id == order.order_id, Effect.step == f"{call}:{fulfillment_id}")
    last = tx.scalars(select(Effect).where(*step).order_by(Effect.n.desc())).first()
    if last:
        unwritten(tx)[order.order_id].may_be_calling = True
        last.outcome, last.finished_at, last.last_called_at = None, None, wall_clock()
    changed(tx, order, f)


def answered(tx: Session, f: Fulfillment, at: datetime) -> None:
    """The warehouse speaks of what it was asked for: maybe before our own record of the asking, maybe instead of it."""
    if known_by_news(tx, f, "request"):
        requested(tx, f.fulfillment_id, at)
    close_silence(tx, f, HoldKind.REQUEST_UNANSWERED, at)


def close_silence(tx: Session, f: Fulfillment, kind: HoldKind, at: datetime) -> bool:
    """Whether somebody was to ask the warehouse, which is needless now."""
    return holds.close_mended(tx, f.order_id, (kind,), at, by="warehouse", why="it answered", among={f.fulfillment_id})


def acknowledged(tx: Session, fulfillment_id: str, at: datetime) -> tuple[bool, bool]:
    """The warehouse has the request, or begins to pick. Whether that is new, and whether the order waited for it: then
    the warehouse's time begins anew."""
    order, f = locked(tx, fulfillment_id)
    at = not_before(f, at)
    awaited = close_silence(tx, f, HoldKind.REQUEST_UNANSWERED, at)
    if awaited and f.status == FulfillmentStatus.REQUESTED:
        f.requested_at = at
        changed(tx, order, f)
    before = f.status
    if before in (FulfillmentStatus.PLANNED, FulfillmentStatus.CANCELLED):  # else our own record of the asking stands
        answered(tx, f, at)
    return awaited or f.status != before, awaited


def known_by_news(tx: Session, f: Fulfillment, call: str) -> bool:
    return outcome_known(tx, f.order_id, f"{call}:{f.fulfillment_id}")


def status_without(tx: Session, f: Fulfillment) -> FulfillmentStatus:
    """Of one of which nothing more is to leave. A part of it may be with the customer."""
    gone = (Reservation.fulfillment_id == f.fulfillment_id, Reservation.status == ReservationStatus.CONSUMED)
    some = f.ready_at and tx.scalars(select(Reservation.reservation_id).where(*gone)).first()
    return FulfillmentStatus.PICKED_UP if some else FulfillmentStatus.CANCELLED
