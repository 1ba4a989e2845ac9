"""Open orders by how far they have come."""

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from activities.models import OrderStatus, PaymentStatus
from infra.database.tables import Order
from infra.words import OrderFulfillment

PROCESSING = Order.status == OrderStatus.PROCESSING
UNFULFILLED = and_(PROCESSING, Order.fulfillment_status == OrderFulfillment.UNFULFILLED)
CAPTURED = Order.payment_status.in_([PaymentStatus.CAPTURED, PaymentStatus.PARTIALLY_CAPTURED])
STAGES = {
    "placed": Order.status == OrderStatus.PLACED,
    "on_hold": Order.status == OrderStatus.ON_HOLD,
    "cancelling": Order.status == OrderStatus.CANCELLING,
    "requested": and_(UNFULFILLED, ~CAPTURED),
    "packed": and_(UNFULFILLED, CAPTURED),
    "backordered": and_(PROCESSING, Order.fulfillment_status == OrderFulfillment.BACKORDERED),
    "partly_shipped": and_(PROCESSING, Order.fulfillment_status == OrderFulfillment.PARTIAL),
    "shipped": and_(PROCESSING, Order.fulfillment_status == OrderFulfillment.FULFILLED),
    "arrived": and_(PROCESSING, Order.fulfillment_status.in_([OrderFulfillment.DELIVERED, OrderFulfillment.RETURNED])),
}


def open_orders(tx: Session, limit: int) -> dict[str, list[str]]:
    """Ids by stage, of each at most `limit`: the oldest and the newest in turn. Reads no order that is closed, but up
    to all that are open."""
    found = {}
    for stage, belongs in STAGES.items():
        ids = select(Order.order_id).where(belongs).limit(limit)
        oldest = tx.scalars(ids.order_by(Order.placed_at, Order.order_id)).all()
        newest = tx.scalars(ids.order_by(Order.placed_at.desc(), Order.order_id.desc())).all()
        in_turn = [order_id for pair in zip(oldest, newest, strict=True) for order_id in pair]
        found[stage] = list(dict.fromkeys(in_turn))[:limit]
    return found
