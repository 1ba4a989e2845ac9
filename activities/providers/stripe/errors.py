"""Stripe's errors in our words. Only codes get through: messages may name a person."""

import re

import stripe
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable

PROVIDER = "stripe"
SETTINGS = "check STRIPE_API_KEY"
WAIT = "Stripe does not answer as it should: it is tried again by itself. See its status page if it lasts."
LOOK_UP = "Look this code up in Stripe's list of error codes, mend the cause, then retry; or cancel."
UNKNOWN_METHOD = "payment_method_unknown"
ADVICE = {
    "amount_too_small": "Stripe takes no charge as small as this: cancel, or take the money another way.",
    "amount_too_large": "Stripe takes no charge as large as this: cancel, and place it as several orders.",
    "parameter_invalid_integer": "Stripe takes no such amount in this currency: cancel, and place the order anew.",
    "invalid_amount": "more than is left to capture or refund: compare with the payment in Stripe's dashboard",
    "invalid_currency": "the account cannot charge this currency: enable it at Stripe, then retry",
    UNKNOWN_METHOD: "Stripe does not know this payment method: ask the customer for another",
    "charge_not_refundable": "nothing of this charge can be refunded: compare with the payment in Stripe's dashboard",
    "charge_expired_for_capture": "the authorization has lapsed: retry, and it is authorized again",
    "insufficient_funds": "the balance at Stripe does not cover this refund: add funds there, then retry",
    "account_invalid": "the account cannot take charges: see what Stripe asks for in its dashboard, then retry",
    "payment_intent_unexpected_state": "perhaps done already: retrieve the intent and compare",
    "charge_already_refunded": "perhaps done already: list the intent's refunds and compare",
    "charge_disputed": "the bank decides now: answer the dispute",
    "resource_missing": "Stripe does not know this id: are key and id of one account and mode?",
}


def translated(trouble: Exception, *, effect: bool) -> ProviderFailure:
    """`effect`: whether the call may have done something, so that no answer means that nobody knows."""
    match trouble:
        case stripe.APIConnectionError():
            if _never_sent(trouble):
                return Unavailable(PROVIDER, "unreachable", WAIT)
            return _unanswered("connection", effect)
        case stripe.RateLimitError():
            return Unavailable(PROVIDER, _code(trouble) or "rate_limit", WAIT)
        case stripe.IdempotencyError():
            return Refused(PROVIDER, "idempotency_error", "a key was used again with other parameters: report this bug")
        case stripe.AuthenticationError():
            return Refused(PROVIDER, "credentials", SETTINGS)
        case stripe.PermissionError():
            return Refused(PROVIDER, "permission", SETTINGS)
        case stripe.CardError() | stripe.InvalidRequestError():
            code = _code(trouble) or _about(trouble.param)
            return Refused(PROVIDER, code, ADVICE.get(code, LOOK_UP))
        case stripe.StripeError():
            return _unanswered(_code(trouble) or f"http_{trouble.http_status or 'unknown'}", effect)
    # Whatever else the SDK raises, it may have raised it over an answer that it could not read.
    return _unanswered("unreadable_answer", effect)


def unknown_method(trouble: stripe.InvalidRequestError) -> bool:
    """Whether the payment method is none that can be charged: not known, another customer's, used up."""
    return bool(trouble.param == "payment_method")


def _unanswered(code: str, effect: bool) -> ProviderFailure:
    return OutcomeUnknown(PROVIDER, code, WAIT) if effect else Unavailable(PROVIDER, code, WAIT)


def _code(trouble: stripe.StripeError) -> str | None:
    """`.code` is empty on some classes; the body has it."""
    code = trouble.code or getattr(trouble.error, "code", None)
    return code if isinstance(code, str) and re.fullmatch(r"[a-z0-9_]{1,80}", code) else None


def _about(param: str | None) -> str:
    name = re.match(r"[a-z_]+", param or "")
    return f"invalid_{name.group()}" if name else "invalid_request"


def _never_sent(trouble: BaseException | None) -> bool:
    """Whether the connection could not even be made."""
    while trouble is not None:
        reason = trouble.reason if isinstance(trouble, MaxRetryError) else trouble
        if isinstance(reason, NewConnectionError | ConnectTimeoutError):
            return True
        inner = next((each for each in trouble.args if isinstance(each, MaxRetryError)), None)
        trouble = inner or trouble.__cause__ or trouble.__context__
    return False
