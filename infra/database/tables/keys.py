"""Who may use the API."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import ID, WORD, Base


class ApiKey(Base):
    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of a 256-bit random key: nothing to guess, so nothing to stretch."""
    scopes: Mapped[list[Any]]
    channel: Mapped[str | None] = mapped_column(WORD)
    """The one whose orders it is for; none: all."""
    location_id: Mapped[str | None] = mapped_column(ForeignKey("locations.location_id"))
    """The place that it is bound to; none: it is of no place."""
    till_id: Mapped[str | None] = mapped_column(ForeignKey("tills.till_id"))
    """The till that it is bound to; none: it is of no till."""
    recorded_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
