"""Orders, as they were asked for."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database.tables.base import COUNTER, ID, PERSONAL, REFERENCE, SERVICE, WORD, Base
from infra.words import (
    BackorderPolicy,
    Cancellation,
    CancelReason,
    ContactKind,
    LineCancellationStatus,
    OrderFulfillment,
    OrderStatus,
    PaymentStatus,
    ShippingMethod,
)


class Order(Base):
    __tablename__ = "orders"
    # as lists read them: by one of these, newest first
    __table_args__ = (
        Index(None, "placed_at", "order_id"),
        *(
            Index(None, filtered, "placed_at", "order_id")
            for filtered in ("status", "customer_id", "channel", "reference")
        ),
    )

    order_id: Mapped[str] = mapped_column(ID, primary_key=True)
    reference: Mapped[str | None] = mapped_column(REFERENCE)
    """Another system's number of this order."""
    channel: Mapped[str] = mapped_column(WORD)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.customer_id"))
    """None: who bought over the counter, and did not say who they are."""
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[OrderStatus]
    payment_status: Mapped[PaymentStatus]
    fulfillment_status: Mapped[OrderFulfillment]
    cancellation: Mapped[Cancellation | None]
    cancellation_settled: Mapped[bool]
    """Every warehouse has answered, what was left was given back, and the customer is to hear of it."""
    cancel_reason: Mapped[CancelReason | None]
    cancel_note: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)
    backorder: Mapped[BackorderPolicy]
    shipping_method: Mapped[ShippingMethod]
    pickup_location: Mapped[str | None] = mapped_column(ForeignKey("locations.location_id"))
    """Where what is not planned yet is to be picked up."""
    service: Mapped[str] = mapped_column(SERVICE)
    shipping_price: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    tax_included: Mapped[bool]
    """Whether prices, shipping and discount have the tax in them."""
    discount: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    promised_on: Mapped[date]
    """By the end of which all is to be there, as it was told last."""
    first_promised_on: Mapped[date]
    locale: Mapped[str] = mapped_column(WORD, info=PERSONAL)
    notify: Mapped[list[Any]]
    track_token: Mapped[str] = mapped_column(ID, unique=True, info=PERSONAL)
    placed_by: Mapped[str | None] = mapped_column(ID)
    """The API key that placed it, by its id: what a browser needs to confirm a payment is told to it alone."""
    idempotency_key: Mapped[str | None] = mapped_column(REFERENCE, unique=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    """Of the order as sent: the same id with other content is a conflict."""
    version: Mapped[int]
    """Raised by every fact of the order as a whole; the ETag."""
    placed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    trimmed_at: Mapped[datetime | None]
    """Its effects and events are gone since: nothing may be asked of it any more."""

    @property
    def buyer(self) -> str:
        """The customer of an order that is paid by card, or that tells somebody something: it has one."""
        if self.customer_id is None:
            raise LookupError(f"order {self.order_id} has no customer")
        return self.customer_id


class OrderLine(Base):
    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index(None, "sku", "placed_at", "order_id"),
    )

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"))
    quantity: Mapped[int]
    unit_price: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    discount: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.contact_id"))
    """Where this line goes, when not where the order goes."""
    options: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)
    placed_at: Mapped[datetime]
    """The order's, which never changes: so that the newest orders of a SKU are found without all others of it."""


class TaxLine(Base):
    """A part of a line's tax, as whoever placed the order made it out."""

    __tablename__ = "tax_lines"
    __table_args__ = (ForeignKeyConstraint(["order_id", "line_no"], ["order_lines.order_id", "order_lines.line_no"]),)

    order_id: Mapped[str] = mapped_column(ID, primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    jurisdiction: Mapped[str] = mapped_column(String(100))
    rate: Mapped[str] = mapped_column(String(12))
    """A decimal fraction: 0.0825 is 8.25 %."""
    amount: Mapped[int] = mapped_column(BigInteger)


class UnitAmount(Base):
    """What each of `quantity` units from `first_unit` on costs: stored once, never divided again."""

    __tablename__ = "unit_amounts"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    first_unit: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    price: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    discount: Mapped[int] = mapped_column(BigInteger)
    shipping: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)


class LineCancellation(Base):
    """Units of one line, in one place, that are not to be sent: `asked` of the warehouse that has them, then `done` or
    `refused`. Those in no warehouse are done at once."""

    __tablename__ = "line_cancellations"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    line_no: Mapped[int]
    first_unit: Mapped[int]
    quantity: Mapped[int]
    status: Mapped[LineCancellationStatus]
    whole: Mapped[bool]
    """The order is to end: what became of that is told once, of all its units."""
    reason: Mapped[CancelReason]
    cause: Mapped[str | None] = mapped_column(WORD)
    """Why, by whoever asked: a code of their own."""
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"), index=True)
    """Whose warehouse has, or had, them."""
    change_id: Mapped[int | None] = mapped_column(ForeignKey("changes.change_id"))
    recorded_at: Mapped[datetime]


class Contact(Base):
    """A person or place as the order knew it. Erasable without touching the order."""

    __tablename__ = "contacts"
    __table_args__ = (UniqueConstraint("order_id", "destination"),)

    contact_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    kind: Mapped[ContactKind]
    destination: Mapped[str | None] = mapped_column(String(8))
    """`d1`, `d2`, …: where something of the order goes. Addresses that were the same when it was placed are one."""
    name: Mapped[str] = mapped_column(String(200), info=PERSONAL)
    email: Mapped[str] = mapped_column(String(320), info=PERSONAL)
    phone: Mapped[str] = mapped_column(String(32), info=PERSONAL)
    street1: Mapped[str] = mapped_column(String(200), info=PERSONAL)
    street2: Mapped[str] = mapped_column(String(200), info=PERSONAL)
    city: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    state: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    zip: Mapped[str] = mapped_column(String(20), info=PERSONAL)
    country: Mapped[str] = mapped_column(String(2), info=PERSONAL)
    erased_at: Mapped[datetime | None]
