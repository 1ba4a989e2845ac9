"""Units: on shelves, set aside, waited for, and why a figure changed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import COUNTER, ID, REFERENCE, WORD, Base
from infra.words import BackorderStatus, ClaimStatus, ReservationStatus, StockMoveKind


class Stock(Base):
    __tablename__ = "stock"
    __table_args__ = (
        CheckConstraint(
            "0 <= reserved AND 0 <= blocked AND reserved + blocked <= on_hand", name="set_aside_within_on_hand"
        ),
    )

    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"), primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int]
    blocked: Mapped[int] = mapped_column(default=0)
    """There, and not to be sold: damaged, in doubt, or meant for something else."""

    @hybrid_property
    def available(self) -> int:
        return self.on_hand - self.reserved - self.blocked


class StockMove(Base):
    """Why a stock figure changed. Never updated."""

    __tablename__ = "stock_moves"
    __table_args__ = (Index(None, "sku", "reference"), Index(None, "sku", "occurred_at"))

    move_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    sku: Mapped[str] = mapped_column(ID)
    location_id: Mapped[str] = mapped_column(ID)
    kind: Mapped[StockMoveKind]
    on_hand: Mapped[int]
    reserved: Mapped[int]
    blocked: Mapped[int]
    reference: Mapped[str] = mapped_column(REFERENCE)
    occurred_at: Mapped[datetime]
    """At the shelf, as it was told; else when it was recorded."""
    recorded_at: Mapped[datetime]


class Restock(Base):
    """Units received, once per reference."""

    __tablename__ = "restocks"

    reference: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    lines: Mapped[list[Any]]
    recorded_at: Mapped[datetime]


class Claim(Base):
    """What a checkout sets aside before there is an order, until a time."""

    __tablename__ = "claims"
    __table_args__ = (
        UniqueConstraint("made_by", "idempotency_key"),
        Index(
            "ix_claims_held",
            "made_by",
            sqlite_where=text("status = 'held'"),
            postgresql_where=text("status = 'held'"),
        ),
    )

    claim_id: Mapped[str] = mapped_column(ID, primary_key=True)
    """The API's `reservation_id`."""
    idempotency_key: Mapped[str | None] = mapped_column(REFERENCE)
    digest: Mapped[str] = mapped_column(String(64))
    """Of what was asked for under these."""
    made_by: Mapped[str] = mapped_column(ID)
    """The API key, which alone uses it."""
    channel: Mapped[str] = mapped_column(WORD)
    location_id: Mapped[str | None] = mapped_column(ForeignKey("locations.location_id"))
    """The only place that it may hold units of."""
    lines: Mapped[list[Any]]
    units: Mapped[int]
    """Of all lines."""
    status: Mapped[ClaimStatus]
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"))
    """Whose its units are now."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    recorded_at: Mapped[datetime]


class Reservation(Base):
    """Units of one line set aside at one location: `held`, then `consumed` or `released`. Those of a checkout are
    removed where they are given back, or become the order's."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint("(order_id IS NULL) <> (claim_id IS NULL)", name="of_an_order_or_a_claim"),
        # no row of an order is in these
        *(
            Index(
                f"ix_reservations_claimed_{column}",
                column,
                sqlite_where=text("claim_id IS NOT NULL"),
                postgresql_where=text("claim_id IS NOT NULL"),
            )
            for column in ("sku", "claim_id")
        ),
    )

    reservation_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    claim_id: Mapped[str | None] = mapped_column(ForeignKey("claims.claim_id"))
    line_no: Mapped[int]
    sku: Mapped[str] = mapped_column(ID)
    first_unit: Mapped[int]
    quantity: Mapped[int]
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"), index=True)
    status: Mapped[ReservationStatus]


class Backorder(Base):
    """Units of one line that no location had: `waiting`, then `allocated` or `cancelled`."""

    __tablename__ = "backorders"
    __table_args__ = (
        Index(
            "ix_backorders_queue",
            "sku",
            "placed_at",
            "order_id",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    backorder_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    line_no: Mapped[int]
    sku: Mapped[str] = mapped_column(ID)
    first_unit: Mapped[int]
    quantity: Mapped[int]
    status: Mapped[BackorderStatus]
    promised_on: Mapped[date]
    placed_at: Mapped[datetime]
    """The order's: backorders are served in order of placement."""
