"""Parcels of one order that move within an hour are told in one message: the first at once, the others when the hour is
over, or with whatever else is told before that."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from activities.facts import deadlines
from activities.facts.journal import MOVES
from activities.facts.statuses import derive
from activities.models import Subject
from infra.database.tables import Message, Order
from infra.words import Channel, DeadlineKind, MessageKind, MessageStatus


def gathered(
    tx: Session, order: Order, unsent: list[Message], sent: Iterable[Message], at: datetime, within: timedelta
) -> list[Message]:
    """Of what is not sent yet, that which goes out now. `sent`: lately."""
    pending = [row for row in unsent if row.status == MessageStatus.PENDING]
    waited = any(row.due_at for row in pending)
    last = last_moves(sent)
    for channel in Channel:
        mine = [row for row in pending if row.channel == channel]
        until = [last[moved] + within if (moved := move(row)) in last else at for row in mine]
        going = any(due <= at for due in until)  # the others go with it
        for row, due in zip(mine, until, strict=True):
            row.due_at = None if going else due
    about = Subject("order", order.order_id)
    if waiting := [row.due_at for row in pending if row.due_at]:
        deadlines.move(tx, order, DeadlineKind.PARCELS_TOLD, about, min(waiting))
        derive(tx, order)
    elif waited:
        deadlines.close(tx, about, DeadlineKind.PARCELS_TOLD)
    return [row for row in unsent if row.due_at is None]


def last_moves(sent: Iterable[Message]) -> dict[tuple[tuple[MessageKind, ...], Channel], datetime]:
    """When parcels were last told to do the same."""
    last: dict[tuple[tuple[MessageKind, ...], Channel], datetime] = {}
    for row in sent:
        if row.kind in MOVES and row.sent_at:
            last[move(row)] = max(row.sent_at, last.get(move(row), row.sent_at))
    return last


def move(row: Message) -> tuple[tuple[MessageKind, ...], Channel]:
    return MOVES.get(row.kind, (row.kind,)), row.channel


def parcels_due(tx: Session, order: Order, _: str, at: datetime) -> datetime | None:
    """The hour is over: what has gathered is to be told."""
    waiting = (Message.order_id == order.order_id, Message.due_at.is_not(None))
    tx.execute(update(Message).where(*waiting, Message.due_at <= at).values(due_at=None))
    return tx.scalars(select(func.min(Message.due_at)).where(*waiting)).one()
