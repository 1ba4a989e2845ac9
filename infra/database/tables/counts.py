"""What lies at a location, as people count it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import ID, PERSONAL, WORD, Base
from infra.words import CountLineStatus, CountStatus


class Count(Base):
    """Some products of one location are to be counted, by one or several people at once."""

    __tablename__ = "counts"
    __table_args__ = (
        Index(None, "recorded_at", "count_id"),
        Index(None, "location_id", "recorded_at", "count_id"),
        Index(None, "status", "recorded_at", "count_id"),
    )

    count_id: Mapped[str] = mapped_column(ID, primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    cause: Mapped[str] = mapped_column(WORD)
    """A code of whoever asked, or why we did."""
    round: Mapped[int]
    """Raised by each recount."""
    tolerance_units: Mapped[int]
    tolerance_percent: Mapped[int]
    status: Mapped[CountStatus]
    asked_by: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    recorded_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class CountLine(Base):
    """A product that is asked for: `asked`, in `review` where it differs by more than is tolerated, then `accepted`."""

    __tablename__ = "count_lines"
    __table_args__ = (
        Index(
            "ix_count_lines_accepted",
            "sku",
            "counted_at",
            sqlite_where=text("status = 'accepted'"),
            postgresql_where=text("status = 'accepted'"),
        ),
    )

    count_id: Mapped[str] = mapped_column(ForeignKey("counts.count_id"), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), primary_key=True)
    status: Mapped[CountLineStatus]
    counted: Mapped[int | None]
    counted_at: Mapped[datetime | None]
    expected: Mapped[int | None]
    """What the moves say for that instant."""
    packed: Mapped[int]
    """Units that are packed for orders and were not counted: they stay in the books, and a person looks for them."""
    decided_by: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)


class CountSession(Base):
    """What one counter has found, in one round: theirs to change until it is in."""

    __tablename__ = "count_sessions"

    count_id: Mapped[str] = mapped_column(ForeignKey("counts.count_id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(ID, primary_key=True)
    lines: Mapped[list[Any]]
    by: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    submitted_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
