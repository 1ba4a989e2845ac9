"""What is due: each fact is looked at again, and the row is closed or moves on. What needs a provider is written as
asked; the usual step carries it out."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines, gathering, pickup_choices, promises, reminders, renewal, stores, waiting_pickups
from activities.facts.journal import locked_order
from activities.facts.statuses import derive
from activities.models import CLOSED, OrderStatus
from infra.clock import wall_clock
from infra.database.tables import Deadline, Hold, Order
from infra.hold_kinds import HoldKind
from infra.words import DeadlineKind

LOOK_AGAIN = timedelta(hours=1)
"""What may not act now."""

Act = Callable[[Session, Order, str, datetime], datetime | None]
"""Given what it is about; answers when to look again, or that it is over."""

ACTS: dict[DeadlineKind, Act] = {
    DeadlineKind.AUTHORIZATION_ENDS: renewal.renewal_due,
    DeadlineKind.PROMISE_PASSES: promises.promise_passed,
    DeadlineKind.DELIVERY_DUE: promises.delivery_due,
    DeadlineKind.BACKORDER_OVERDUE: promises.overdue,
    DeadlineKind.HOLD_FORGOTTEN: reminders.hold_forgotten,
    DeadlineKind.PAYMENT_REMINDER: reminders.payment_unfinished,
    DeadlineKind.PARCELS_TOLD: gathering.parcels_due,
    DeadlineKind.DISPUTE_DUE: reminders.dispute_due,
    DeadlineKind.PICKUP_REMINDER: waiting_pickups.reminder_due,
    DeadlineKind.PICKUP_EXPIRY: waiting_pickups.expired,
    DeadlineKind.PICKUP_CHOICE: pickup_choices.not_chosen,
    DeadlineKind.STORE_REMINDER: stores.unaccepted,
}


def passed(tx: Session, order_id: str, at: datetime) -> set[str]:
    """Gives the fulfillments that something was due of."""
    order = locked_order(tx, order_id)
    due = select(Deadline).where(Deadline.order_id == order_id, Deadline.done_at.is_(None), Deadline.at <= at)
    about = set()
    for row in tx.scalars(due.order_by(Deadline.at, Deadline.deadline_id)).all():
        about |= {row.subject_id} if row.subject_kind == "fulfillment" else set()
        later = acted(tx, order, row, at)
        if later:
            row.at = deadlines.whole_seconds(later)
        else:
            row.done_at = wall_clock()
    derive(tx, order)
    return about


def acted(tx: Session, order: Order, row: Deadline, at: datetime) -> datetime | None:
    kind = DeadlineKind(row.kind)
    declared = DECLARED[kind]
    if order.status in CLOSED and not declared.after_the_end:
        return None
    if order.status == OrderStatus.CANCELLING and not declared.while_cancelling:
        return None
    if not declared.while_held and stopped(tx, order):
        return at + LOOK_AGAIN
    return ACTS[kind](tx, order, row.subject_id, at)


def stopped(tx: Session, order: Order) -> bool:
    mine = (Hold.order_id == order.order_id, Hold.kind == HoldKind.STOPPED, Hold.closed_at.is_(None))
    return tx.scalars(select(Hold.hold_id).where(*mine)).first() is not None
