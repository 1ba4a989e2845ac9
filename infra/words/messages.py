"""What customers hear, and places without a system of their own."""

from enum import StrEnum


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class MessageKind(StrEnum):
    CONFIRMED = "confirmed"
    PAYMENT_PROBLEM = "payment_problem"
    PAYMENT_ACTION = "payment_action"
    PAYMENT_REMINDER = "payment_reminder"
    PAYMENT_ENDING = "payment_ending"
    BACKORDERED = "backordered"
    DELAYED = "delayed"
    SHIPPED = "shipped"
    PARTLY_SHIPPED = "partly_shipped"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    SENT_AGAIN = "sent_again"
    NOT_DELIVERED = "not_delivered"
    READY_FOR_PICKUP = "ready_for_pickup"
    PICKUP_CODE = "pickup_code"
    PICKUP_CHOICE = "pickup_choice"
    PICKUP_REMINDER = "pickup_reminder"
    PICKUP_EXPIRED = "pickup_expired"
    PICKED_UP = "picked_up"
    CANCELLED = "cancelled"
    PARTLY_CANCELLED = "partly_cancelled"
    CANCELLATION_REFUSED = "cancellation_refused"
    REFUNDED = "refunded"

    STORE_REQUEST = "store_request"
    STORE_REMINDER = "store_reminder"
    STORE_RECALL = "store_recall"


class MessageStatus(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    READ = "read"
