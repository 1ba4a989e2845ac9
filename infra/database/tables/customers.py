"""Who buys."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import ID, PERSONAL, REFERENCE, WORD, Base


class Customer(Base):
    __tablename__ = "customers"

    customer_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), info=PERSONAL)
    email: Mapped[str] = mapped_column(String(320), info=PERSONAL)
    phone: Mapped[str] = mapped_column(String(32), info=PERSONAL)
    locale: Mapped[str] = mapped_column(WORD, info=PERSONAL)
    time_zone: Mapped[str] = mapped_column(WORD, info=PERSONAL)
    notify: Mapped[list[Any]]
    """Channels this customer wants to hear by: `email`, `sms`."""
    unreachable: Mapped[dict[str, Any]]
    """Channels that lead nowhere, until their address changes, and why: `opted_out`, `invalid`, `bounced`."""
    terms_days: Mapped[int | None]
    credit_limit: Mapped[int | None] = mapped_column(BigInteger)
    provider_customer: Mapped[str | None] = mapped_column(REFERENCE, info=PERSONAL)
    """The payment provider's id for this customer."""
    recorded_at: Mapped[datetime]


class SavedMethod(Base):
    """A payment method kept for later, by the provider's reference."""

    __tablename__ = "saved_methods"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"), primary_key=True)
    reference: Mapped[str] = mapped_column(REFERENCE, primary_key=True, info=PERSONAL)
    recorded_at: Mapped[datetime]
