"""What a language has to offer: a headline, a text and an SMS for each kind of news."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    CONFIRMED = "confirmed"
    PAYMENT_PROBLEM = "payment_problem"
    PAYMENT_ACTION = "payment_action"
    PAYMENT_REMINDER = "payment_reminder"
    BACKORDERED = "backordered"
    DELAYED = "delayed"
    SHIPPED = "shipped"
    PARTLY_SHIPPED = "partly_shipped"
    READY_FOR_PICKUP = "ready_for_pickup"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    PARTLY_CANCELLED = "partly_cancelled"
    CANCELLATION_REFUSED = "cancellation_refused"
    REFUNDED = "refunded"
    INVOICE_DUE = "invoice_due"
    INVOICE_OVERDUE = "invoice_overdue"
    SURVEY = "survey"


class Phrase(NamedTuple):
    headline: str
    text: str
    sms: str


class Language(NamedTuple):
    about: str
    """How every subject and every SMS begins: it names the order."""
    subjects: dict[str, str]
    """What a text is about where it has no id of its own: `payment 2`."""
    greeting: str
    closing: str
    day: str
    instant: str
    months: tuple[str, ...]
    thousands: str
    decimal: str
    signed: str
    coded: str
    phrases: dict[Kind, Phrase]
