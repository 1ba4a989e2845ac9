"""Payments, refunds and moves of money."""

from enum import StrEnum


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
