"""One transaction per request; who loses a race looks again."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

TRIES = 5
LOST_RACES = ("40001", "40P01")
"""PostgreSQL: could not serialize, deadlock."""

T = TypeVar("T")


def written(sessions: sessionmaker[Session], work: Callable[[Session], T]) -> T:
    """What `work` gives, committed. Done again when another transaction was first: it must look before it writes."""
    for left in reversed(range(TRIES)):
        try:
            with sessions.begin() as tx:
                return work(tx)
        except DBAPIError as trouble:
            if not left or not lost_a_race(trouble):
                raise
    raise AssertionError("unreachable")


def lost_a_race(trouble: DBAPIError) -> bool:
    return isinstance(trouble, IntegrityError) or getattr(trouble.orig, "sqlstate", None) in LOST_RACES
