"""What an order is, and why it ended."""

from enum import StrEnum


class OrderStatus(StrEnum):
    PLACED = "placed"
    ON_HOLD = "on_hold"
    PROCESSING = "processing"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """The order's, over all its payments."""

    NONE = "none"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"
    AUTHORIZED = "authorized"
    PARTIALLY_CAPTURED = "partially_captured"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    DISPUTED = "disputed"


class OrderFulfillment(StrEnum):
    """The order's, over all its fulfillments."""

    UNFULFILLED = "unfulfilled"
    BACKORDERED = "backordered"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"
    DELIVERED = "delivered"
    RETURNED = "returned"


class Cancellation(StrEnum):
    """What became of the wish to cancel."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    REFUSED = "refused"


class LineCancellationStatus(StrEnum):
    ASKED = "asked"
    """Of the warehouse that has these units."""
    DONE = "done"
    REFUSED = "refused"
    """They had left."""


class CancelReason(StrEnum):
    CUSTOMER = "customer"
    PAYMENT = "payment"
    STOCK = "stock"
    EXPIRED = "expired"
    """Nobody came for it in time."""
    FRAUD = "fraud"
    OPERATOR = "operator"


class BackorderPolicy(StrEnum):
    """What the customer wants when not all is there."""

    SHIP_PARTIAL = "ship_partial"
    SHIP_COMPLETE = "ship_complete"
    """Nothing leaves before all of it can. Units that go missing later are waited for as well: what warehouses have is
    stopped, but for what was released to leave."""
    CANCEL_UNAVAILABLE = "cancel_unavailable"


class ShippingMethod(StrEnum):
    """How what is not planned yet comes to the customer; and, of a fulfillment, how its units do."""

    SHIP = "ship"
    PICKUP = "pickup"
    COUNTER = "counter"
    """Handed over where it is sold."""


class ContactKind(StrEnum):
    CUSTOMER = "customer"
    SHIP_TO = "ship_to"
    """Where the order goes."""
    LINE = "line"
    """Where one line goes."""
    PICKUP = "pickup"
    """Who picks the order up: a name alone."""
