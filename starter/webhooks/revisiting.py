"""Looks once more at news that waits, a while after it came.

What it is about may have been written by a transaction that began before it and ended after it: neither has seen the
other. So it is looked at every few seconds; a minute later all of those have ended, and what is unknown then is a
person's, until it comes to be.
"""

from datetime import timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.news.matching import match
from infra.clock import wall_clock
from infra.database.tables import News
from infra.words import NewsOutcome
from starter.http.dependencies import Dependencies
from starter.transactions import written

SOON = timedelta(seconds=2)
AFTER = timedelta(minutes=1)
BATCH = 200


def revisit(here: Dependencies) -> None:
    with here.reading() as tx:
        due = waiting(tx)
    for key in due:
        written(here.sessions, partial(again, key))
    if due:
        here.relay.wake()


def waiting(tx: Session) -> list[tuple[str, str, int]]:
    late = (News.open_since.is_not(None), News.open_since < wall_clock() - SOON, News.outcome == NewsOutcome.WAITING)
    rows = tx.execute(select(News.sender, News.news_id, News.n).where(*late).order_by(News.open_since).limit(BATCH))
    return [(sender, news_id, n) for sender, news_id, n in rows]


def again(key: tuple[str, str, int], tx: Session) -> None:
    row = tx.get(News, key, with_for_update=True)
    if row is not None and row.outcome == NewsOutcome.WAITING:
        match(tx, row, last=row.open_since is None or row.open_since < wall_clock() - AFTER)
