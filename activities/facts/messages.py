"""What became of a message: given up before it was sent, or reported on afterwards."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.journal import locked_order, note
from activities.facts.statuses import derive
from infra.clock import wall_clock
from infra.database.tables import Message, Order, Payment
from infra.words import MessageStatus

FINAL = (MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED, MessageStatus.READ)
ASKS_TO_PAY = ("payment_problem", "payment_action")


def say_until_when(tx: Session, order: Order, rows: Iterable[Message], patience: timedelta) -> None:
    """Without money by then the order is cancelled; one that was paid once is not, and has no such deadline."""
    asking = [row for row in rows if row.kind in ASKS_TO_PAY]
    until = order.placed_at + patience
    if not asking or until <= wall_clock():
        return
    good = Payment.status.in_(("authorized", "captured", "ended"))
    if tx.scalars(select(Payment.payment_id).where(Payment.order_id == order.order_id, good).limit(1)).first():
        return
    for row in asking:
        row.data = {**row.data, "deadline": until.isoformat(timespec="seconds")}


def given_up(tx: Session, order_id: str, at: datetime) -> None:
    """An operator decides that what could not be sent is not sent any more."""
    order = locked_order(tx, order_id)
    rows = tx.scalars(
        select(Message).where(Message.order_id == order_id, Message.status.in_(("pending", "claimed")))
    ).all()
    for row in rows:
        row.status, row.code = MessageStatus.FAILED, "given_up"
    if rows:
        note(tx, order, "messages_given_up", at, kinds=sorted({row.kind for row in rows}))
        derive(tx, order)


def reported(tx: Session, reference: str, status: str, code: str | None) -> bool:
    """The carrier of the message says how it went. The last word stays, whatever comes after it."""
    order_id = tx.scalars(select(Message.order_id).where(Message.reference == reference).limit(1)).first()
    if order_id is None or status not in FINAL:
        return False
    order = locked_order(tx, order_id)
    rows = tx.scalars(
        select(Message)
        .where(Message.reference == reference, Message.status.not_in(FINAL))
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.status, row.code = MessageStatus(status), code
    if rows:
        order.version += 1
    return bool(rows)
