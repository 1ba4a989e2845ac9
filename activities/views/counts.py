"""Counts, for who counts and for who decides. Who counts blindly is not told what the books say."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.views.base import View
from infra.database.tables import Count, CountLine, CountSession
from infra.words import CountLineStatus, CountStatus


class CountLineView(View):
    sku: str
    status: CountLineStatus
    counted: int | None
    counted_at: datetime | None
    expected: int | None
    """What the books said for that instant; none to who counts blindly."""
    difference: int | None
    packed: int
    """Of what was not counted: units that are packed for orders."""


class CountSessionView(View):
    session: str
    submitted: bool
    lines: int


class CountView(View):
    count: str
    location: str
    status: CountStatus
    cause: str
    round: int
    lines: list[CountLineView]
    sessions: list[CountSessionView]
    """Of this round."""
    asked_at: datetime
    closed_at: datetime | None


class CountPage(View):
    counts: list[CountView]
    more: bool


def listed(tx: Session, *, location: str | None, status: CountStatus | None, limit: int, blind: bool) -> CountPage:
    which = [Count.location_id == location] if location else []
    which += [Count.status == status] if status else []
    rows = select(Count).where(*which).order_by(Count.recorded_at.desc(), Count.count_id.desc()).limit(limit + 1)
    counts = tx.scalars(rows).all()
    return CountPage(counts=of_counts(tx, counts[:limit], blind=blind), more=len(counts) > limit)


def of_count(tx: Session, count: Count, *, blind: bool) -> CountView:
    tx.flush()
    return of_counts(tx, [count], blind=blind)[0]


def of_counts(tx: Session, counts: Sequence[Count], *, blind: bool) -> list[CountView]:
    ids = [count.count_id for count in counts]
    lines: dict[str, list[CountLineView]] = {count_id: [] for count_id in ids}
    for line in tx.scalars(select(CountLine).where(CountLine.count_id.in_(ids)).order_by(CountLine.sku)):
        lines[line.count_id].append(of_line(line, blind=blind))
    sessions: dict[tuple[str, int], list[CountSessionView]] = {}
    rows = select(CountSession).where(CountSession.count_id.in_(ids)).order_by(CountSession.session)
    for row in tx.scalars(rows):
        view = CountSessionView(session=row.session, submitted=row.submitted_at is not None, lines=len(row.lines))
        sessions.setdefault((row.count_id, row.round), []).append(view)
    return [
        CountView(
            count=count.count_id,
            location=count.location_id,
            status=count.status,
            cause=count.cause,
            round=count.round,
            lines=lines[count.count_id],
            sessions=sessions.get((count.count_id, count.round), []),
            asked_at=count.recorded_at,
            closed_at=count.closed_at,
        )
        for count in counts
    ]


def of_line(line: CountLine, *, blind: bool) -> CountLineView:
    known = line.counted is not None and line.expected is not None and not blind
    return CountLineView(
        sku=line.sku,
        status=line.status,
        counted=line.counted,
        counted_at=line.counted_at,
        expected=line.expected if known else None,
        difference=(line.counted or 0) - (line.expected or 0) if known else None,
        packed=0 if blind else line.packed,
    )
