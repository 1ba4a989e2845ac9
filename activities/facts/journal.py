"""What every fact leaves behind: events, what the customer is to hear, and a nudge."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from activities.models import Subject
from infra.clock import wall_clock
from infra.database.inserting import new_rows
from infra.database.tables import Contact, Effect, Fulfillment, Location, Message, Order, Parcel, Relay
from infra.words import EventType, MessageKind, MessageStatus

HANDED_OVER = (MessageKind.PARTLY_SHIPPED, MessageKind.SHIPPED)
MOVES = {
    **dict.fromkeys(HANDED_OVER, HANDED_OVER),
    MessageKind.OUT_FOR_DELIVERY: (MessageKind.OUT_FOR_DELIVERY,),
    MessageKind.DELIVERED: (MessageKind.DELIVERED,),
}
"""What is told of parcels, and the kinds that tell of the same move."""


class Trimmed(Exception):
    """What was done for the order is not on record any more, so nothing may be done for it."""

    def __init__(self, order_id: str, at: datetime) -> None:
        super().__init__(f"order {order_id} was trimmed on {at:%Y-%m-%d}: it is over for good, and not entered again")


MINE = bindparam("mine", type_=Order.order_id.type)
"""In statements that are built once, since every step needs them."""


def alone(order: Select[Order]) -> Select[Order]:
    """Locks the order. It may join what it is found by, and must read nothing else of it: who waits for the lock gets
    the order as it is afterwards, and all else as it was before."""
    # NO KEY UPDATE: a restock that holds product locks may still write rows that refer to this order
    return order.with_for_update(of=Order, key_share=True).execution_options(populate_existing=True)


BY_ITSELF = alone(select(Order).where(Order.order_id == MINE))


class LockedFulfillment(NamedTuple):
    """Read under the order's lock: nobody else has changed it since."""

    fulfillment: Fulfillment
    location: Location
    contact: Contact
    parcels: list[Parcel]
    """By their numbers."""


@dataclass
class Unwritten:
    """What a transaction has locked an order for, and has yet to write of it: see `statuses.conclude`."""

    order: Order
    events: list[dict[str, Any]] = field(default_factory=list)
    raised: bool = False
    """The version is to be."""
    to_derive: bool = False
    """The statuses are."""
    fulfillments: dict[str, LockedFulfillment] = field(default_factory=dict)
    """By id."""
    may_be_held: bool = True
    """False: under the lock it was seen that nothing is."""
    may_be_calling: bool = True
    """The same of effects whose outcome is out."""
    by: str = ""
    """Who has said what happened, where a person does: stands in each event."""


def unwritten(tx: Session) -> dict[str, Unwritten]:
    """By order, of the transaction that is running: one that was rolled back leaves nothing behind."""
    running = tx.get_transaction()
    known = tx.info.get(Unwritten)
    if known is None or known[0] is not running:
        known = tx.info[Unwritten] = (running, {})
    orders: dict[str, Unwritten] = known[1]
    return orders


def locked_order(tx: Session, order_id: str) -> Order:
    """The order, locked until the transaction ends: facts of one order happen one after another."""
    if mine := unwritten(tx).get(order_id):
        tx.flush()  # as the statement would
        return mine.order
    order = locking(tx, BY_ITSELF, order_id)
    if order is None:
        raise NoResultFound
    return order


def locking(tx: Session, order: Select[Order], mine: str) -> Order | None:
    """`order` is one of `alone`, with what `MINE` is to be. Raises `Trimmed`."""
    if found := tx.scalars(order, {"mine": mine}).first():
        if found.trimmed_at is not None:
            raise Trimmed(found.order_id, found.trimmed_at)
        unwritten(tx).setdefault(found.order_id, Unwritten(found))
    return found


def locked_fulfillments(tx: Session, order_id: str) -> list[LockedFulfillment]:
    mine = unwritten(tx).get(order_id)
    return sorted(mine.fulfillments.values(), key=lambda known: known.fulfillment.n) if mine else []


def fulfillments_of(tx: Session, order_id: str) -> list[Fulfillment]:
    return list(tx.scalars(select(Fulfillment).where(Fulfillment.order_id == order_id).order_by(Fulfillment.n)))


def note(
    tx: Session, order: Order, event: EventType, at: datetime, *, fulfillment_id: str | None = None, **data: Any
) -> None:
    """One event: words, ids and amounts; never a name or an address. Written when the transaction ends. Instants from
    outside are whole seconds, and their clocks may be behind: nothing of an order was before it was placed."""
    about = Subject.fulfillment(fulfillment_id) if fulfillment_id else Subject.order(order.order_id)
    mine = raise_version(tx, order)
    mine.events.append(
        {
            "type": event,
            "subject_kind": about.kind,
            "subject_id": about.id,
            "data": {"by": mine.by, **data} if mine.by else data,
            "occurred_at": max(at, order.placed_at),
            "recorded_at": wall_clock(),
        }
    )


def raise_version(tx: Session, order: Order) -> Unwritten:
    """Whoever holds the order's version is to know that it is stale."""
    mine = unwritten(tx).setdefault(order.order_id, Unwritten(order))
    mine.raised = True
    return mine


def tell(tx: Session, order: Order, kind: MessageKind, subject: str = "", **data: Any) -> None:
    """Lets the customer hear of it, once per kind and subject, by each channel they chose; with what waits for others
    of its kind, where something does."""
    rows = [
        {
            "order_id": order.order_id,
            "mine": order.order_id,
            "kind": kind,
            "subject": subject,
            "channel": channel,
            "by": channel,
            "data": data,
            "status": MessageStatus.PENDING,
            "recorded_at": wall_clock(),
        }
        for channel in order.notify
    ]
    if rows:
        tx.execute(message_rows(tx.get_bind().dialect.name, MOVES.get(kind, (kind,))), rows)


@cache
def message_rows(dialect: str, kinds: tuple[MessageKind, ...]) -> Any:
    alike = (Message.order_id == MINE, or_(*(Message.kind == each for each in kinds)))
    waits = select(func.max(Message.due_at)).where(*alike, Message.channel == bindparam("by")).scalar_subquery()
    return new_rows(dialect, Message).values(due_at=waits)


def outcome_known(tx: Session, order_id: str, step: str, outcome: str = "done") -> bool:
    """What became of a call is told by other means than its answer: nothing is left to look up. Whether it was out."""
    if not may_be_calling(tx, order_id):
        return False
    out = update(Effect).where(Effect.order_id == order_id, Effect.step == step, Effect.finished_at.is_(None))
    closed = tx.scalars(out.values(outcome=outcome, finished_at=wall_clock()).returning(Effect.effect_id))
    return closed.first() is not None


def may_be_calling(tx: Session, order_id: str) -> bool:
    """Effects of an order are begun under its lock: where there were none, there are none."""
    mine = unwritten(tx).get(order_id)
    return mine is None or mine.may_be_calling


READ = (
    update(Relay)
    .where(
        Relay.subject_kind == bindparam("of_kind"),
        Relay.subject_id == bindparam("of_id"),
        Relay.done_at.is_(None),
    )
    .values(done_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)
READ_ALL = READ.where((Relay.kind != "deadline") | (Relay.attempts > 0))
READ_KINDS = READ.where(Relay.kind.in_(bindparam("kinds", expanding=True)))


def mark_read(tx: Session, subject: Subject, *kinds: str) -> None:
    """Its workflow has read why it was nudged: the relay may forget it. Of the named kinds, or of every one
    but deadlines that are still to come."""
    about = {"of_kind": subject.kind, "of_id": subject.id, "now": wall_clock()}
    tx.execute(*((READ_KINDS, about | {"kinds": kinds}) if kinds else (READ_ALL, about)))


def unread(kind: str) -> ColumnElement[bool]:
    """Whether there is something of the order to mark: asked with what is read anyway, it costs no statement."""
    mine = (Relay.subject_kind == "order", Relay.subject_id == MINE, Relay.kind == kind)
    return exists().where(*mine, Relay.done_at.is_(None))


def nudge(tx: Session, order_ids: Iterable[str | None], kind: str = "news") -> None:
    """Makes sure that each order looks at its tables soon, even if every process dies now. (Money may be of none.)"""
    nudge_about(tx, (Subject("order", order_id) for order_id in order_ids if order_id is not None), kind)


NUDGES = insert(Relay.__table__)  # type: ignore[arg-type]


def nudge_about(tx: Session, subjects: Iterable[Subject], kind: str = "news", *, at: datetime | None = None) -> None:
    """The same for whatever has a workflow of its own; `start`: makes sure that it has begun. Soon, or `at` a time."""
    now = wall_clock()
    due = {"kind": kind, "attempts": 0, "due_at": at or now, "recorded_at": now}
    rows = [{"subject_kind": subject.kind, "subject_id": subject.id, **due} for subject in subjects]
    if rows:
        tx.execute(NUDGES, rows)
