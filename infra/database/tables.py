"""Every table. Axes (`status` and its kin) are written only by `activities.facts`, in the transaction of the fact.

Amounts are BIGINT minor units; instants are UTC. Names, addresses and numbers of people live in `contacts` and
`customers` alone.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from infra.database.types import Json, UTCDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
WORD = String(40)
"""A state, a reason, a kind: one of our own words."""
SERVICE = String(100)
"""A carrier's service by its token."""
REFERENCE = String(255)
"""Somebody else's id."""
PERSONAL = {"personal": True}
"""Says who somebody is, how to reach them, what they wrote, or leads to it elsewhere: see docs/personal-data.md."""
COUNTER = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map = {datetime: UTCDateTime, dict[str, Any]: Json, list[Any]: Json}


# --- who and what ---------------------------------------------------------------------------------------------------


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


class Product(Base):
    __tablename__ = "products"

    sku: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    weight_g: Mapped[int]
    lead_time_days: Mapped[int]
    """How long a backorder is promised to take."""


class ProductReference(Base):
    """What another system calls a product: it means one product only."""

    __tablename__ = "product_references"

    reference: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), index=True)


class Location(Base):
    __tablename__ = "locations"

    location_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(WORD)
    priority: Mapped[int]
    """Lower is asked first."""
    warehouse: Mapped[str] = mapped_column(WORD)
    """The warehouse system's name in the settings."""
    address: Mapped[dict[str, Any]]


class Stock(Base):
    __tablename__ = "stock"
    __table_args__ = (CheckConstraint("0 <= reserved AND reserved <= on_hand", name="reserved_within_on_hand"),)

    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"), primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int]


class StockMove(Base):
    """Why a stock figure changed. Never updated."""

    __tablename__ = "stock_moves"

    move_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    sku: Mapped[str] = mapped_column(ID, index=True)
    location_id: Mapped[str] = mapped_column(ID)
    kind: Mapped[str] = mapped_column(WORD)
    on_hand: Mapped[int]
    reserved: Mapped[int]
    reference: Mapped[str] = mapped_column(REFERENCE)
    recorded_at: Mapped[datetime]


class Restock(Base):
    """Units received, once per reference."""

    __tablename__ = "restocks"

    reference: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    lines: Mapped[list[Any]]
    recorded_at: Mapped[datetime]


# --- the order ------------------------------------------------------------------------------------------------------


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
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(WORD)
    payment_status: Mapped[str] = mapped_column(WORD)
    fulfillment_status: Mapped[str] = mapped_column(WORD)
    cancellation: Mapped[str | None] = mapped_column(WORD)
    """What became of the wish to cancel: `accepted`, `partly`, `refused`."""
    cancellation_settled: Mapped[bool]
    """Every warehouse has answered, what was left was given back, and the customer is to hear of it."""
    cancel_reason: Mapped[str | None] = mapped_column(WORD)
    cancel_note: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)
    backorder: Mapped[str] = mapped_column(WORD)
    shipping_method: Mapped[str] = mapped_column(WORD)
    service: Mapped[str] = mapped_column(SERVICE)
    shipping_price: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    discount: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    pay_by: Mapped[str] = mapped_column(WORD)
    """`card`, `payment_intent`, `external`."""
    payment_reference: Mapped[str] = mapped_column(REFERENCE, info=PERSONAL)
    """Card: the method given with the order; payment_intent: the intent; external: who paid."""
    locale: Mapped[str] = mapped_column(WORD, info=PERSONAL)
    notify: Mapped[list[Any]]
    track_token: Mapped[str] = mapped_column(ID, unique=True, info=PERSONAL)
    idempotency_key: Mapped[str | None] = mapped_column(REFERENCE, unique=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    """Of the order as sent: the same id with other content is a conflict."""
    version: Mapped[int]
    """Raised by every fact of the order as a whole; the ETag."""
    placed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class OrderLine(Base):
    __tablename__ = "order_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"), Index(None, "sku", "order_id"))

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"))
    quantity: Mapped[int]
    cancelled: Mapped[int]
    """Units of this line that will never be sent."""
    unit_price: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    discount: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.contact_id"))
    """Where this line goes, when not where the order goes."""
    options: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)


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


class Contact(Base):
    """A person or place as the order knew it. Erasable without touching the order."""

    __tablename__ = "contacts"

    contact_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    kind: Mapped[str] = mapped_column(WORD)
    """`customer`, `ship_to` (the order's) or `line` (one line's)."""
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


class Reservation(Base):
    """Units of one line set aside at one location: `held`, then `consumed` or `released`."""

    __tablename__ = "reservations"

    reservation_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    line_no: Mapped[int]
    sku: Mapped[str] = mapped_column(ID)
    first_unit: Mapped[int]
    quantity: Mapped[int]
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"), index=True)
    status: Mapped[str] = mapped_column(WORD)


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
    status: Mapped[str] = mapped_column(WORD)
    promised_on: Mapped[date]
    placed_at: Mapped[datetime]
    """The order's: backorders are served in order of placement."""


class Fulfillment(Base):
    """One origin, one destination, one carrier."""

    __tablename__ = "fulfillments"
    __table_args__ = (UniqueConstraint("order_id", "n"),)

    fulfillment_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    n: Mapped[int]
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.location_id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.contact_id"))
    status: Mapped[str] = mapped_column(WORD)
    recall: Mapped[str | None] = mapped_column(WORD)
    """The wish to stop it: `asked`, `confirmed`, `refused`."""
    amount: Mapped[int] = mapped_column(BigInteger)
    """What its units cost."""
    captured: Mapped[bool]
    released: Mapped[bool]
    version: Mapped[int]
    requested_at: Mapped[datetime | None]
    packed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


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
    label_status: Mapped[str] = mapped_column(WORD)
    label_id: Mapped[str | None] = mapped_column(REFERENCE, unique=True)
    label_url: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)
    tracking_number: Mapped[str | None] = mapped_column(REFERENCE, index=True, info=PERSONAL)
    tracking_url: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)
    tracking_status: Mapped[str] = mapped_column(WORD)
    tracked_at: Mapped[datetime | None]


# --- money ----------------------------------------------------------------------------------------------------------


class Payment(Base):
    """One authorization of an order, asked for or made."""

    __tablename__ = "payments"
    __table_args__ = (UniqueConstraint("order_id", "n"),)

    payment_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    n: Mapped[int]
    method: Mapped[str] = mapped_column(REFERENCE, info=PERSONAL)
    off_session: Mapped[bool]
    amount: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(WORD)
    """`asked`, `action_required`, `declined`, `authorized`, `captured`, `ended`."""
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
    __table_args__ = (UniqueConstraint("kind", "reference"),)

    move_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.payment_id"))
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"))
    kind: Mapped[str] = mapped_column(WORD)
    """`authorized`, `captured`, `voided`, `refunded`, `refund_failed`."""
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
    status: Mapped[str] = mapped_column(WORD)
    """`pending`, `succeeded`, `failed`."""
    recorded_at: Mapped[datetime]


# --- the process ----------------------------------------------------------------------------------------------------


class Effect(Base):
    """An effect that is asked of a provider. Without `finished_at` its outcome is unknown: look it up first."""

    __tablename__ = "effects"
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id", "step", "n"),)

    effect_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    subject_kind: Mapped[str] = mapped_column(WORD)
    """`order`, `customer`."""
    subject_id: Mapped[str] = mapped_column(ID)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"), index=True)
    step: Mapped[str] = mapped_column(String(120))
    n: Mapped[int]
    key: Mapped[str] = mapped_column(REFERENCE, unique=True)
    parameters: Mapped[dict[str, Any]]
    outcome: Mapped[str | None] = mapped_column(WORD)
    """`done`, or why it will never be."""
    first_called_at: Mapped[datetime]
    """With this key."""
    last_called_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Hold(Base):
    """The order, or one fulfillment, waits for a person."""

    __tablename__ = "holds"

    hold_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    fulfillment_id: Mapped[str | None] = mapped_column(ForeignKey("fulfillments.fulfillment_id"))
    reason: Mapped[str] = mapped_column(WORD)
    step: Mapped[str] = mapped_column(String(120))
    code: Mapped[str] = mapped_column(String(80))
    advice: Mapped[str] = mapped_column(String(500))
    actions: Mapped[list[Any]]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)
    action: Mapped[str | None] = mapped_column(WORD)
    why: Mapped[str | None] = mapped_column(String(500), info=PERSONAL)


class Change(Base):
    """Something asked of an order from outside: stored as asked, decided by the order."""

    __tablename__ = "changes"

    change_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    kind: Mapped[str] = mapped_column(WORD)
    """`cancel`, `resolve`."""
    hold_id: Mapped[str | None] = mapped_column(ForeignKey("holds.hold_id"))
    action: Mapped[str | None] = mapped_column(WORD)
    reason: Mapped[str | None] = mapped_column(WORD)
    by: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    why: Mapped[str] = mapped_column(String(500), info=PERSONAL)
    decision: Mapped[str | None] = mapped_column(WORD)
    recorded_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class TimelineEntry(Base):
    __tablename__ = "timeline"

    entry_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    fulfillment_id: Mapped[str | None] = mapped_column(String(80))
    event: Mapped[str] = mapped_column(WORD)
    data: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Message(Base):
    """What a customer is to hear, once per order, kind, subject and channel."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("order_id", "kind", "subject", "channel"),)

    message_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    kind: Mapped[str] = mapped_column(WORD)
    subject: Mapped[str] = mapped_column(String(100))
    """What it is about: a fulfillment, a payment, or nothing."""
    channel: Mapped[str] = mapped_column(WORD)
    data: Mapped[dict[str, Any]] = mapped_column(info=PERSONAL)
    status: Mapped[str] = mapped_column(WORD)
    """`pending`, `claimed`, `sent`, `failed`."""
    claimed_as: Mapped[str | None] = mapped_column(String(160))
    """The one message that carries this and the others claimed with it."""
    tried_at: Mapped[datetime | None]
    """When the attempt began that may still be sending it; nothing once that attempt has answered."""
    reference: Mapped[str | None] = mapped_column(REFERENCE, index=True, info=PERSONAL)
    code: Mapped[str | None] = mapped_column(WORD)
    """Why it failed, or what the carrier of the message said last."""
    recorded_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Relay(Base):
    """An order to start or to nudge, until the order has read why."""

    __tablename__ = "relay"
    __table_args__ = (
        Index(
            "ix_relay_due",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    relay_id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"), index=True)
    kind: Mapped[str] = mapped_column(WORD)
    """`start`, `news`, `restocked`, `message`."""
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    """Also the end of the lease of the process that works on it."""
    done_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]


class News(Base):
    """A webhook that was taken: known already means nothing to do."""

    __tablename__ = "news"

    sender: Mapped[str] = mapped_column(WORD, primary_key=True)
    news_id: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    type: Mapped[str] = mapped_column(String(80))
    about: Mapped[str] = mapped_column(REFERENCE)
    outcome: Mapped[str] = mapped_column(WORD)
    recorded_at: Mapped[datetime]


class ApiKey(Base):
    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of a 256-bit random key: nothing to guess, so nothing to stretch."""
    scopes: Mapped[list[Any]]
    channel: Mapped[str | None] = mapped_column(WORD)
    """The one whose orders it is for; none: all."""
    recorded_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
