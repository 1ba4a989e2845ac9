"""Fulfillments, labels and parcels on their way."""

from enum import StrEnum


class FulfillmentStatus(StrEnum):
    PLANNED = "planned"
    REQUESTED = "requested"
    PACKED = "packed"
    READY_FOR_PICKUP = "ready_for_pickup"
    """Packed, paid for as far as it is paid before, and the customer was told."""
    PICKED_UP = "picked_up"
    """What was not taken of it is back on the shelf."""
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class Recall(StrEnum):
    """A fulfillment the warehouse was asked to stop."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class HandOverProof(StrEnum):
    """How a store knows that whoever takes goods may have them."""

    CODE = "code"
    """The one that the customer was sent."""
    STAFF = "staff"
    """Somebody of the store has looked, and says at what."""


class RefusalReason(StrEnum):
    """Why a place will not do it."""

    REFUSED = "refused"
    """Nobody says."""
    TOO_BUSY = "too_busy"
    CLOSED = "closed"


class LabelStatus(StrEnum):
    NONE = "none"
    BUYING = "buying"
    BOUGHT = "bought"
    REFUND_REQUESTED = "refund_requested"
    REFUNDED = "refunded"
    REFUND_REJECTED = "refund_rejected"
    USED = "used"


class TrackingStatus(StrEnum):
    UNKNOWN = "unknown"
    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    RETURN_TO_SENDER = "return_to_sender"
    FAILURE = "failure"
