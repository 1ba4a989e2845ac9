"""Our own words: what a column of states or kinds may hold. Stored as they are written here.

A word comes with its behaviour: what nothing writes has none.
"""

from enum import StrEnum

# --- the order --------------------------------------------------------------------------------------------------------


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


class CancelReason(StrEnum):
    CUSTOMER = "customer"
    PAYMENT = "payment"
    STOCK = "stock"
    FRAUD = "fraud"
    OPERATOR = "operator"


class BackorderPolicy(StrEnum):
    """What the customer wants when not all is there."""

    SHIP_PARTIAL = "ship_partial"
    SHIP_COMPLETE = "ship_complete"
    CANCEL_UNAVAILABLE = "cancel_unavailable"


class ShippingMethod(StrEnum):
    SHIP = "ship"


class ContactKind(StrEnum):
    CUSTOMER = "customer"
    SHIP_TO = "ship_to"
    """Where the order goes."""
    LINE = "line"
    """Where one line goes."""


# --- fulfillments and parcels -----------------------------------------------------------------------------------------


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


# --- stock ------------------------------------------------------------------------------------------------------------


class LocationKind(StrEnum):
    WAREHOUSE = "warehouse"
    STORE = "store"
    FACTORY = "factory"


class ReservationStatus(StrEnum):
    HELD = "held"
    CONSUMED = "consumed"
    RELEASED = "released"


class BackorderStatus(StrEnum):
    WAITING = "waiting"
    ALLOCATED = "allocated"
    CANCELLED = "cancelled"


class StockMoveKind(StrEnum):
    """Why a stock figure changed."""

    RECEIVED = "received"
    RESERVED = "reserved"
    ALLOCATED = "allocated"
    RELEASED = "released"
    SHIPPED = "shipped"
    SHORT_PICKED = "short_picked"


# --- money ------------------------------------------------------------------------------------------------------------


class PaymentMethod(StrEnum):
    CARD = "card"
    EXTERNAL = "external"
    """Somebody else takes the money."""


class AuthorizationStatus(StrEnum):
    """One payment's."""

    ASKED = "asked"
    ACTION_REQUIRED = "action_required"
    DECLINED = "declined"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    ENDED = "ended"


class RefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    """A person has settled it otherwise."""


class MoneyMoveKind(StrEnum):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"


# --- what the customer hears ------------------------------------------------------------------------------------------


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class MessageKind(StrEnum):
    CONFIRMED = "confirmed"
    PAYMENT_PROBLEM = "payment_problem"
    PAYMENT_ACTION = "payment_action"
    PAYMENT_REMINDER = "payment_reminder"
    BACKORDERED = "backordered"
    DELAYED = "delayed"
    SHIPPED = "shipped"
    PARTLY_SHIPPED = "partly_shipped"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    PARTLY_CANCELLED = "partly_cancelled"
    CANCELLATION_REFUSED = "cancellation_refused"
    REFUNDED = "refunded"


class MessageStatus(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    READ = "read"


# --- what we are told ----------------------------------------------------------------------------------------------


class NewsOutcome(StrEnum):
    """What became of a piece of news."""

    TAKEN = "taken"
    """It changed something."""
    UNCHANGED = "unchanged"
    """Late, an echo of our own call, or known by another way."""
    IGNORED = "ignored"
    """Of a type, or about something, that is not ours."""
    FORBIDDEN = "forbidden"
    """About a location that is not the sender's."""
    KNOWN = "known"
    """This very news was taken before."""
    WAITING = "waiting"
    """About what we do not know yet: applied as soon as we do."""
    UNMATCHED = "unmatched"
    """Waiting, and longer than any transaction of ours takes: a person sees to it, unless it comes to be after all."""
    FINDING = "finding"
    """Under the id of earlier news, and not what that said."""
    RESOLVED = "resolved"
    """A person has seen to what was unmatched, or to a finding."""


# --- the process ------------------------------------------------------------------------------------------------------


class SubjectKind(StrEnum):
    """What an event or a hold is about."""

    ORDER = "order"
    FULFILLMENT = "fulfillment"
    PARCEL = "parcel"
    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"


class EventType(StrEnum):
    PLACED = "placed"
    BACKORDERED = "backordered"
    PROMISE_PASSED = "promise_passed"
    UNAVAILABLE_CANCELLED = "unavailable_cancelled"
    STOCK_RELEASED = "stock_released"
    PLANNED = "planned"
    ADDRESS_GIVEN = "address_given"
    SERVICE_GIVEN = "service_given"
    NOT_UNDERSTOOD = "not_understood"
    HELD = "held"
    HOLD_CLOSED = "hold_closed"
    HOLD_REMINDED = "hold_reminded"

    CANCELLATION_ASKED = "cancellation_asked"
    CANCELLATION_ACCEPTED = "cancellation_accepted"
    CANCELLATION_PARTLY = "cancellation_partly"
    CANCELLATION_REFUSED = "cancellation_refused"

    AUTHORIZED = "authorized"
    PAYMENT_ACTION_REQUIRED = "payment_action_required"
    PAYMENT_CONFIRMED = "payment_confirmed"
    PAYMENT_REMINDED = "payment_reminded"
    DECLINED = "declined"
    PAYMENT_METHOD_GIVEN = "payment_method_given"
    CAPTURED = "captured"
    CHARGE_GIVEN_UP = "charge_given_up"
    VOIDED = "voided"
    VOID_GIVEN_UP = "void_given_up"
    AUTHORIZATION_ENDED = "authorization_ended"
    RENEWAL_ASKED = "renewal_asked"
    CAPTURED_ELSEWHERE = "captured_elsewhere"
    REFUND_ASKED = "refund_asked"
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    REFUND_GIVEN_UP = "refund_given_up"

    REQUESTED = "requested"
    PACKED = "packed"
    SHORT_PICKED = "short_picked"
    RECALL_ASKED = "recall_asked"
    RECALL_REFUSED = "recall_refused"
    FULFILLMENT_CANCELLED = "fulfillment_cancelled"
    RATED = "rated"
    LABEL_BOUGHT = "label_bought"
    LABEL_REFUND_REQUESTED = "label_refund_requested"
    LABEL_REFUNDED = "label_refunded"
    LABEL_REFUND_REJECTED = "label_refund_rejected"
    LABEL_WRITTEN_OFF = "label_written_off"
    RELEASED = "released"
    SHIPPED = "shipped"
    RETURNED = "returned"
    TAKEN_FOR_DELIVERED = "taken_for_delivered"

    # as the carrier tells it
    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    RETURN_TO_SENDER = "return_to_sender"
    FAILURE = "failure"

    TOLD = "told"
    MESSAGE_FAILED = "message_failed"
    MESSAGES_GIVEN_UP = "messages_given_up"


class DeadlineKind(StrEnum):
    AUTHORIZATION_ENDS = "authorization_ends"
    PROMISE_PASSES = "promise_passes"
    BACKORDER_OVERDUE = "backorder_overdue"
    HOLD_FORGOTTEN = "hold_forgotten"
    PAYMENT_REMINDER = "payment_reminder"


class ChangeKind(StrEnum):
    CANCEL = "cancel"
    RESOLVE = "resolve"


class Decision(StrEnum):
    """About a change: of a cancellation the first three, of a hold's resolution the others."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    REFUSED = "refused"
    RETRY = "retry"
    SKIP = "skip"
    CANCEL = "cancel"
    SUPERSEDED = "superseded"
    """The hold was closed otherwise."""
