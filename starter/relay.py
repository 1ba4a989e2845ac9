"""Makes sure that every workflow hears of what its tables hold: rows stay due until it has read them.

Runs in every API process. A row is leased by moving its `due_at`; only the workflow's own `load` sets `done_at`, so
what nobody acted on is sent again, later and later.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import bindparam, case, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.sql.dml import ReturningUpdate
from temporalio.service import RPCError

from activities.models import Subject
from infra.clock import wall_clock
from infra.database.tables import Relay
from infra.database.types import UTCDateTime
from starter.engine import EngineDown, Workflows
from starter.kinds import KINDS, Kind, Start

BATCH = 200
AT_ONCE = 50
EVERY = 2.0
"""Seconds between looks at what other processes left behind."""
WAITS = tuple(timedelta(seconds=s) for s in (5, 10, 20, 40, 80, 160, 300))
"""How long a workflow has to read a row before it is told again."""

log = structlog.get_logger(__name__)


class Due(NamedTuple):
    """One subject of a batch: how its workflow is started, the rows about it, and the one signal that says it all
    (none: only start it)."""

    subject: Subject
    start: Start
    relay_ids: list[int]
    signal: str | None


class Row(NamedTuple):
    relay_id: int
    subject: Subject
    word: str


class RelayWorker:
    """Works off what is due. `wake` may be called from any thread, after a commit."""

    def __init__(
        self, sessions: sessionmaker[Session], workflows: Workflows, kinds: Mapping[str, Kind] = KINDS
    ) -> None:
        self.sessions = sessions
        self.workflows = workflows
        self.kinds = kinds
        self.sent = 0
        """Signals and starts that the engine took."""
        self.down = False
        """Said once, when it begins and when it ends."""
        self.stopping = False
        self.woken = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.woken.set)

    def stop(self) -> None:
        """Ends `run` after the batch under way."""
        self.stopping = True
        self.woken.set()

    async def run(self) -> None:
        self.loop = asyncio.get_running_loop()
        while not self.stopping:
            self.woken.clear()
            try:
                while not self.stopping and await self.work():
                    pass
            except SQLAlchemyError as trouble:
                log.error("relay cannot read the database", error=type(trouble).__name__)
            except Exception:  # without the relay the API would go on accepting what nobody hears of
                log.exception("relay stumbles")
            if not self.stopping:
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self.woken.wait()

    async def work(self) -> bool:
        """One batch. True when there may be more."""
        if self.down and not await self.workflows.reachable():
            return False
        batch = await asyncio.to_thread(self.lease)
        was_down, self.down = self.down, False
        gate = asyncio.Semaphore(AT_ONCE)
        outcomes = await asyncio.gather(*(self.tell(due, gate) for due in batch))
        missed = [due for due, reached in zip(batch, outcomes, strict=True) if not reached]
        if missed:
            await asyncio.to_thread(self.give_back, missed)
        if self.down != was_down:
            log.warning("engine is down: what is due waits for it" if self.down else "engine is back")
        return bool(batch) and not missed

    async def tell(self, due: Due, gate: asyncio.Semaphore) -> bool:
        """False: the engine is down. Whatever else goes wrong concerns this one alone, which comes up again later."""
        async with gate:
            if self.down:
                return False
            try:
                await self.workflows.send(self.kinds[due.subject.kind], due.subject.id, due.start, due.signal)
            except EngineDown:
                self.down = True
                return False
            except RPCError as refusal:
                log.error("engine refuses a start", **due.subject._asdict(), status=str(refusal.status))
                return True
            except Exception:
                log.exception("a workflow cannot be told", **due.subject._asdict())
                return True
            self.sent += 1
            return True

    def lease(self) -> list[Due]:
        with self.sessions.begin() as tx:
            rows = leased(tx, wall_clock())
            return grouped(tx, rows, self.kinds) if rows else []

    def give_back(self, missed: Iterable[Due]) -> None:
        """Not their fault: due again as soon as the engine is back."""
        with self.sessions.begin() as tx:
            tx.execute(
                update(Relay)
                .where(Relay.relay_id.in_([row for due in missed for row in due.relay_ids]), Relay.done_at.is_(None))
                .values(due_at=wall_clock(), attempts=Relay.attempts - 1)
            )


def lease_of_all_due() -> ReturningUpdate[int, str, str, str]:
    due = (Relay.done_at.is_(None), Relay.due_at <= bindparam("now", type_=UTCDateTime()))
    oldest = select(Relay.relay_id).where(*due).order_by(Relay.due_at, Relay.relay_id).limit(BATCH)
    # a table of its own: PostgreSQL may run a subquery once per row, and each run would lock as many again
    batch = oldest.with_for_update(skip_locked=True).cte("batch")
    after = [bindparam(f"after_{n}", type_=UTCDateTime()) for n in range(len(WAITS))]
    later = case(dict(enumerate(after)), value=Relay.attempts, else_=after[-1])
    return (
        update(Relay)
        .where(Relay.relay_id.in_(select(batch.c.relay_id)), *due)
        .values(attempts=Relay.attempts + 1, due_at=later)
        .returning(Relay.relay_id, Relay.subject_kind, Relay.subject_id, Relay.kind)
        .execution_options(synchronize_session=False)
    )


LEASE = lease_of_all_due()
"""Put together once: that takes longer than asking, and an order is looked for a dozen times."""


def leased(tx: Session, now: datetime) -> Sequence[Row]:
    """Rows that are ours until their new `due_at`. Two processes never lease the same row, and none waits for a row
    that an order is just reading: it holds the others that it has, in another order perhaps."""
    rows = tx.execute(LEASE, {"now": now} | {f"after_{n}": now + wait for n, wait in enumerate(WAITS)})
    return [Row(relay_id, Subject(kind, subject_id), word) for relay_id, kind, subject_id, word in rows]


def grouped(tx: Session, rows: Sequence[Row], kinds: Mapping[str, Kind] = KINDS) -> list[Due]:
    """One entry per subject, with the most urgent of its signals; the oldest row first."""
    by_subject: dict[Subject, list[Row]] = {}
    for row in sorted(rows):
        by_subject.setdefault(row.subject, []).append(row)
    starts: dict[str, Mapping[str, Start]] = {}
    for name, kind in kinds.items():
        if ids := [subject.id for subject in by_subject if subject.kind == name]:
            starts[name] = kind.read(tx, ids)
    found = []
    for subject, mine in by_subject.items():
        if start := starts.get(subject.kind, {}).get(subject.id):
            words = {row.word for row in mine}
            signal = next((signal for signal in kinds[subject.kind].signals if signal in words), None)
            found.append(Due(subject, start, [row.relay_id for row in mine], signal))
        else:  # written by a newer version, perhaps: its rows come up again, later and later
            log.error("nobody knows how to start this", **subject._asdict())
    return found
