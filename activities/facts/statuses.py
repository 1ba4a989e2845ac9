"""The order's statuses, each derived from rows by one function. Called at the end of every fact."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import deadlines
from activities.facts.sums import Sums, sums
from activities.models import ENDED, LEFT, FulfillmentStatus, OrderStatus, PaymentStatus
from infra.database.tables import Effect, Order
from infra.words import OrderFulfillment

CLOSED = (OrderStatus.COMPLETED, OrderStatus.CANCELLED)


def derive(tx: Session, order: Order) -> Sums:
    """Writes the statuses and raises the version: whoever holds an older one knows it is stale."""
    now = sums(tx, order)
    order.payment_status = payment_status(order, now)
    order.fulfillment_status = fulfillment_status(now)
    order.status = order_status(tx, order, now)
    order.version += 1
    tx.flush()
    if order.status in CLOSED and now.next_deadline:
        deadlines.leave(tx, order)
        now = sums(tx, order)
    tx.info["derived"] = order.order_id, order.version, now
    return now


def derived(tx: Session, order: Order) -> Sums:
    """What the transaction's last fact was derived from: nothing follows it that changes a sum."""
    order_id, version, now = tx.info.get("derived", ("", 0, None))
    return now if now and (order_id, version) == (order.order_id, order.version) else sums(tx, order)


def paid_elsewhere(order: Order) -> bool:
    """Nothing to authorize or capture; what costs nothing is paid."""
    return order.pay_by == "external" or not order.total


def order_status(tx: Session, order: Order, now: Sums) -> OrderStatus:
    if closed := closing(tx, order, now):
        return closed
    if order.cancellation in ("accepted", "partly"):
        return OrderStatus.CANCELLING
    if now.open_holds:
        return OrderStatus.ON_HOLD
    if paid_elsewhere(order) or now.captured or any(p.status == "authorized" for p in now.payments):
        return OrderStatus.PROCESSING
    return OrderStatus.PLACED


def closing(tx: Session, order: Order, now: Sums) -> OrderStatus | None:
    """Completed or cancelled, when nothing of it is left anywhere."""
    undone = not (
        now.held or now.waiting or now.open_payments or now.open_labels or now.pending_refunds or now.open_holds
    )
    ended = all(
        f.status in ENDED and not (f.captured and f.status == FulfillmentStatus.CANCELLED) for f in now.fulfillments
    )
    paid = all(f.captured or not f.costs for f in now.fulfillments if f.status in LEFT)
    # a wish to cancel is settled first: the goods may have outrun it, and the customer must hear what became of it
    settled = order.cancellation is None or order.cancellation_settled
    if not (undone and ended and paid and settled and now.unreserved <= 0) or in_doubt(tx, order.order_id, "capture"):
        return None
    left = any(f.status in LEFT for f in now.fulfillments)
    return OrderStatus.COMPLETED if left else OrderStatus.CANCELLED


def in_doubt(tx: Session, order_id: str, call: str) -> set[str]:
    """Fulfillments for which this was asked of a provider, and nobody knows what became of it."""
    out = (Effect.step.startswith(f"{call}:"), Effect.finished_at.is_(None))
    steps = tx.scalars(select(Effect.step).where(Effect.order_id == order_id, *out))
    return {step.removeprefix(f"{call}:") for step in steps}


def payment_status(order: Order, now: Sums) -> PaymentStatus:
    if paid_elsewhere(order):
        return PaymentStatus.CAPTURED
    if "dispute" in now.open_holds:
        return PaymentStatus.DISPUTED
    if now.captured:
        if now.refunded >= now.captured:
            return PaymentStatus.REFUNDED
        if now.refunded:
            return PaymentStatus.PARTIALLY_REFUNDED
        if now.to_come or not all(f.captured for f in now.fulfillments if f.status != FulfillmentStatus.CANCELLED):
            return PaymentStatus.PARTIALLY_CAPTURED
        return PaymentStatus.CAPTURED
    states = [p.status for p in now.payments]
    if "authorized" in states:
        return PaymentStatus.AUTHORIZED
    for status in reversed(states):
        if status == "action_required":
            return PaymentStatus.ACTION_REQUIRED
        if status == "declined":
            return PaymentStatus.DECLINED
        if status == "ended":
            return PaymentStatus.VOIDED
    return PaymentStatus.NONE


def fulfillment_status(now: Sums) -> OrderFulfillment:
    going = {f.status for f in now.fulfillments} - {FulfillmentStatus.CANCELLED}
    left = going & LEFT
    whole = not now.to_come
    if left and whole and going == {FulfillmentStatus.RETURNED}:
        return OrderFulfillment.RETURNED
    if left and whole and going <= ENDED:
        return OrderFulfillment.DELIVERED
    if left and whole and going <= LEFT:
        return OrderFulfillment.FULFILLED
    if left:
        return OrderFulfillment.PARTIAL
    return OrderFulfillment.BACKORDERED if now.waiting else OrderFulfillment.UNFULFILLED
