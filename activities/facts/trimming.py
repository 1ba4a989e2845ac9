"""What has served its time goes: rows of the relay, news, claims, and of orders that ended long ago the effects and
events. What was paid, sent and reserved stays for good. In short transactions: nobody waits for it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, tuple_, update
from sqlalchemy.orm import Session, sessionmaker

from activities.facts.journal import alone
from activities.models import CLOSED, RefundStatus
from infra.clock import wall_clock
from infra.database.tables import (
    Change,
    Claim,
    Deadline,
    Dispute,
    Effect,
    Event,
    Hold,
    Message,
    News,
    Order,
    Payment,
    Refund,
    Relay,
    Reservation,
)
from infra.words import DisputeStatus, MessageStatus

RELAY_KEPT = timedelta(days=7)
"""After its workflow has read it."""
NEWS_KEPT = timedelta(days=90)
"""After it came, unless it is still open."""
CLAIMS_KEPT = timedelta(days=1)
"""After their time, for whoever asks again under the same id."""
BATCH = 1000
UNSENT = (MessageStatus.PENDING, MessageStatus.CLAIMED)
ORDERS = 40
"""Of which the effects and events are about a batch."""

TABLES = ("relay", "news", "claims", "orders", "effects", "events")
Removed = dict[str, int]
"""Rows, by table; of `orders` those that are marked."""


def trimmed(
    sessions: sessionmaker[Session], now: datetime, retention: timedelta, *, dry_run: bool
) -> Iterator[Removed]:
    """After each batch: what went with it, or would go."""
    yield from relay_trimmed(sessions, now - RELAY_KEPT, dry_run=dry_run)
    yield from news_trimmed(sessions, now - NEWS_KEPT, dry_run=dry_run)
    yield from claims_trimmed(sessions, now - CLAIMS_KEPT, dry_run=dry_run)
    yield from orders_trimmed(sessions, now - retention, dry_run=dry_run)


def relay_trimmed(sessions: sessionmaker[Session], before: datetime, *, dry_run: bool) -> Iterator[Removed]:
    """The oldest first, which have the lowest numbers: no index is needed."""
    last, more = 0, True
    while more:
        with sessions.begin() as tx:
            found = select(Relay.relay_id, Relay.recorded_at).where(Relay.relay_id > last)
            rows = tx.execute(found.order_by(Relay.relay_id).limit(BATCH)).all()
            if not rows:
                return
            these = (Relay.relay_id > last, Relay.relay_id <= rows[-1].relay_id, Relay.done_at < before)
            number = tx.scalar(select(func.count()).select_from(Relay).where(*these)) if dry_run else None
            yield {"relay": tx.connection().execute(delete(Relay).where(*these)).rowcount if number is None else number}
        last, more = rows[-1].relay_id, len(rows) == BATCH and rows[-1].recorded_at < before


def news_trimmed(sessions: sessionmaker[Session], before: datetime, *, dry_run: bool) -> Iterator[Removed]:
    settled = (News.open_since.is_(None), News.recorded_at < before)
    if dry_run:
        with sessions() as tx:
            yield {"news": tx.scalar(select(func.count()).select_from(News).where(*settled)) or 0}
        return
    key = tuple_(News.sender, News.news_id, News.n)
    oldest = select(News.sender, News.news_id, News.n).where(*settled).order_by(News.recorded_at).limit(BATCH)
    number = BATCH
    while number == BATCH:
        with sessions.begin() as tx:
            number = tx.connection().execute(delete(News).where(key.in_(oldest))).rowcount
        yield {"news": number}


def claims_trimmed(sessions: sessionmaker[Session], before: datetime, *, dry_run: bool) -> Iterator[Removed]:
    """Those that hold nothing any more."""
    settled = (Claim.expires_at < before, ~exists().where(Reservation.claim_id == Claim.claim_id))
    if dry_run:
        with sessions() as tx:
            yield {"claims": tx.scalar(select(func.count()).select_from(Claim).where(*settled)) or 0}
        return
    oldest = select(Claim.claim_id).where(*settled).order_by(Claim.expires_at).limit(BATCH)
    number = BATCH
    while number == BATCH:
        with sessions.begin() as tx:
            number = tx.connection().execute(delete(Claim).where(Claim.claim_id.in_(oldest))).rowcount
        yield {"claims": number}


def orders_trimmed(sessions: sessionmaker[Session], before: datetime, *, dry_run: bool) -> Iterator[Removed]:
    """Found by their events, the oldest first: a trimmed order has none left."""
    last = 0
    while True:
        with sessions() as tx:
            found = select(Event.event_no, Event.order_id, Event.recorded_at).where(Event.event_no > last)
            rows = tx.execute(found.order_by(Event.event_no).limit(BATCH)).all()
            old = {row.order_id for row in rows if row.order_id and row.recorded_at < before}
            begun = select(Event.order_id).where(Event.order_id.in_(old)).group_by(Event.order_id)
            here = tx.scalars(begun.having(func.min(Event.event_no) > last).order_by(Event.order_id))
            new = [str(order_id) for order_id in here]
        for begin in range(0, len(new), ORDERS):  # each once, though its events are in several batches
            yield from some_trimmed(sessions, new[begin : begin + ORDERS], before, dry_run=dry_run)
        if not old or len(rows) < BATCH:
            return
        last = rows[-1].event_no


def some_trimmed(
    sessions: sessionmaker[Session], order_ids: Sequence[str], before: datetime, *, dry_run: bool
) -> Iterator[Removed]:
    with sessions.begin() as tx:
        # under their locks: what is asked of one meanwhile finds it marked, or keeps it from being
        mine = select(Order).where(Order.order_id.in_(order_ids), Order.placed_at < before, Order.status.in_(CLOSED))
        locked = tx.scalars(alone(mine).with_for_update(of=Order, key_share=True, skip_locked=True)).all()
        begun = [order.order_id for order in locked if order.trimmed_at is not None]
        others = [order.order_id for order in locked if order.trimmed_at is None]
        lately = exists().where(Event.order_id == Order.order_id, Event.recorded_at >= before)
        new = tx.scalars(select(Order.order_id).where(Order.order_id.in_(others), *OVER, ~lately)).all()
        if new and not dry_run:
            marked = {"trimmed_at": wall_clock(), "version": Order.version + 1}
            tx.execute(update(Order).where(Order.order_id.in_(new)).values(marked))
    yield {"orders": len(new)}
    for table, key in ((Effect, Effect.effect_id), (Event, Event.event_no)):  # by its events it is found again
        of_them = table.order_id.in_([*begun, *new])
        if dry_run:
            with sessions() as tx:
                yield {table.__tablename__: tx.scalar(select(func.count()).select_from(table).where(of_them)) or 0}
            continue
        number = BATCH
        while number == BATCH:
            with sessions.begin() as tx:
                number = (
                    tx.connection()
                    .execute(delete(table).where(key.in_(select(key).where(of_them).limit(BATCH))))
                    .rowcount
                )
            yield {table.__tablename__: number}


OVER = (
    ~exists().where(Effect.order_id == Order.order_id, Effect.finished_at.is_(None)),
    ~exists().where(Hold.order_id == Order.order_id, Hold.closed_at.is_(None)),
    ~exists().where(Deadline.order_id == Order.order_id, Deadline.done_at.is_(None)),
    ~exists().where(Change.order_id == Order.order_id, Change.decided_at.is_(None)),
    ~exists().where(Refund.order_id == Order.order_id, Refund.status.in_([RefundStatus.ASKED, RefundStatus.PENDING])),
    ~exists().where(
        Dispute.payment_id == Payment.payment_id,
        Payment.order_id == Order.order_id,
        Dispute.status.in_([DisputeStatus.INQUIRY, DisputeStatus.OPEN]),
    ),
    ~exists().where(Message.order_id == Order.order_id, Message.status.in_(UNSENT)),
    ~exists().where(Relay.subject_kind == "order", Relay.subject_id == Order.order_id, Relay.done_at.is_(None)),
)
"""Nothing of it is open any more."""
