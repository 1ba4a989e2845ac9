"""What customers are to hear, and what providers and warehouses told us."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import COUNTER, PERSONAL, REFERENCE, WORD, Base
from infra.database.types import Json
from infra.words import Channel, MessageKind, MessageStatus, NewsOutcome


class Message(Base):
    """What a customer is to hear, or a place, once per order, kind, subject and channel."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("order_id", "kind", "subject", "channel"),)

    message_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    location_id: Mapped[str | None] = mapped_column(ForeignKey("locations.location_id"))
    """The place that is to hear it; none: the customer."""
    kind: Mapped[MessageKind]
    subject: Mapped[str] = mapped_column(String(100))
    """What it is about: a fulfillment, a payment, or nothing."""
    channel: Mapped[Channel]
    data: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)
    status: Mapped[MessageStatus]
    claimed_as: Mapped[str | None] = mapped_column(String(160))
    """The one message that carries this and the others claimed with it."""
    tried_at: Mapped[datetime | None]
    """When the attempt began that may still be sending it; nothing once that attempt has answered."""
    due_at: Mapped[datetime | None]
    """Until when it waits for others of its kind, by the order's clock; nothing: it goes out at once."""
    reference: Mapped[str | None] = mapped_column(REFERENCE, index=True, info=PERSONAL)
    code: Mapped[str | None] = mapped_column(WORD)
    """Why it failed, or what the carrier of the message said last."""
    recorded_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    """By the order's clock."""


class News(Base):
    """A webhook, and what of it we use. Another content under the same id is a row of its own, and changes nothing."""

    __tablename__ = "news"
    __table_args__ = (
        Index(
            "ix_news_open",
            "about",
            sqlite_where=text("open_since IS NOT NULL"),
            postgresql_where=text("open_since IS NOT NULL"),
        ),
        Index(
            "ix_news_settled",
            "recorded_at",
            sqlite_where=text("open_since IS NULL"),
            postgresql_where=text("open_since IS NULL"),
        ),
    )

    sender: Mapped[str] = mapped_column(WORD, primary_key=True)
    news_id: Mapped[str] = mapped_column(REFERENCE, primary_key=True, info=PERSONAL)
    n: Mapped[int] = mapped_column(primary_key=True)
    """0, or which finding under this id."""
    type: Mapped[str] = mapped_column(String(80))
    about: Mapped[str] = mapped_column(REFERENCE, info=PERSONAL)
    """What it waits for as long as we do not know that: `tracking 9400…`."""
    content: Mapped[dict[str, Any] | None] = mapped_column(Json, info=PERSONAL)
    digest: Mapped[str] = mapped_column(String(64))
    """Of its type and what it said."""
    outcome: Mapped[NewsOutcome]
    open_since: Mapped[datetime | None]
    """While it waits for what it is about, or for a person."""
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)
    why: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)
