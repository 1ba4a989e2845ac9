"""The order's statuses, each derived from rows by one function, once in every transaction that changes it."""

from dataclasses import replace
from secrets import token_hex
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from activities.facts import deadlines
from activities.facts.journal import MINE, may_be_calling, raise_version, unwritten
from activities.facts.sums import Sums, sums
from activities.models import CALLED_OFF, CLOSED, ENDED, LEFT, FulfillmentStatus, OrderStatus, PaymentStatus
from infra.clock import wall_clock
from infra.database.tables import Effect, Event, Order
from infra.words import AuthorizationStatus, OrderFulfillment

WRITTEN = insert(Event.__table__)  # type: ignore[arg-type]


def derive(tx: Session, order: Order) -> None:
    """The last call of every fact: the statuses may have changed. They are written when the transaction ends."""
    raise_version(tx, order).to_derive = True


def conclude(tx: Session) -> dict[str, Sums]:
    """Writes, of each order that has changed, the statuses, the version, and the events with both: before a commit, and
    before anybody is told where the order stands. Each event raises the version by one, and carries it. Gives the
    figures of those whose statuses were derived."""
    derived = {}
    for mine in [mine for mine in unwritten(tx).values() if mine.raised]:
        if mine.to_derive:
            derived[mine.order.order_id] = write_statuses(tx, mine.order)
        before = mine.order.version
        mine.order.version += max(1, len(mine.events))
        tx.flush()
        if mine.events:
            rows = enumerate(mine.events, start=before + 1)
            tx.execute(WRITTEN, [at_version(mine.order, sequence) | event for sequence, event in rows])
        mine.events, mine.raised, mine.to_derive = [], False, False
    return derived


def at_version(order: Order, sequence: int) -> dict[str, Any]:
    return {
        "event_id": f"evt_{int(wall_clock().timestamp() * 1000):012x}{token_hex(10)}",
        "order_id": order.order_id,
        "sequence": sequence,
        "status": order.status,
        "payment_status": order.payment_status,
        "fulfillment_status": order.fulfillment_status,
    }


# nobody can forget it, and a fact may be followed by another
listen(Session, "before_commit", conclude)


def write_statuses(tx: Session, order: Order) -> Sums:
    now, was_open = sums(tx, order), order.status not in CLOSED
    found = payment_status(order, now), fulfillment_status(now), order_status(tx, order, now)
    order.payment_status, order.fulfillment_status, order.status = found
    if order.status in CLOSED and now.next_deadline:
        now = replace(now, deadlines=deadlines.lasting(now.deadlines))
        deadlines.leave(tx, order, now.next_deadline, first=was_open)
    return now


def derived(tx: Session, order: Order) -> Sums:
    """The figures, with statuses, version and events written that follow from them."""
    return conclude(tx).get(order.order_id) or sums(tx, order)


def first_statuses(order: Order, *, paid_elsewhere: bool, due_later: bool = False) -> None:
    """Those that would be derived of an order of which nothing has happened yet."""
    order.status = OrderStatus.PROCESSING if paid_elsewhere else OrderStatus.PLACED
    order.payment_status = PaymentStatus.CAPTURED if paid_elsewhere and not due_later else PaymentStatus.NONE
    order.fulfillment_status = OrderFulfillment.UNFULFILLED


def order_status(tx: Session, order: Order, now: Sums) -> OrderStatus:
    if order.status in CLOSED:  # for good: what comes later moves the payment status, attention and events
        return order.status
    if closed := closing(tx, order, now):
        return closed
    if order.cancellation in CALLED_OFF:
        return OrderStatus.CANCELLING
    if now.open_holds:
        return OrderStatus.ON_HOLD
    if now.paid_elsewhere or any(p.captured or p.status == AuthorizationStatus.AUTHORIZED for p in now.payments):
        return OrderStatus.PROCESSING
    return OrderStatus.PLACED


def closing(tx: Session, order: Order, now: Sums) -> OrderStatus | None:
    """Completed or cancelled, when nothing of it is left anywhere."""
    undone = not (now.held or now.waiting or now.open_payments or now.open_labels or now.open_refunds or now.open_holds)
    ended = all(f.status in ENDED for f in now.fulfillments)
    paid = not any(f.unpaid for f in now.fulfillments if f.status in LEFT)
    # a wish to cancel is settled first: the goods may have outrun it, and the customer must hear what became of it
    settled = order.cancellation is None or order.cancellation_settled
    if not (undone and ended and paid and settled and now.unreserved <= 0) or captures_in_doubt(tx, order.order_id):
        return None
    left = any(f.status in LEFT for f in now.fulfillments)
    return OrderStatus.COMPLETED if left else OrderStatus.CANCELLED


def in_doubt(tx: Session, order_id: str, call: str) -> set[str]:
    """Fulfillments for which this was asked of a provider, and nobody knows what became of it."""
    if not may_be_calling(tx, order_id):
        return set()
    out = (Effect.step.startswith(f"{call}:"), Effect.finished_at.is_(None))
    steps = tx.scalars(select(Effect.step).where(Effect.order_id == order_id, *out))
    return {step.removeprefix(f"{call}:") for step in steps}


CAPTURES_OUT = select(Effect.parameters).where(
    Effect.order_id == MINE, Effect.step.startswith("capture:"), Effect.finished_at.is_(None)
)


def captures_in_doubt(tx: Session, order_id: str) -> dict[str, dict[str, Any]]:
    """By fulfillment: what was asked of the provider for it, and nobody knows what became of it."""
    asked = tx.scalars(CAPTURES_OUT, {"mine": order_id})
    return {parameters["fulfillment_id"]: parameters for parameters in asked}


def payment_status(order: Order, now: Sums) -> PaymentStatus:
    if not order.total:
        return PaymentStatus.CAPTURED
    if now.disputes:
        return PaymentStatus.DISPUTED
    # until the provider has said yes once, what others have taken is not told by this word
    if now.captured and (now.paid_elsewhere or now.authorized):
        if now.refunded >= now.captured:
            return PaymentStatus.REFUNDED
        if now.refunded:
            return PaymentStatus.PARTIALLY_REFUNDED
        unpaid = any(f.unpaid for f in now.fulfillments if f.status != FulfillmentStatus.CANCELLED)
        if (now.due_later or not now.paid_elsewhere) and (now.to_come or unpaid):
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
    if left or now.gone:
        return OrderFulfillment.PARTIAL
    return OrderFulfillment.BACKORDERED if now.waiting else OrderFulfillment.UNFULFILLED
