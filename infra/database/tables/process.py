"""What the process keeps: effects, holds, deadlines, changes, the relay."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import COUNTER, ID, PERSONAL, REFERENCE, WORD, Base
from infra.database.types import HoldWord
from infra.holds import Action, AnyHoldKind, HoldReason
from infra.words import CancelReason, ChangeKind, Decision


class Effect(Base):
    """An effect that is asked of a provider. Without `finished_at` its outcome is unknown: look it up first."""

    __tablename__ = "effects"
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id", "step", "n"),)

    effect_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    subject_kind: Mapped[str] = mapped_column(WORD)
    """`order`, `customer`."""
    subject_id: Mapped[str] = mapped_column(ID)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    step: Mapped[str] = mapped_column(String(120))
    n: Mapped[int]
    key: Mapped[str] = mapped_column(REFERENCE, unique=True)
    parameters: Mapped[dict[str, Any]]
    outcome: Mapped[str | None] = mapped_column(WORD)
    """`done`, or why it will never be."""
    first_called_at: Mapped[datetime]
    """With this key."""
    last_called_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Hold(Base):
    """Something waits for a person: there is one open hold of a kind about a subject."""

    __tablename__ = "holds"
    __table_args__ = (
        Index(
            "uq_holds_open",
            "kind",
            "subject_kind",
            "subject_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    hold_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    kind: Mapped[AnyHoldKind] = mapped_column(HoldWord)
    subject_kind: Mapped[str] = mapped_column(WORD)
    subject_id: Mapped[str] = mapped_column(REFERENCE)
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"), index=True)
    """The one that it is about, or whose parcel."""
    reason: Mapped[HoldReason]
    """Its kind's."""
    code: Mapped[str] = mapped_column(String(80))
    advice: Mapped[str] = mapped_column(String(500), info=PERSONAL)
    """Its kind's, or the failure's own; or who stopped it, and why."""
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)
    action: Mapped[Action | None]
    """One that its kind offers; none where nobody needed to decide any more."""
    why: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)


class Deadline(Base):
    """Something must happen at a time, unless what it hangs on is over by then."""

    __tablename__ = "deadlines"
    __table_args__ = (
        Index(
            "ix_deadlines_open",
            "order_id",
            "at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "uq_deadlines_open",
            "subject_kind",
            "subject_id",
            "kind",
            unique=True,
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    deadline_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    subject_kind: Mapped[str] = mapped_column(WORD)
    """`order`, `payment`, `hold`."""
    subject_id: Mapped[str] = mapped_column(String(80))
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"))
    kind: Mapped[str] = mapped_column(WORD)
    """`DeadlineKind`; another kind of workflow brings its own."""
    at: Mapped[datetime]
    """In whole seconds."""
    done_at: Mapped[datetime | None]


class Change(Base):
    """Something asked of an order, or about any hold, from outside: stored as asked, decided by its workflow."""

    __tablename__ = "changes"
    __table_args__ = (
        UniqueConstraint("order_id", "request_id"),
        CheckConstraint("order_id IS NOT NULL OR hold_id IS NOT NULL", name="about_something"),
    )

    change_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    """None: about a hold of another workflow."""
    request_id: Mapped[str | None] = mapped_column(REFERENCE)
    """Whoever asks again under it asks for the same."""
    digest: Mapped[str | None] = mapped_column(String(64))
    """Of what was asked under it."""
    kind: Mapped[ChangeKind]
    hold_id: Mapped[str | None] = mapped_column(ForeignKey("holds.hold_id"), index=True)
    action: Mapped[Action | None]
    reason: Mapped[CancelReason | None]
    cause: Mapped[str | None] = mapped_column(WORD)
    lines: Mapped[list[Any] | None]
    """Of a cancellation: which lines, and how many units of each; none: all that is left."""
    by: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    why: Mapped[str] = mapped_column(String(500), info=PERSONAL)
    decision: Mapped[Decision | None]
    recorded_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Relay(Base):
    """A workflow to start or to nudge, until it has read why."""

    __tablename__ = "relay"
    __table_args__ = (
        Index(None, "subject_kind", "subject_id"),
        Index(
            "ix_relay_due",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    relay_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    subject_kind: Mapped[str] = mapped_column(WORD)
    subject_id: Mapped[str] = mapped_column(ID)
    kind: Mapped[str] = mapped_column(WORD)
    """`start`, `news`, `restocked`, `message`; `deadline`: only started, once that is due."""
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    """Also the end of the lease of the process that works on it."""
    done_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]


class Migration(Base):
    """One that the database has been through: written by itself, and read by processes before they run on it."""

    __tablename__ = "migrations"

    revision: Mapped[str] = mapped_column(WORD, primary_key=True)
    runs_with: Mapped[str] = mapped_column(WORD)
    """The oldest revision whose code may run on its tables."""
    recorded_at: Mapped[datetime]
