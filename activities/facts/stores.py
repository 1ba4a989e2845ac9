"""Places where no warehouse system works: the row is the request, and their people say what they did. Each does what a
system's webhook does, but where a person can be told that it is not possible."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines, fulfillments, handing_over, packing, recall
from activities.facts.fulfillments import changed, locked
from activities.facts.journal import note, unwritten
from activities.facts.packing import Contents
from activities.facts.set_aside import units_in
from activities.facts.units import listed
from activities.models import AT_REST, LEFT, FulfillmentStatus, LabelStatus, Recall, ShippingMethod, Subject
from activities.ports import Parcel as Packed
from infra.clock import wall_clock
from infra.database.inserting import insert_new
from infra.database.tables import Fulfillment, Location, Message, Order, Product
from infra.words import Channel, DeadlineKind, EventType, MessageKind, MessageStatus

Status = FulfillmentStatus
PACKED_OR_GONE = AT_REST | LEFT


class NotPossible(Exception):
    """As things stand; says why."""


# --- what the order asks of a place -----------------------------------------------------------------------------------


def requested(tx: Session, fulfillment_id: str, at: datetime) -> None:
    order, f = locked(tx, fulfillment_id)
    if f.status != Status.PLANNED:
        return
    f.accepted_at = f.picking_at = None
    fulfillments.requested(tx, fulfillment_id, at)
    if tell_place(tx, order, f, MessageKind.STORE_REQUEST, fulfillment_id):
        remind_at = at + DECLARED[DeadlineKind.STORE_REMINDER].margin
        deadlines.move(tx, order, DeadlineKind.STORE_REMINDER, Subject.fulfillment(fulfillment_id), remind_at)


def recall_asked(tx: Session, fulfillment_id: str, at: datetime) -> None:
    recall.recall_asked(tx, fulfillment_id, at)
    order, f = locked(tx, fulfillment_id)
    tell_place(tx, order, f, MessageKind.STORE_RECALL, fulfillment_id)


def unaccepted(tx: Session, order: Order, fulfillment_id: str, at: datetime) -> datetime | None:
    """They were asked, and have not said that they will."""
    _, f = locked(tx, fulfillment_id)
    if f.status != Status.REQUESTED or f.accepted_at or f.recall or f.requested_at is None:
        return None
    margin = DECLARED[DeadlineKind.STORE_REMINDER].margin
    n = (at - f.requested_at) // margin
    return at + margin if tell_place(tx, order, f, MessageKind.STORE_REMINDER, f"{fulfillment_id} {n}") else None


def tell_place(tx: Session, order: Order, f: Fulfillment, kind: MessageKind, subject: str) -> bool:
    """By mail, once per subject: without a name or an address of the customer. False: nobody there wants to hear."""
    if not tx.get_one(Location, f.location_id).notify:
        return False
    units = packing.counted(units_in(tx, f.fulfillment_id))
    names = dict(tx.execute(select(Product.sku, Product.name).where(Product.sku.in_(units))).all())
    row = {
        "order_id": order.order_id,
        "location_id": f.location_id,
        "kind": kind,
        "subject": subject,
        "channel": Channel.EMAIL,
        "data": {"subject": f.fulfillment_id, "items": listed(units, names)},
        "status": MessageStatus.PENDING,
        "recorded_at": wall_clock(),
    }
    tx.execute(insert_new(tx, Message), [row])
    return True


def places_told(tx: Session, rows: list[Message]) -> tuple[dict[str, Location], list[Message]]:
    """The places, and what they are told of. Those that want to hear of nothing any more are told nothing."""
    ids = {row.location_id for row in rows}
    places = {place.location_id: place for place in tx.scalars(select(Location).where(Location.location_id.in_(ids)))}
    for row in rows:
        if not places[str(row.location_id)].notify:
            row.status, row.code = MessageStatus.FAILED, "no_address"
    return places, [row for row in rows if row.status != MessageStatus.FAILED]


# --- what its people say ----------------------------------------------------------------------------------------------


def picked(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    return accepted(tx, fulfillment_id, at, picking=True)


def accepted(tx: Session, fulfillment_id: str, at: datetime, *, picking: bool = False) -> bool:
    """They will do it, or have begun. Said again, or late, it changes nothing."""
    order, f = to_do(tx, fulfillment_id)
    if f.status in PACKED_OR_GONE or (f.picking_at if picking else f.accepted_at):
        return False
    at = fulfillments.not_before(f, at)
    fulfillments.acknowledged(tx, fulfillment_id, at)
    f.accepted_at, f.picking_at = f.accepted_at or at, at if picking else None
    deadlines.close(tx, Subject.fulfillment(fulfillment_id), DeadlineKind.STORE_REMINDER)
    note(tx, order, EventType.PICKING if picking else EventType.ACCEPTED, at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)
    return True


def refused(tx: Session, fulfillment_id: str, code: str, at: datetime) -> bool:
    _, f = locked(tx, fulfillment_id)
    if f.status in PACKED_OR_GONE:
        raise NotPossible(f"{fulfillment_id} is {f.status}: it can't be refused any more")
    if f.status != Status.REQUESTED:  # refused already, or never asked
        return False
    deadlines.close(tx, Subject.fulfillment(fulfillment_id), DeadlineKind.STORE_REMINDER)
    return recall.refused(tx, fulfillment_id, code, at)


def packed(tx: Session, fulfillment_id: str, parcels: list[Packed], at: datetime, contents: Contents) -> bool:
    _, f = to_do(tx, fulfillment_id)
    if f.status in LEFT or f.status == Status.READY_FOR_PICKUP:
        return False
    if f.status == Status.REQUESTED:
        accepted(tx, fulfillment_id, at)
    if packing.packed(tx, fulfillment_id, parcels, at, contents):
        return True
    before = fulfillments.parcels_of(tx, fulfillment_id)
    if f.method == ShippingMethod.SHIP and [packing.size(parcel) for parcel in before] != parcels:
        raise NotPossible(f"{fulfillment_id} is packed, and has its labels: it stays as it is")
    return False


def handed_over(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """Of what was stopped, and has left all the same, a person must hear: that is taken, too."""
    _, f = locked(tx, fulfillment_id)
    if f.method != ShippingMethod.SHIP:
        raise NotPossible(f"{fulfillment_id} is picked up by its customer: no carrier takes it")
    if f.status in (Status.PLANNED, Status.REQUESTED):
        raise NotPossible(f"{fulfillment_id} is not packed yet")
    if f.status == Status.PACKED and not f.released:
        labelled = all(p.label_status != LabelStatus.NONE for p in fulfillments.parcels_of(tx, fulfillment_id))
        missing = "its money" if labelled else "its labels"
        raise NotPossible(f"{fulfillment_id} is not released yet: it waits for {missing}")
    return handing_over.handed_over(tx, fulfillment_id, at)


def stopped(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """As they were asked: its units are back on the shelf."""
    return asked_to_stop(tx, fulfillment_id) and recall.recall_confirmed(tx, fulfillment_id, at)


def not_stopped(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """Asked to, they can't: it goes on."""
    return asked_to_stop(tx, fulfillment_id) and recall.recall_refused(tx, fulfillment_id, at)


def asked_to_stop(tx: Session, fulfillment_id: str) -> bool:
    _, f = locked(tx, fulfillment_id)
    if f.recall is None:
        raise NotPossible(f"nobody has asked to stop {fulfillment_id}: refuse it instead, before it is packed")
    return f.recall == Recall.ASKED


def to_do(tx: Session, fulfillment_id: str) -> tuple[Order, Fulfillment]:
    order, f = locked(tx, fulfillment_id)
    if f.status == Status.CANCELLED:
        raise NotPossible(f"{fulfillment_id} is cancelled: nothing is to be done for it")
    if f.status == Status.PLANNED:
        raise NotPossible(f"{fulfillment_id} is not asked for")
    if f.recall == Recall.ASKED and f.status not in LEFT:
        raise NotPossible(f"{fulfillment_id} is to be stopped: say that it is, or that it can't be")
    return order, f


def said_by(tx: Session, order_id: str, name: str) -> None:
    """Who it was stands in each event of this transaction."""
    unwritten(tx)[order_id].by = name
