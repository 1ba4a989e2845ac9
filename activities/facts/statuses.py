"""The order's statuses, each derived from rows by one function. Called at the end of every fact."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from activities.facts.journal import fulfillments_of
from activities.models import ENDED, LEFT, OPEN_LABELS, FulfillmentStatus, OrderStatus, PaymentStatus
from infra.database.tables import (
    Backorder,
    Effect,
    Fulfillment,
    Hold,
    MoneyMove,
    Order,
    OrderLine,
    Parcel,
    Payment,
    Refund,
    Reservation,
)
from infra.words import OrderFulfillment

LIVE = ("action_required", "authorized")
"""Payments that set money aside, or may do so any moment."""


@dataclass(frozen=True)
class Sums:
    """The figures all statuses are derived from."""

    fulfillments: list[Fulfillment]
    payments: list[Payment]
    authorized: int
    captured: int
    refunded: int
    unreserved: int
    """Units neither reserved, consumed, waiting nor cancelled."""
    unplanned: int
    """Reserved units that are in no fulfillment yet."""
    waiting: int
    held: int
    open_holds: list[str]
    open_labels: int
    pending_refunds: int

    @property
    def open_payments(self) -> list[Payment]:
        return [p for p in self.payments if p.status in LIVE or (p.status == "asked" and p.intent)]


def sums(tx: Session, order: Order) -> Sums:
    tx.flush()
    mine = order.order_id

    def count(column: Any, *where: ColumnElement[bool]) -> int:
        return int(tx.scalar(select(func.coalesce(func.sum(column), 0)).where(*where)) or 0)

    money: dict[str, int] = {
        kind: int(amount)
        for kind, amount in tx.execute(
            select(MoneyMove.kind, func.sum(MoneyMove.amount))
            .where(MoneyMove.order_id == mine)
            .group_by(MoneyMove.kind)
        )
    }
    reserved = {
        (status, planned): int(quantity)
        for status, planned, quantity in tx.execute(
            select(Reservation.status, Reservation.fulfillment_id.is_not(None), func.sum(Reservation.quantity))
            .where(Reservation.order_id == mine)
            .group_by(Reservation.status, Reservation.fulfillment_id.is_not(None))
        )
    }
    held = sum(quantity for (status, _), quantity in reserved.items() if status == "held")
    consumed = sum(quantity for (status, _), quantity in reserved.items() if status == "consumed")
    waiting = count(Backorder.quantity, Backorder.order_id == mine, Backorder.status == "waiting")
    wanted = count(OrderLine.quantity - OrderLine.cancelled, OrderLine.order_id == mine)
    return Sums(
        fulfillments=fulfillments_of(tx, mine),
        payments=list(tx.scalars(select(Payment).where(Payment.order_id == mine).order_by(Payment.n))),
        authorized=money.get("authorized", 0),
        captured=money.get("captured", 0),
        refunded=money.get("refunded", 0) - money.get("refund_failed", 0),
        unreserved=wanted - held - consumed - waiting,
        unplanned=sum(quantity for (status, planned), quantity in reserved.items() if status == "held" and not planned),
        waiting=waiting,
        held=held,
        open_holds=list(tx.scalars(select(Hold.reason).where(Hold.order_id == mine, Hold.closed_at.is_(None)))),
        open_labels=int(
            tx.scalar(
                select(func.count())
                .select_from(Parcel)
                .join(Fulfillment)
                .where(
                    Fulfillment.order_id == mine,
                    Parcel.label_status.in_(OPEN_LABELS),
                )
            )
            or 0
        ),
        pending_refunds=int(
            tx.scalar(
                select(func.count()).select_from(Refund).where(Refund.order_id == mine, Refund.status == "pending")
            )
            or 0
        ),
    )


def derive(tx: Session, order: Order) -> Sums:
    """Writes the statuses and raises the version: whoever holds an older one knows it is stale."""
    now = sums(tx, order)
    order.payment_status = payment_status(order, now)
    order.fulfillment_status = fulfillment_status(now)
    order.status = order_status(tx, order, now)
    order.version += 1
    tx.flush()
    return now


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
    ended = all(f.status in ENDED and not (f.captured and refundable(f)) for f in now.fulfillments)
    paid = all(f.captured or not f.amount for f in now.fulfillments if f.status in LEFT)
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


def refundable(fulfillment: Fulfillment) -> bool:
    """Captured for goods that will not leave. (Once refunded, `captured` is taken back.)"""
    return fulfillment.status == FulfillmentStatus.CANCELLED


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
        outstanding = now.unreserved > 0 or now.waiting or now.unplanned
        if outstanding or not all(f.captured for f in now.fulfillments if f.status != FulfillmentStatus.CANCELLED):
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
    going = [f.status for f in now.fulfillments if f.status != FulfillmentStatus.CANCELLED]
    left = [status for status in going if status in LEFT]
    whole = not (now.waiting or now.unplanned or now.unreserved > 0)
    if left and whole and all(status == FulfillmentStatus.RETURNED for status in going):
        return OrderFulfillment.RETURNED
    if left and whole and all(status in ENDED for status in going):
        return OrderFulfillment.DELIVERED
    if left and whole and len(left) == len(going):
        return OrderFulfillment.FULFILLED
    if left:
        return OrderFulfillment.PARTIAL
    return OrderFulfillment.BACKORDERED if now.waiting else OrderFulfillment.UNFULFILLED
