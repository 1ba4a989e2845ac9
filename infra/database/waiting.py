"""PostgreSQL: who holds what a migration waits for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.exc import SQLAlchemyError

GAVE_WAY = (LockNotAvailable, DeadlockDetected)
LOOK_SECONDS = 0.2
BLOCKING = text(
    "SELECT pid, usename, application_name, extract(epoch FROM clock_timestamp() - xact_start) AS seconds"
    " FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(:waits)) ORDER BY xact_start NULLS LAST LIMIT 1"
)


@dataclass
class Blocking:
    last: str = "nobody knows what holds it"


@contextmanager
def told_what_blocks(engine: Engine, waits: Connection, say: Callable[[str], None]) -> Iterator[Blocking]:
    """Looks from a connection of its own, as the one that waits can't: afterwards nobody knows any more."""
    blocking, over = Blocking(), threading.Event()
    if engine.dialect.name != "postgresql":
        yield blocking
        return
    pid = waits.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    waits.rollback()

    def look() -> None:
        known = None
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not over.wait(LOOK_SECONDS):
                found = connection.execute(BLOCKING, {"waits": pid}).first()
                if found is None:
                    continue
                blocking.last = described(found)
                if known != found.pid:  # once of each, not each time
                    known = found.pid
                    say(f"waits: {blocking.last}")

    def looked() -> None:
        try:
            look()
        except SQLAlchemyError:  # who migrates hears of it himself
            return

    looking = threading.Thread(target=looked, name="what-blocks", daemon=True)
    looking.start()
    try:
        yield blocking
    finally:
        over.set()
        looking.join()


def described(found: Row[tuple[int, str, str, float | None]]) -> str:
    """Without its statement, in which data may stand."""
    whose = f" of {found.usename}" if found.usename else ""
    program = f" ({found.application_name})" if found.application_name else ""
    how_long = "" if found.seconds is None else f", whose transaction began {found.seconds:.0f} s ago"
    return f"process {found.pid}{whose}{program}{how_long}, holds what the migration needs"
