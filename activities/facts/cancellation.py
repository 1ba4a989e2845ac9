"""An order is not to be carried out: asked, decided, settled."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts import money, planning
from activities.facts.journal import fulfillments_of, locked_order, note, nudge, tell
from activities.facts.statuses import derive, in_doubt, write_statuses
from activities.facts.sums import sums
from activities.models import CALLED_OFF, CLOSED, LEFT, CancelReason, FulfillmentStatus, Recall
from infra.clock import wall_clock
from infra.database.tables import (
    Change,
    Fulfillment,
    MoneyMove,
    Order,
)
from infra.words import Cancellation, ChangeKind, Decision, EventType, MessageKind, MoneyMoveKind, PaymentMethod


def cancellation_asked(tx: Session, order_id: str, *, reason: CancelReason, by: str, why: str) -> Change:
    """Stored as asked; the order decides it."""
    order = locked_order(tx, order_id)
    change = Change(order_id=order_id, kind=ChangeKind.CANCEL, reason=reason, by=by, why=why, recorded_at=wall_clock())
    tx.add(change)
    note(tx, order, EventType.CANCELLATION_ASKED, wall_clock(), reason=reason, by=by)
    derive(tx, order)
    nudge(tx, [order_id])
    return change


def cancellation_decided(
    tx: Session, order_id: str, change_id: int | None, *, reason: CancelReason, by: str, why: str, at: datetime
) -> None:
    """Accepted while something can still be stopped; refused when all has left. Known already: nothing changes."""
    order = locked_order(tx, order_id)
    change = tx.get(Change, change_id) if change_id else None
    if change is not None:
        reason, by, why = CancelReason(change.reason or reason), change.by, change.why
    if order.cancellation in CALLED_OFF:
        decision = Cancellation(order.cancellation)
    else:
        decision = decided(tx, order)
        order.cancellation, order.cancellation_settled = decision, decision == Cancellation.REFUSED
        order.cancel_reason = reason if decision != Cancellation.REFUSED else None
        order.cancel_note = why or None
        note(tx, order, EventType(f"cancellation_{decision}"), at, reason=reason, by=by)
        if decision == Cancellation.REFUSED:
            tell(tx, order, MessageKind.CANCELLATION_REFUSED, f"request {change_id}" if change_id else "")
    for open_change in tx.scalars(
        select(Change).where(Change.order_id == order_id, Change.kind == ChangeKind.CANCEL, Change.decision.is_(None))
    ):
        open_change.decision, open_change.decided_at = Decision(decision), at
    derive(tx, order)


def decided(tx: Session, order: Order) -> Cancellation:
    now = write_statuses(tx, order)  # what this transaction has done so far may have closed it
    going = {f.status for f in now.fulfillments} - {FulfillmentStatus.CANCELLED}
    left = going & LEFT
    if order.status in CLOSED:
        return Cancellation.REFUSED
    if left and left == going and not now.to_come:
        return Cancellation.REFUSED
    return Cancellation.PARTLY if left else Cancellation.ACCEPTED


def cancellation_settled(tx: Session, order: Order, at: datetime, *, given_up: bool) -> None:
    """Every warehouse has answered: what became of the wish to cancel, and the customer hears of it, once."""
    if order.cancellation_settled:
        return
    order.cancellation_settled = True
    fulfillments = fulfillments_of(tx, order.order_id)
    stopped = [f for f in fulfillments if f.status == FulfillmentStatus.CANCELLED and f.recall == Recall.CONFIRMED]
    if all(f.status == FulfillmentStatus.CANCELLED for f in fulfillments):
        order.cancellation = Cancellation.ACCEPTED
        tell(tx, order, MessageKind.CANCELLED, "", **about_money(tx, order, stopped))
    elif given_up or stopped:
        order.cancellation = Cancellation.PARTLY
        tell(tx, order, MessageKind.PARTLY_CANCELLED, "", **about_money(tx, order, stopped))
    else:
        order.cancellation, order.cancel_reason = Cancellation.REFUSED, None
        note(tx, order, EventType.CANCELLATION_REFUSED, at)
        tell(tx, order, MessageKind.CANCELLATION_REFUSED)


def tell_stopped(tx: Session, order: Order, stopped: Fulfillment) -> None:
    """The warehouse will not send it, and nobody had asked for that."""
    now = sums(tx, order)
    going = any(f.status != FulfillmentStatus.CANCELLED for f in now.fulfillments)
    more = going or planning.open_units(tx, order) or now.waiting
    kind = MessageKind.PARTLY_CANCELLED if more else MessageKind.CANCELLED
    tell(tx, order, kind, stopped.fulfillment_id if more else "", **about_money(tx, order, [stopped]))


def about_money(tx: Session, order: Order, stopped: list[Fulfillment]) -> dict[str, str | int]:
    """What the customer hears of the money for what will not be sent."""
    if order.pay_by == PaymentMethod.EXTERNAL:
        return {"paid_as": order.payment_reference}
    ids = {f.fulfillment_id for f in stopped}
    taken = select(func.sum(MoneyMove.amount)).where(
        MoneyMove.order_id == order.order_id,
        MoneyMove.kind == MoneyMoveKind.CAPTURED,
        MoneyMove.fulfillment_id.in_(ids),
    )
    refunded = int(tx.scalar(taken) or 0)  # PostgreSQL sums BIGINT to a decimal
    doubt = ids & in_doubt(tx, order.order_id, "capture") or money.taken_elsewhere(tx, order.order_id)
    return {"refunded": refunded, **({"charge_in_doubt": 1} if doubt else {})}
