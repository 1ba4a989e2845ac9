"""What happened: each order's timeline, and what other systems are to hear of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import COUNTER, ID, PERSONAL, WORD, Base
from infra.words import EventType, OrderFulfillment, OrderStatus, PaymentStatus


class Event(Base):
    """One thing that happened, with the statuses that its transaction left. Added, never changed, but for its number
    among the published ones."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("order_id", "sequence"),)

    event_no: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    """Given before the commit: a higher one may be seen first."""
    event_id: Mapped[str] = mapped_column(ID, unique=True)
    type: Mapped[EventType]
    subject_kind: Mapped[str] = mapped_column(WORD)
    """`order`, `fulfillment`."""
    subject_id: Mapped[str] = mapped_column(String(80))
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"))
    sequence: Mapped[int | None]
    """The version that the order had with this event."""
    data: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)
    status: Mapped[OrderStatus | None]
    payment_status: Mapped[PaymentStatus | None]
    fulfillment_status: Mapped[OrderFulfillment | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    published_no: Mapped[int | None] = mapped_column(BigInteger)
    """Nothing is published yet."""
