"""What leaves together, and its parcels."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import PERSONAL, REFERENCE, SERVICE, WORD, Base
from infra.words import FulfillmentStatus, HandOverProof, LabelStatus, Recall, ShippingMethod, TrackingStatus


class Fulfillment(Base):
    """One origin, one destination; one carrier, or somebody who picks it up."""

    __tablename__ = "fulfillments"
    __table_args__ = (
        UniqueConstraint("order_id", "n"),
        Index(
            "ix_fulfillments_at_work",
            "location_id",
            "requested_at",
            sqlite_where=text("status IN ('requested', 'packed', 'ready_for_pickup')"),
            postgresql_where=text("status IN ('requested', 'packed', 'ready_for_pickup')"),
        ),
    )

    fulfillment_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    n: Mapped[int]
    method: Mapped[ShippingMethod]
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.contact_id"))
    """None: handed over at the counter."""
    status: Mapped[FulfillmentStatus]
    recall: Mapped[Recall | None]
    """The wish to stop it."""
    refusal: Mapped[str | None] = mapped_column(String(80))
    """Why its place would not do it, by code: for these units it is not asked again."""
    amount: Mapped[int] = mapped_column(BigInteger)
    """What its units cost."""
    released: Mapped[bool]
    version: Mapped[int]
    requested_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    """By the people of an own place; of systems it is not kept."""
    picking_at: Mapped[datetime | None]
    """The same: they have begun."""
    packed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    """By the carrier; or picked up, all that was."""
    ready_at: Mapped[datetime | None]
    """To be picked up."""
    pickup_until: Mapped[datetime | None]
    extended_at: Mapped[datetime | None]
    """Once only."""
    code_n: Mapped[int | None]
    """Which code opens it: it is derived from this number, and stored nowhere."""
    code_tries: Mapped[int | None]
    """Wrong ones since that code was sent."""


class HandOver(Base):
    """Units that a customer picked up, at one time."""

    __tablename__ = "hand_overs"
    __table_args__ = (UniqueConstraint("fulfillment_id", "reference"),)

    fulfillment_id: Mapped[str] = mapped_column(ForeignKey("fulfillments.fulfillment_id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    reference: Mapped[str | None] = mapped_column(REFERENCE)
    """Whoever tells it: the same again is the same hand-over."""
    proof: Mapped[HandOverProof]
    by: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    note: Mapped[str] = mapped_column(String(500), info=PERSONAL)
    quantity: Mapped[int]
    paid_as: Mapped[str | None] = mapped_column(REFERENCE, info=PERSONAL)
    """How it was paid at the store, where it was."""
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Parcel(Base):
    """What the warehouse packed: one label, one tracking number."""

    __tablename__ = "parcels"

    fulfillment_id: Mapped[str] = mapped_column(ForeignKey("fulfillments.fulfillment_id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    weight_g: Mapped[int]
    length_mm: Mapped[int]
    width_mm: Mapped[int]
    height_mm: Mapped[int]
    rate_id: Mapped[str | None] = mapped_column(REFERENCE)
    rate_amount: Mapped[int | None] = mapped_column(BigInteger)
    rate_currency: Mapped[str | None] = mapped_column(String(3))
    carrier: Mapped[str | None] = mapped_column(WORD)
    service: Mapped[str | None] = mapped_column(SERVICE)
    label_status: Mapped[LabelStatus]
    label_id: Mapped[str | None] = mapped_column(REFERENCE, unique=True)
    label_url: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)
    tracking_number: Mapped[str | None] = mapped_column(REFERENCE, index=True, info=PERSONAL)
    tracking_url: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)
    tracking_status: Mapped[TrackingStatus]
    tracked_at: Mapped[datetime | None]


class ParcelContent(Base):
    """What is in a parcel, as its warehouse says. A single one without rows holds all of its fulfillment."""

    __tablename__ = "parcel_contents"
    __table_args__ = (ForeignKeyConstraint(["fulfillment_id", "n"], ["parcels.fulfillment_id", "parcels.n"]),)

    fulfillment_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    """One that is not sold stands here too, until the warehouse has packed anew."""
    quantity: Mapped[int]
