"""An order, or some of its units, are not to be carried out: asked, decided, settled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.cancelled_messages import money_of, tell_decided
from activities.facts.journal import fulfillments_of, locked_order, note, nudge, tell
from activities.facts.line_cancellations import DONE, Where, Wish, cancelled, of_line, parts_left, wishes
from activities.facts.statuses import derive, write_statuses
from activities.models import CALLED_OFF, CLOSED, LEFT, CancelReason, FulfillmentStatus
from infra.clock import wall_clock
from infra.database.tables import Change, Hold, LineCancellation, Order
from infra.hold_kinds import HoldKind
from infra.holds import Action
from infra.words import Cancellation, ChangeKind, Decision, EventType, LineCancellationStatus, MessageKind


class Decided(NamedTuple):
    """Who has decided about a hold; over HTTP it is a change."""

    name: str
    why: str
    change_id: int | None


def cancellation_asked(
    tx: Session,
    order_id: str,
    *,
    reason: CancelReason,
    by: str,
    why: str,
    cause: str | None = None,
    lines: Sequence[dict[str, Any]] | None = None,
    request_id: str | None = None,
    digest: str | None = None,
) -> Change:
    """Stored as asked; the order decides it. `lines`: which, and how many units of each; none: all that is left."""
    order = locked_order(tx, order_id)
    change = Change(
        order_id=order_id,
        request_id=request_id,
        digest=digest,
        kind=ChangeKind.CANCEL,
        reason=reason,
        cause=cause,
        lines=list(lines) if lines is not None else None,
        by=by,
        why=why,
        recorded_at=wall_clock(),
    )
    tx.add(change)
    tx.flush()
    details: dict[str, Any] = {"units": sum(line["quantity"] for line in lines)} if lines is not None else {}
    details |= {"cause": cause} if cause else {}
    note(tx, order, EventType.CANCELLATION_ASKED, wall_clock(), reason=reason, by=by, **details)
    derive(tx, order)
    nudge(tx, [order_id])
    return change


def cancellation_decided(
    tx: Session, order_id: str, change_id: int | None, *, reason: CancelReason, by: str, why: str, at: datetime
) -> set[str]:
    """Accepted while something can still be stopped; refused when all has left. Known already: nothing changes. Gives
    the fulfillments that have changed."""
    order = locked_order(tx, order_id)
    change = tx.get(Change, change_id) if change_id else None
    if change is not None:
        reason, by, why = CancelReason(change.reason or reason), change.by, change.why
        if change.lines is not None and order.cancellation not in CALLED_OFF:
            return lines_decided(tx, order, change, at)
    return whole_decided(tx, order, change, reason=reason, by=by, why=why, at=at)


def whole_decided(
    tx: Session, order: Order, change: Change | None, *, reason: CancelReason, by: str, why: str, at: datetime
) -> set[str]:
    changed: set[str] = set()
    change_id = change.change_id if change else None
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
        else:
            wish = Wish(reason, change_id, change.cause if change else None, whole=True)
            changed = cancelled(tx, order, parts_left(tx, order), wish, at)
    undecided = (Change.kind == ChangeKind.CANCEL, Change.decision.is_(None))
    for open_change in tx.scalars(select(Change).where(Change.order_id == order.order_id, *undecided)):
        open_change.decision, open_change.decided_at = Decision(decision), at
    derive(tx, order)
    return changed


def decided(tx: Session, order: Order) -> Cancellation:
    now = write_statuses(tx, order)  # what this transaction has done so far may have closed it
    going = {f.status for f in now.fulfillments} - {FulfillmentStatus.CANCELLED}
    left = going & LEFT
    if order.status in CLOSED:
        return Cancellation.REFUSED
    if left and left == going and not now.to_come:
        return Cancellation.REFUSED
    return Cancellation.PARTLY if left else Cancellation.ACCEPTED


def lines_decided(tx: Session, order: Order, change: Change, at: datetime) -> set[str]:
    """As many units of each line as are left. All that is left: the order is to end."""
    if change.decision is not None:
        return {row.fulfillment_id for row in of_change(tx, order, change) if row.fulfillment_id}
    lines, reason = change.lines or [], change.reason or CancelReason.CUSTOMER
    left = parts_left(tx, order)
    parts = [part for line in lines for part in of_line(left, line["line"], line["quantity"])]
    units = sum(part.quantity for part in parts)
    if parts and units == sum(part.quantity for part in left):
        return whole_decided(tx, order, change, reason=reason, by=change.by, why=change.why, at=at)
    changed = cancelled(tx, order, parts, Wish(reason, change.change_id, change.cause), at)
    change.decided_at, change.decision = at, Decision.REFUSED
    if not units:
        tell(tx, order, MessageKind.CANCELLATION_REFUSED, f"request {change.change_id}")
    else:
        change.decision = Decision.ACCEPTED if units == sum(line["quantity"] for line in lines) else Decision.PARTLY
        tell_decided(tx, order, of_change(tx, order, change))
    derive(tx, order)
    return changed


def cancelled_for_hold(tx: Session, order_id: str, hold: Hold, by: Decided, at: datetime) -> None:
    """What is held is not to be sent: one fulfillment; or the order, where nothing else of it is left. Or what waits,
    where that alone is given up."""
    order, about = locked_order(tx, order_id), hold.fulfillment_id
    left = parts_left(tx, order)
    if hold.kind == HoldKind.BACKORDER_OVERDUE and hold.action == Action.SKIP:
        parts = [part for part in left if part.where == Where.WAITING]
    elif about:
        parts = [part for part in left if part.fulfillment and part.fulfillment.fulfillment_id == about]
    else:
        parts = left
    if left and not parts:  # it is being stopped, or cannot be any more; or it has come
        return
    reason, change_id = CancelReason.OPERATOR, by.change_id
    if order.cancellation in CALLED_OFF or len(parts) == len(left):
        cancellation_decided(tx, order_id, change_id, reason=reason, by=by.name, why=by.why, at=at)
        return
    if change_id is None:  # decided in the web UI: on record as what is asked over HTTP is
        change = cancellation_asked(tx, order_id, reason=reason, by=by.name, why=by.why, lines=[])
        change.decision, change.decided_at = Decision.ACCEPTED, at
        change_id = change.change_id
    cancelled(tx, order, parts, Wish(reason, change_id), at)
    tx.flush()
    tell_decided(tx, order, [row for row in wishes(tx, order_id, DONE) if row.change_id == change_id])
    derive(tx, order)


def of_change(tx: Session, order: Order, change: Change) -> list[LineCancellation]:
    tx.flush()
    return [row for row in wishes(tx, order.order_id, *LineCancellationStatus) if row.change_id == change.change_id]


def cancellation_settled(tx: Session, order: Order, at: datetime) -> None:
    """Every warehouse has answered: what became of the wish to cancel, and the customer hears of it, once."""
    if order.cancellation_settled:
        return
    order.cancellation_settled = True
    fulfillments = fulfillments_of(tx, order.order_id)
    done = [row for row in wishes(tx, order.order_id, DONE) if row.whole]
    if all(f.status == FulfillmentStatus.CANCELLED for f in fulfillments):
        order.cancellation = Cancellation.ACCEPTED
        tell(tx, order, MessageKind.CANCELLED, "", **money_of(tx, order, done))
    elif done:
        order.cancellation = Cancellation.PARTLY
        tell(tx, order, MessageKind.PARTLY_CANCELLED, "", **money_of(tx, order, done))
    else:
        order.cancellation, order.cancel_reason = Cancellation.REFUSED, None
        note(tx, order, EventType.CANCELLATION_REFUSED, at)
        tell(tx, order, MessageKind.CANCELLATION_REFUSED)
