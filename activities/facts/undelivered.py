"""Parcels that come back or are lost: an operator has their units sent again, or pays them back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import inventory, line_cancellations, refunds
from activities.facts.cancelled_messages import items, money_of
from activities.facts.fulfillments import changed, locked, parcels_of
from activities.facts.journal import note, tell
from activities.facts.line_cancellations import Part, Where, Wish, wishes
from activities.models import CALLED_OFF, CancelReason, FulfillmentStatus
from activities.ports import TrackingStatus
from infra.database.tables import Fulfillment, Order, Reservation
from infra.words import EventType, LineCancellationStatus, MessageKind, ReservationStatus, StockMoveKind

UNDELIVERED = (TrackingStatus.RETURN_TO_SENDER, TrackingStatus.FAILURE)


def not_as_a_whole(tx: Session, fulfillment_id: str) -> str | None:
    """Why its units can't be sent again or paid back: which of them are in which parcel is not known."""
    states = {parcel.tracking_status for parcel in parcels_of(tx, fulfillment_id)}
    if states <= set(UNDELIVERED):
        return None
    return "other parcels of this fulfillment are not lost: refund what was in this one, then skip"


def sent_again(tx: Session, fulfillment_id: str, at: datetime) -> None:
    """Its units are reserved anew, for the same destination. What was paid for them stays."""
    order, f = locked(tx, fulfillment_id)
    if f.status != FulfillmentStatus.SHIPPED or order.cancellation in CALLED_OFF:
        return
    units = came_back(tx, order, f, at)
    tell(tx, order, MessageKind.SENT_AGAIN, fulfillment_id, **items(tx, order, "items", units))
    changed(tx, order, f)


def paid_back(tx: Session, fulfillment_id: str, change_id: int | None, at: datetime) -> None:
    """Its units will not be sent: they are cancelled, and what was paid for them goes back."""
    order, f = locked(tx, fulfillment_id)
    if f.status != FulfillmentStatus.SHIPPED:
        return
    units = came_back(tx, order, f, at)
    parts = [Part(r.line_no, r.first_unit, r.quantity, Where.PACKED, r, f) for r in units]
    wish = Wish(CancelReason.OPERATOR, change_id)
    line_cancellations.record(tx, order, [(part, LineCancellationStatus.DONE) for part in parts], wish)
    refunds.owed_back(tx, order, at, change_id)
    tx.flush()
    rows = [
        row for row in wishes(tx, order.order_id, LineCancellationStatus.DONE) if row.fulfillment_id == fulfillment_id
    ]
    about = items(tx, order, "items", units) | money_of(tx, order, rows)
    tell(tx, order, MessageKind.NOT_DELIVERED, fulfillment_id, **about)
    changed(tx, order, f)


def came_back(tx: Session, order: Order, f: Fulfillment, at: datetime) -> list[Reservation]:
    """Back on the shelf, and from there to whoever waits; or lost, and off the books since they left."""
    rows = select(Reservation).where(
        Reservation.fulfillment_id == f.fulfillment_id, Reservation.status == ReservationStatus.CONSUMED
    )
    units = list(tx.scalars(rows))
    inventory.lock_all_of(tx, order.order_id)
    for reservation in units:
        reservation.status = ReservationStatus.RELEASED
    lost = any(parcel.tracking_status == TrackingStatus.FAILURE for parcel in parcels_of(tx, f.fulfillment_id))
    if not lost:
        inventory.put_back(tx, StockMoveKind.RETURNED, f.fulfillment_id, units)
    f.status, f.amount = FulfillmentStatus.RETURNED, 0  # there are no units in it any more
    count = sum(reservation.quantity for reservation in units)
    note(tx, order, EventType.RETURNED, at, fulfillment_id=f.fulfillment_id, units=count, lost=lost)
    return units
