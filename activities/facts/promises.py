"""When what is on backorder was said to come: said, kept, passed, far overdue."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines, holds, inventory
from activities.facts.journal import locked_order, note, tell
from activities.models import Subject
from infra.database.tables import Backorder, Customer, Message, Order
from infra.hold_kinds import HoldKind
from infra.words import BackorderStatus, DeadlineKind, EventType, MessageKind

SHORTEST = 7
"""Days. A promise that has passed is followed by one that can be kept, not by an apology each day."""


def promised(tx: Session, order: Order) -> None:
    """The customer is told the last day of all that is waited for: the first time, and where it becomes later than was
    said."""
    tx.flush()
    latest = max(backorder.promised_on for backorder in waiting(tx, order))
    earlier = (Message.order_id == order.order_id, Message.kind.in_((MessageKind.BACKORDERED, MessageKind.DELAYED)))
    days = [data["expected"] for data in tx.scalars(select(Message.data).where(*earlier))]
    if not days:
        tell(tx, order, MessageKind.BACKORDERED, "", expected=latest.isoformat())
    elif latest.isoformat() > max(days):
        tell(tx, order, MessageKind.DELAYED, latest.isoformat(), expected=latest.isoformat())
    about, over = Subject("order", order.order_id), end_of_day(tx, order, latest)
    deadlines.move(tx, order, DeadlineKind.PROMISE_PASSES, about, over)
    if not deadlines.is_open(tx, DeadlineKind.BACKORDER_OVERDUE, about):
        be_patient(tx, order, over)


def promise_passed(tx: Session, order: Order, _: str, at: datetime) -> datetime | None:
    """What has not come by its day is promised anew, from today."""
    products = inventory.lock_all_of(tx, order.order_id)
    late = waiting(tx, order)
    if not late:
        return None
    latest = max(backorder.promised_on for backorder in late)
    if at < (over := end_of_day(tx, order, latest)):
        return over
    today = at.astimezone(zone(tx, order)).date()
    for backorder in late:
        days = max(products[backorder.sku].lead_time_days, SHORTEST)
        backorder.promised_on = today + timedelta(days=days)
    latest = max(backorder.promised_on for backorder in late)
    note(tx, order, EventType.PROMISE_PASSED, at, promised_on=latest.isoformat())
    tell(tx, order, MessageKind.DELAYED, latest.isoformat(), expected=latest.isoformat())
    return end_of_day(tx, order, latest)


def overdue(tx: Session, order: Order, _: str, at: datetime) -> None:
    if waiting(tx, order):
        about = Subject.order(order.order_id)
        holds.opened(tx, order.order_id, HoldKind.BACKORDER_OVERDUE, about, at)


def waits_on(tx: Session, order_id: str, at: datetime) -> None:
    """An operator waits on for what is overdue."""
    be_patient(tx, locked_order(tx, order_id), at)


def be_patient(tx: Session, order: Order, since: datetime) -> None:
    until = since + DECLARED[DeadlineKind.BACKORDER_OVERDUE].margin
    deadlines.move(tx, order, DeadlineKind.BACKORDER_OVERDUE, Subject("order", order.order_id), until)


def kept(tx: Session, order: Order, at: datetime) -> None:
    """Units have come, or are not wanted any more: where nothing is waited for, nothing is late."""
    tx.flush()
    if waiting(tx, order):
        return
    about = Subject("order", order.order_id)
    deadlines.close(tx, about, DeadlineKind.PROMISE_PASSES, DeadlineKind.BACKORDER_OVERDUE)
    kinds = (HoldKind.BACKORDER_OVERDUE,)
    holds.close_mended(tx, order.order_id, kinds, at, by="stock", why="nothing is waited for any more")


def waiting(tx: Session, order: Order) -> list[Backorder]:
    mine = select(Backorder).where(Backorder.order_id == order.order_id, Backorder.status == BackorderStatus.WAITING)
    return list(tx.scalars(mine.execution_options(populate_existing=True)))


def end_of_day(tx: Session, order: Order, day: date) -> datetime:
    midnight = datetime.combine(day + timedelta(days=1), time(), zone(tx, order))
    return midnight.astimezone(UTC)


def zone(tx: Session, order: Order) -> ZoneInfo:
    return ZoneInfo(tx.get_one(Customer, order.customer_id).time_zone)
