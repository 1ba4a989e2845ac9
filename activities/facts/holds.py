"""Something stopped and waits for a person; or waits no longer."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines
from activities.facts.journal import fulfillments_of, locked_order, note
from activities.facts.statuses import derive
from activities.models import LEFT, FulfillmentStatus, HoldReason, Subject
from infra.database.tables import Change, Hold, Order
from infra.words import DeadlineKind, Decision, EventType

FORWARD_STEPS = frozenset(
    {
        "authorize",
        "authorize_payment",
        "reauthorize_payment",
        "reserve_stock",
        "request_fulfillment",
        "refused",
        "buy_label",
        "capture_payment",
        "release_fulfillment",
    }
)
FORWARD_REASONS = frozenset(
    {HoldReason.OPERATOR, HoldReason.FRAUD_REVIEW, HoldReason.CREDIT, HoldReason.ADDRESS, HoldReason.BACKORDER_OVERDUE}
)
"""Holds that keep an order from going on; the others are about what was done, and outlive its cancellation."""


def opened(
    tx: Session,
    order_id: str,
    *,
    reason: HoldReason,
    step: str,
    code: str,
    advice: str,
    actions: Sequence[str],
    at: datetime,
    fulfillment_id: str | None = None,
) -> str:
    """One open hold per reason, step and fulfillment; opened again it is the same one."""
    order = locked_order(tx, order_id)
    known = tx.scalars(
        select(Hold).where(
            Hold.order_id == order_id,
            Hold.reason == reason,
            Hold.step == step,
            Hold.fulfillment_id.is_(None) if fulfillment_id is None else Hold.fulfillment_id == fulfillment_id,
            Hold.closed_at.is_(None),
        )
    ).first()
    if known:
        return known.hold_id
    n = (tx.scalar(select(func.count()).where(Hold.order_id == order_id)) or 0) + 1
    hold = Hold(
        hold_id=f"{order_id}-h{n}",
        order_id=order_id,
        fulfillment_id=fulfillment_id,
        reason=reason,
        step=step,
        code=code,
        advice=advice[:500],
        actions=list(actions),
        opened_at=at,
    )
    tx.add(hold)
    if reason == HoldReason.OPERATOR:
        reminded = at + DECLARED[DeadlineKind.HOLD_FORGOTTEN].margin
        deadlines.begin(tx, order, DeadlineKind.HOLD_FORGOTTEN, Subject("hold", hold.hold_id), reminded)
    note(tx, order, EventType.HELD, at, fulfillment_id=fulfillment_id, hold=hold.hold_id, reason=reason, code=code)
    derive(tx, order)
    return hold.hold_id


def closed(
    tx: Session, hold_id: str, *, action: str, by: str, why: str, at: datetime, change_id: int | None = None
) -> bool:
    """An operator's decision, or the step went well after all (`by` is then the step). False when it was closed
    already: then it stays as it is, and what was decided since is superseded."""
    order = locked_order(tx, tx.scalars(select(Hold.order_id).where(Hold.hold_id == hold_id)).one())
    hold = tx.get_one(Hold, hold_id, populate_existing=True)
    first = hold.closed_at is None
    asked = tx.scalars(select(Change).where(Change.hold_id == hold_id, Change.decision.is_(None))).all()
    if first:
        for change in asked:
            if change.change_id == change_id:
                by, why = change.by, change.why
        hold.closed_at, hold.action, hold.closed_by, hold.why = at, action, by, why
        if hold.reason == HoldReason.OPERATOR:
            deadlines.close(tx, Subject("hold", hold_id))
        note(
            tx, order, EventType.HOLD_CLOSED, at, fulfillment_id=hold.fulfillment_id, hold=hold_id, action=action, by=by
        )
    for change in asked:
        change.decision = Decision(action) if change.action == hold.action else Decision.SUPERSEDED
        change.decided_at = at
    derive(tx, order)
    return first


def close_recovered(tx: Session, order_id: str, step: str, at: datetime) -> None:
    """The step went well: what was held because of it goes on by itself."""
    for hold_id in tx.scalars(
        select(Hold.hold_id).where(
            Hold.order_id == order_id,
            Hold.step == step,
            Hold.closed_at.is_(None),
            Hold.reason.in_((HoldReason.STEP_FAILED, HoldReason.PAYMENT_ACTION)),
        )
    ).all():
        closed(tx, hold_id, action="retry", by=step, why="the step went well", at=at)


def close_mended(
    tx: Session,
    order_id: str,
    step: str,
    at: datetime,
    *,
    by: str,
    why: str,
    among: Sequence[str] | None = None,
) -> None:
    """What a step failed for has been put right, for all fulfillments or some: it is taken again at once."""
    held = select(Hold.hold_id, Hold.fulfillment_id, Hold.step).where(
        Hold.order_id == order_id, Hold.reason == HoldReason.STEP_FAILED, Hold.closed_at.is_(None)
    )
    for hold_id, fulfillment_id, name in tx.execute(held).all():
        if name.split(" ")[0] == step and (among is None or fulfillment_id in among):
            closed(tx, hold_id, action="retry", by=by, why=why, at=at)


def close_answered(tx: Session, fulfillment_id: str, reason: HoldReason, step: str, at: datetime, *, by: str) -> bool:
    """Who was silent spoke after all, or what was lost was found: nobody needs to ask. Whether there was such a
    hold."""
    about = (Hold.fulfillment_id == fulfillment_id, Hold.reason == reason, Hold.step == step, Hold.closed_at.is_(None))
    found = tx.scalars(select(Hold.hold_id).where(*about)).all()
    for hold_id in found:
        closed(tx, hold_id, action="retry", by=by, why="it answered", at=at)
    return bool(found)


def close_with_order(tx: Session, order: Order, at: datetime) -> None:
    """The order ends: what held it, or a fulfillment that will not leave, on its way needs nobody any more."""
    fulfillments = fulfillments_of(tx, order.order_id)
    ended = {f.fulfillment_id for f in fulfillments if f.status == FulfillmentStatus.CANCELLED}
    if all(f.fulfillment_id in ended or f.status in LEFT for f in fulfillments):
        ended.add("")
    for hold in tx.scalars(select(Hold).where(Hold.order_id == order.order_id, Hold.closed_at.is_(None))).all():
        forward = hold.step.split(" ")[0] in FORWARD_STEPS or hold.reason in FORWARD_REASONS
        if forward and (hold.fulfillment_id or "") in ended:
            closed(tx, hold.hold_id, action="cancel", by="cancellation", why="the order is to end", at=at)
