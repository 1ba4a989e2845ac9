"""Fulfillments, labels and parcels on their way."""

from enum import StrEnum


class FulfillmentStatus(StrEnum):
    PLANNED = "planned"
    REQUESTED = "requested"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class Recall(StrEnum):
    """A fulfillment the warehouse was asked to stop."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


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
