"""Payments, refunds and moves of money."""

from enum import StrEnum


class PaymentMethod(StrEnum):
    CARD = "card"
    PAYMENT_INTENT = "payment_intent"
    """Authorized on the shop's own page, before the order was placed."""
    EXTERNAL = "external"
    """Somebody else takes the money."""


class TenderDue(StrEnum):
    """When the money of a tender is needed."""

    BEFORE_RELEASE = "before_release"
    """Set aside by the payment provider first, and taken as goods get ready."""
    AT_HAND_OVER = "at_hand_over"
    """Taken at the store, by somebody else, as the goods are handed over."""
    ELSEWHERE = "elsewhere"
    """Taken by somebody else, before the order was placed."""


class TenderKind(StrEnum):
    """How something was paid at a till."""

    CASH = "cash"
    TERMINAL = "terminal"
    EXCHANGE = "exchange"
    """By goods that came back: what was paid for them."""


class RefundWay(StrEnum):
    """How somebody who brings goods back is given the money for them."""

    ORIGINAL = "original"
    """As it was paid."""
    CASH = "cash"


class AuthorizationStatus(StrEnum):
    """One payment's."""

    ASKED = "asked"
    ACTION_REQUIRED = "action_required"
    DECLINED = "declined"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    ENDED = "ended"


class IntentMisfit(StrEnum):
    """Why a payment intent that was given is not what the order needs: then it is left alone."""

    UNKNOWN = "intent_unknown"
    OF_ANOTHER_ORDER = "intent_of_another_order"
    CURRENCY = "intent_currency"
    AMOUNT = "intent_amount"
    CAPTURE_METHOD = "intent_capture_method"
    STATUS = "intent_status"


class ChargePurpose(StrEnum):
    UNITS = "units"


class ChargeStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    """All of it that was not credited has come."""
    CANCELLED = "cancelled"
    """It will not be asked for."""


class RefundStatus(StrEnum):
    ASKED = "asked"
    """Of us: nothing is known to the provider."""
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    """A person has settled it otherwise."""


class DisputeStatus(StrEnum):
    INQUIRY = "inquiry"
    """The bank asks, and has taken nothing."""
    OPEN = "open"
    WON = "won"
    """Or an inquiry that came to nothing."""
    LOST = "lost"


class MoneyMoveKind(StrEnum):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    ASSIGNED = "assigned"
    """Off one charge, or none, and onto another, perhaps of an order that is taken in exchange: a pair that sums to
    nothing."""
    DISPUTED = "disputed"
    """Taken by the customer's bank."""
    DISPUTE_RETURNED = "dispute_returned"
