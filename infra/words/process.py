"""Events, deadlines, holds and changes of the process."""

from enum import StrEnum


class EventType(StrEnum):
    PLACED = "placed"
    BACKORDERED = "backordered"
    PROMISE_PASSED = "promise_passed"
    UNAVAILABLE_CANCELLED = "unavailable_cancelled"
    UNITS_CANCELLED = "units_cancelled"
    UNITS_NOT_CANCELLED = "units_not_cancelled"
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
    CHARGE_CANCELLED = "charge_cancelled"
    VOIDED = "voided"
    VOID_GIVEN_UP = "void_given_up"
    AUTHORIZATION_ENDED = "authorization_ended"
    RENEWAL_ASKED = "renewal_asked"
    CAPTURED_ELSEWHERE = "captured_elsewhere"
    VOIDED_ELSEWHERE = "voided_elsewhere"
    REFUNDED_ELSEWHERE = "refunded_elsewhere"
    REFUND_ASKED = "refund_asked"
    REFUND_PENDING = "refund_pending"
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

    MESSAGE_SENT = "message_sent"
    MESSAGE_FAILED = "message_failed"
    MESSAGES_GIVEN_UP = "messages_given_up"


class DeadlineKind(StrEnum):
    AUTHORIZATION_ENDS = "authorization_ends"
    PROMISE_PASSES = "promise_passes"
    BACKORDER_OVERDUE = "backorder_overdue"
    HOLD_FORGOTTEN = "hold_forgotten"
    PAYMENT_REMINDER = "payment_reminder"
    PARCELS_TOLD = "parcels_told"


class ChangeKind(StrEnum):
    CANCEL = "cancel"
    RESOLVE = "resolve"
    REFUND = "refund"


class Decision(StrEnum):
    """About a change: of a cancellation the first three, of a refund the first, of a hold's resolution the others."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    REFUSED = "refused"
    RETRY = "retry"
    SKIP = "skip"
    DONE = "done"
    CANCEL = "cancel"
    REPLAN = "replan"
    RESHIP = "reship"
    REFUND = "refund"
    SUPERSEDED = "superseded"
    """The hold was closed otherwise."""
