"""For which day an order was promised, and when what is on backorder was said to come: said, kept, passed, far
overdue."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines, holds, inventory
from activities.facts.journal import locked_order, note, tell
from activities.facts.sums import sums
from activities.intake.delivery_times import DeliveryTimes
from activities.intake.order import AskedOrder
from activities.models import ENDED, FulfillmentStatus, Subject
from infra.database.tables import Backorder, Customer, Message, Order
from infra.hold_kinds import HoldKind
from infra.words import BackorderStatus, DeadlineKind, EventType, MessageKind, OrderFulfillment

ARRIVED = (OrderFulfillment.DELIVERED, OrderFulfillment.RETURNED)
SHORTEST = 7
"""Days. A promise that has passed is followed by one that can be kept, not by an apology each day."""


def day_promised(asked: AskedOrder, times: DeliveryTimes, at: datetime, time_zone: str) -> date:
    """By the end of which all is to be there: given, or once it is handled and carried."""
    if asked.handed_over and asked.sold_at:
        return asked.sold_at.date()
    carried = (times.days(asked.shipping.service, country) for country in asked.destination_countries())
    takes = max(carried, default=times.handling)
    return asked.promised_on or at.astimezone(ZoneInfo(time_zone)).date() + timedelta(days=takes)


def confirmed(tx: Session, order: Order, customer: Customer, *, first: bool) -> None:
    """Paid for, or nothing to pay: the promise counts. `first`: no payment was tried before."""
    about, over = Subject.order(order.order_id), day_ends(order.promised_on, ZoneInfo(customer.time_zone))
    (deadlines.begin if first else deadlines.move)(tx, order, DeadlineKind.DELIVERY_DUE, about, over)
    tell(tx, order, MessageKind.CONFIRMED, total=order.total, expected=order.promised_on.isoformat())


def carrier_needs(tx: Session, order: Order, days: int | None, at: datetime) -> None:
    """A rate may move the promise later, never earlier."""
    if days is None or (at + timedelta(days=days, hours=14)).date() <= order.promised_on:  # wherever the customer lives
        return
    day = at.astimezone(zone(tx, order)).date() + timedelta(days=days)
    if day > order.promised_on:
        move(tx, order, day)
        note(tx, order, EventType.PROMISE_MOVED, at, promised_on=day.isoformat())
        tell(tx, order, MessageKind.DELAYED, day.isoformat(), expected=day.isoformat())


def move(tx: Session, order: Order, day: date) -> None:
    order.promised_on = day
    about = Subject.order(order.order_id)
    deadlines.move(tx, order, DeadlineKind.DELIVERY_DUE, about, end_of_day(tx, order, day))


def delivery_due(tx: Session, order: Order, _: str, at: datetime) -> datetime | None:
    """What is not there by its day is promised anew, from today. Of what waits for stock the customer hears with its
    own days."""
    if order.fulfillment_status in ARRIVED or all_wait(tx, order):
        return None
    if at < (over := end_of_day(tx, order, order.promised_on)):
        return over
    today = at.astimezone(zone(tx, order)).date()
    if late := waiting(tx, order):
        stock_comes = max(backorder.promised_on for backorder in late)
        order.promised_on = max(today, stock_comes) + timedelta(days=takes(order))
    else:
        order.promised_on = today + timedelta(days=max(takes(order), SHORTEST))
        day = order.promised_on.isoformat()
        note(tx, order, EventType.PROMISE_PASSED, at, promised_on=day)
        tell(tx, order, MessageKind.DELAYED, day, expected=day)
    return end_of_day(tx, order, order.promised_on)


def all_wait(tx: Session, order: Order) -> bool:
    """For the customer, at the store: it is there."""
    now = sums(tx, order)
    there = (FulfillmentStatus.READY_FOR_PICKUP, *ENDED)
    ready = any(f.status == FulfillmentStatus.READY_FOR_PICKUP for f in now.fulfillments)
    return ready and not now.to_come and all(f.status in there for f in now.fulfillments)


def takes(order: Order) -> int:
    """Days, as they were promised when it was placed."""
    return max((order.first_promised_on - order.placed_at.date()).days, 1)


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
    follow(tx, order, latest)


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
    follow(tx, order, latest)
    return end_of_day(tx, order, latest)


def follow(tx: Session, order: Order, stock_comes: date) -> None:
    """The whole order is promised for no earlier than its last units can be there."""
    day = stock_comes + timedelta(days=takes(order))
    if day > order.promised_on:
        move(tx, order, day)


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
    return day_ends(day, zone(tx, order))


def day_ends(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def zone(tx: Session, order: Order) -> ZoneInfo:
    customer = tx.get(Customer, order.customer_id) if order.customer_id else None
    return ZoneInfo(customer.time_zone if customer else "UTC")
