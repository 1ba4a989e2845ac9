"""What became of a message: given up before it was sent, or reported on afterwards."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from activities.facts.journal import MINE, alone, locked_order, locking, note, nudge, raise_version
from activities.facts.money import locked_customer
from activities.facts.statuses import derive
from activities.news import FINAL
from infra.clock import wall_clock
from infra.database.tables import Contact, Customer, Message, Order, Payment
from infra.words import AuthorizationStatus, Channel, ContactKind, EventType, MessageKind, MessageStatus

ADDRESS = {Channel.EMAIL: "email", Channel.SMS: "phone"}
"""Which field of a person a channel leads to."""
UNREACHABLE = {
    "unsubscribed": "opted_out",
    "21610": "opted_out",
    "invalid_number": "invalid",
    "not_a_mobile": "invalid",
    "30005": "invalid",
    "30006": "invalid",
    "invalid_address": "invalid",
    "recipient_550": "bounced",
    "recipient_551": "bounced",
    "recipient_553": "bounced",
}
"""What carriers say of an address that will not be reached later either: an unknown number, a landline, a mailbox that
is not there."""
ASKS_TO_PAY = (MessageKind.PAYMENT_PROBLEM, MessageKind.PAYMENT_ACTION, MessageKind.PAYMENT_REMINDER)


def say_until_when(tx: Session, order: Order, rows: Iterable[Message], patience: timedelta) -> None:
    """Without money by then the order is cancelled; one that was paid once is not, and has no such deadline."""
    asking = [row for row in rows if row.kind in ASKS_TO_PAY]
    until = order.placed_at + patience
    if not asking or until <= wall_clock():
        return
    good = Payment.status.in_((AuthorizationStatus.AUTHORIZED, AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED))
    if tx.scalars(select(Payment.payment_id).where(Payment.order_id == order.order_id, good).limit(1)).first():
        return
    for row in asking:
        row.data = {**row.data, "deadline": until.isoformat(timespec="seconds")}


def blocked(customer: Customer, person: Contact, channel: Channel) -> str | None:
    """Why nothing is sent there. An order's own address says nothing of the customer's, nor the other way round."""
    field = ADDRESS[channel]
    same = getattr(customer, field) == getattr(person, field)
    return customer.unreachable.get(channel) if same else None


def rerouted(
    tx: Session, order: Order, customer: Customer, person: Contact, rows: list[Message], at: datetime
) -> list[Message]:
    """Rows that can be sent: what is pending where nobody is reached has failed, and takes the other way."""
    for channel in ADDRESS:
        why = blocked(customer, person, channel)
        lost = [row for row in rows if why and row.channel == channel and row.status == MessageStatus.PENDING]
        if not lost:
            continue
        for row in lost:
            row.status, row.code, row.due_at = MessageStatus.FAILED, why, None
        note(tx, order, EventType.MESSAGE_FAILED, at, kinds=[row.kind for row in lost], channel=channel, code=why)
        rows = [row for row in rows if row not in lost] + by_other_channel(tx, order, customer, person, lost)
    return rows


def refused(tx: Session, order: Order, rows: Sequence[Message], code: str | None) -> bool:
    """A channel that leads nowhere is remembered with the customer, who is told by the other one: whether there is
    more to tell."""
    why = UNREACHABLE.get(code or "")
    if not rows or why is None:
        return False
    person = tx.scalars(
        select(Contact).where(Contact.order_id == order.order_id, Contact.kind == ContactKind.CUSTOMER)
    ).one()
    customer = locked_customer(tx, order.buyer)
    channel = rows[0].channel
    if getattr(customer, ADDRESS[channel]) == getattr(person, ADDRESS[channel]):
        customer.unreachable = {**customer.unreachable, channel: why}
    return bool(by_other_channel(tx, order, customer, person, rows))


def by_other_channel(
    tx: Session, order: Order, customer: Customer, person: Contact, lost: Sequence[Message]
) -> list[Message]:
    """What did not reach the customer, where the order knows another way to them."""
    if not lost:
        return []
    other = next(channel for channel in ADDRESS if channel != lost[0].channel)
    if not getattr(person, ADDRESS[other]) or blocked(customer, person, other):
        return []
    written = select(Message.kind, Message.subject).where(Message.order_id == order.order_id, Message.channel == other)
    known = {(kind, subject) for kind, subject in tx.execute(written)}
    again = [
        Message(
            order_id=order.order_id,
            kind=row.kind,
            subject=row.subject,
            channel=other,
            data=row.data,
            status=MessageStatus.PENDING,
            recorded_at=wall_clock(),
        )
        for row in lost
        if (row.kind, row.subject) not in known
    ]
    tx.add_all(again)
    tx.flush()
    return again


def given_up(tx: Session, order_id: str, at: datetime) -> None:
    """An operator decides that what could not be sent is not sent any more."""
    order = locked_order(tx, order_id)
    rows = tx.scalars(
        select(Message).where(
            Message.order_id == order_id,
            Message.status.in_((MessageStatus.PENDING, MessageStatus.CLAIMED)),
            Message.due_at.is_(None),
        )
    ).all()
    for row in rows:
        row.status, row.code = MessageStatus.FAILED, "given_up"
    if rows:
        note(tx, order, EventType.MESSAGES_GIVEN_UP, at, kinds=sorted({row.kind for row in rows}))
        derive(tx, order)


BY_MESSAGE = alone(select(Order).join(Message).where(Message.reference == MINE))
REPORTED = (
    update(Message)
    .where(Message.reference == MINE, Message.status.not_in(FINAL))
    .values(status=bindparam("word"), code=bindparam("why"))
    .returning(Message)
    .execution_options(synchronize_session=False, populate_existing=True)
)


def reported(tx: Session, reference: str, status: str, code: str | None) -> bool | None:
    """The carrier of the message says how it went. The last word stays, whatever comes after it. None: no message of
    ours is known by that reference."""
    order = locking(tx, BY_MESSAGE, reference)
    if order is None:
        return None
    rows = tx.scalars(REPORTED, {"mine": reference, "word": MessageStatus(status), "why": code}).all()
    if rows:
        raise_version(tx, order)
    if refused(tx, order, rows, code):
        nudge(tx, [order.order_id], "message")
    return bool(rows)
