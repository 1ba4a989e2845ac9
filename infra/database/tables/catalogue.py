"""What is sold, and where it lies."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import ID, PERSONAL, REFERENCE, WORD, Base
from infra.words import OWN, LocationKind


class Product(Base):
    __tablename__ = "products"

    sku: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    weight_g: Mapped[int]
    lead_time_days: Mapped[int]
    """How long a backorder is promised to take."""
    counted_at: Mapped[datetime | None]
    """When it was counted last, at any location: what is told of an earlier time is looked at against its counts."""


class ProductReference(Base):
    """What another system calls a product: it means one product only."""

    __tablename__ = "product_references"

    reference: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), index=True)


class Location(Base):
    __tablename__ = "locations"

    location_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[LocationKind]
    priority: Mapped[int]
    """Lower is asked first."""
    warehouse: Mapped[str] = mapped_column(WORD)
    """The warehouse system's name in the settings; or `OWN`."""
    address: Mapped[dict[str, Any]]
    pickup: Mapped[bool] = mapped_column(default=False)
    """Whether customers may pick up orders there."""
    notify: Mapped[str] = mapped_column(String(320), default="", info=PERSONAL)
    """Where the people of an own place hear of requests; empty: nowhere."""
    locale: Mapped[str] = mapped_column(WORD, default="en")
    """In which language, as BCP 47."""

    @property
    def has_system(self) -> bool:
        return self.warehouse != OWN


class Till(Base):
    """A counter where goods are sold; its own id stands on its receipts."""

    __tablename__ = "tills"

    till_id: Mapped[str] = mapped_column(ID, primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    recorded_at: Mapped[datetime]
