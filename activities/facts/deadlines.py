"""Rows of what must happen at a time: begun, moved, closed by the facts they hang on. Whoever begins one outside of a
step of the order nudges it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts.journal import MINE, mark_read, nudge_about
from activities.models import Subject
from infra.clock import wall_clock
from infra.database.tables import Deadline, Order
from infra.words import DeadlineKind

SOON = timedelta(seconds=5)
"""The engine's clock may be behind ours: a run that was started too early is started once more."""


def begin(tx: Session, order: Order | None, kind: str, subject: Subject, at: datetime) -> None:
    """For a subject that has none of this kind; with its order, where there is one."""
    row = Deadline(
        subject_kind=subject.kind,
        subject_id=subject.id,
        order_id=order and order.order_id,
        kind=kind,
        at=whole_seconds(at),
    )
    tx.add(row)


def move(tx: Session, order: Order, kind: DeadlineKind, subject: Subject, at: datetime) -> None:
    """To another instant; begun where there is none."""
    if row := tx.scalars(select(Deadline).where(*still_open(subject), Deadline.kind == kind)).first():
        row.at = whole_seconds(at)
    else:
        begin(tx, order, kind, subject, at)


def close(tx: Session, subject: Subject, *kinds: str) -> None:
    """Of these kinds; of all, where none is named."""
    these = (Deadline.kind.in_(kinds),) if kinds else ()
    tx.execute(update(Deadline).where(*still_open(subject), *these).values(done_at=wall_clock()))


def is_open(tx: Session, kind: DeadlineKind, subject: Subject) -> bool:
    mine = select(Deadline.deadline_id).where(*still_open(subject), Deadline.kind == kind)
    return tx.scalars(mine).first() is not None


def still_open(subject: Subject) -> tuple[ColumnElement[bool], ...]:
    return Deadline.subject_kind == subject.kind, Deadline.subject_id == subject.id, Deadline.done_at.is_(None)


OVER = (
    update(Deadline)
    .where(
        Deadline.order_id == MINE, Deadline.done_at.is_(None), Deadline.kind.in_(bindparam("ending", expanding=True))
    )
    .values(done_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)


def leave(tx: Session, order: Order, following: datetime | None, *, first: bool) -> None:
    """The order is closed: what concerns only open ones is over, and for the next of the others (`following`) its run
    is started again. `first`: it was open until now, and nothing was left for later."""
    with tx.no_autoflush:  # the order's statuses are written once, with its version
        tx.execute(OVER, {"mine": order.order_id, "now": wall_clock(), "ending": ending()})
    if first and not following:
        return
    mark_read(tx, Subject("order", order.order_id), "deadline")
    if following:
        at = max(following, wall_clock() + SOON)
        nudge_about(tx, [Subject("order", order.order_id)], "deadline", at=at)


def lasting(nearest: Mapping[str, datetime]) -> dict[str, datetime]:
    """Those of a closed order."""
    over = ending()
    return {kind: at for kind, at in nearest.items() if kind not in over}


def ending() -> list[DeadlineKind]:
    """Those that end with their order."""
    return [kind for kind, declared in DECLARED.items() if not declared.after_the_end]


def whole_seconds(at: datetime) -> datetime:
    """Rounded up: nothing is due before its time."""
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)
