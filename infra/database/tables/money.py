"""Money set aside, taken, given back."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import COUNTER, PERSONAL, REFERENCE, WORD, Base
from infra.words import AuthorizationStatus, MoneyMoveKind, RefundStatus


class Payment(Base):
    """One authorization of an order, asked for or made."""

    __tablename__ = "payments"
    __table_args__ = (UniqueConstraint("order_id", "n"),)

    payment_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    """None: money of several orders at once, or of none."""
    n: Mapped[int]
    method: Mapped[str] = mapped_column(REFERENCE, info=PERSONAL)
    off_session: Mapped[bool]
    amount: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[AuthorizationStatus]
    intent: Mapped[str | None] = mapped_column(REFERENCE, unique=True, info=PERSONAL)
    """The provider's id for it."""
    captured: Mapped[int] = mapped_column(BigInteger)
    multicapture: Mapped[bool]
    capture_before: Mapped[datetime | None]
    decline_code: Mapped[str | None] = mapped_column(WORD)
    action_url: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)
    recorded_at: Mapped[datetime]


class MoneyMove(Base):
    """Money moved, or set aside. Never updated: balances are sums."""

    __tablename__ = "money_moves"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        CheckConstraint("order_id IS NOT NULL OR payment_id IS NOT NULL", name="of_order_or_payment"),
    )

    move_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.payment_id"))
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"))
    kind: Mapped[MoneyMoveKind]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reference: Mapped[str] = mapped_column(REFERENCE)
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Refund(Base):
    __tablename__ = "refunds"

    refund_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.payment_id"))
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(REFERENCE, unique=True)
    status: Mapped[RefundStatus]
    recorded_at: Mapped[datetime]
