"""Goods leave: released to be handed over, gone, arrived."""

from collections import Counter
from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import displacing, holds, inventory
from activities.facts.fulfillments import (
    answered,
    changed,
    close_silence,
    known_by_news,
    locked,
    not_before,
    parcels_of,
)
from activities.facts.journal import note, tell
from activities.facts.line_cancellations import had_left
from activities.facts.packing import contents_told
from activities.facts.recall import not_stopped
from activities.facts.set_aside import units_in
from activities.facts.sums import sums
from activities.facts.units import listed
from activities.models import CALLED_OFF, LEFT, FulfillmentStatus, LabelStatus, Recall, Subject
from activities.ports import TrackingStatus
from infra.database.tables import Fulfillment, Order
from infra.hold_kinds import HoldKind
from infra.words import EventType, MessageKind, ReservationStatus, StockMoveKind


def released(tx: Session, fulfillment_id: str, at: datetime) -> None:
    """The warehouse has the labels and may hand over."""
    order, f = locked(tx, fulfillment_id)
    if f.released:
        return
    f.released = True
    note(tx, order, EventType.RELEASED, at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)


def handed_over(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """The carrier has it: the units are gone. Without a release of ours it is also a hold."""
    order, f = locked(tx, fulfillment_id)
    if f.status in LEFT:
        return False
    if f.status == FulfillmentStatus.CANCELLED:
        return left_though_cancelled(tx, order, f, at)
    answered(tx, f, at)
    at = not_before(f, at)
    if known_by_news(tx, f, "release"):
        released(tx, fulfillment_id, at)
    close_silence(tx, f, HoldKind.RELEASE_UNANSWERED, at)
    if not f.released:
        holds.opened(tx, order.order_id, HoldKind.NOT_RELEASED, Subject.fulfillment(fulfillment_id), at)
    f.status, f.shipped_at = FulfillmentStatus.SHIPPED, at
    changed(tx, order, f)
    if f.recall == Recall.ASKED:
        not_stopped(tx, order, f, at)
    else:
        had_left(tx, order, f, at)  # the order is to end, and its warehouse was not asked yet
    products = inventory.lock_of(tx, fulfillment_id)
    gone = units_in(tx, fulfillment_id)
    found = displacing.found(tx, f, gone)
    for r in gone:
        r.status = ReservationStatus.CONSUMED
    inventory.left(tx, StockMoveKind.SHIPPED, fulfillment_id, gone, found, at)
    links = []
    for parcel in parcels_of(tx, fulfillment_id):
        if parcel.label_status == LabelStatus.BOUGHT:
            parcel.label_status = LabelStatus.USED
        links.append(parcel.tracking_url or "")
    note(tx, order, EventType.SHIPPED, at, fulfillment_id=fulfillment_id)
    kind = MessageKind.PARTLY_SHIPPED if rest_follows(tx, order) else MessageKind.SHIPPED
    sent: Counter[str] = Counter()
    for r in gone:
        sent[r.sku] += r.quantity
    inside = contents_told(tx, fulfillment_id) if len(links) > 1 else {}
    names = {sku: product.name for sku, product in products.items()}
    items = "; ".join(listed(part, names) for _, part in sorted(inside.items())) or listed(sent, names)
    about = {"items": items} if items else {}
    tell(tx, order, kind, fulfillment_id, links=" ".join(filter(None, links)), **about)
    arrived(tx, order, f, at)
    return True


def rest_follows(tx: Session, order: Order) -> bool:
    """Whether more of the order is to leave."""
    now = sums(tx, order)
    coming = any(f.status not in (*LEFT, FulfillmentStatus.CANCELLED) for f in now.fulfillments)
    return (coming or now.to_come) and order.cancellation not in CALLED_OFF


def left_though_cancelled(tx: Session, order: Order, f: Fulfillment, at: datetime) -> bool:
    about = Subject.fulfillment(f.fulfillment_id)
    holds.opened(tx, order.order_id, HoldKind.LEFT_THOUGH_CANCELLED, about, at)
    changed(tx, order, f)
    return True


def arrived(tx: Session, order: Order, f: Fulfillment, at: datetime) -> None:
    """Delivered, once every parcel is: whether the carrier or the warehouse was heard first."""
    known = {p.tracking_status for p in parcels_of(tx, f.fulfillment_id)}
    if known == {TrackingStatus.DELIVERED} and f.status == FulfillmentStatus.SHIPPED:
        f.status, f.delivered_at = FulfillmentStatus.DELIVERED, not_before(f, at)
        tell(tx, order, MessageKind.DELIVERED, f.fulfillment_id)
