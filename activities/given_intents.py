"""A payment intent that was authorized before it was given to us: taken over where it is what the order needs. What is
not is left alone, as it may be another's."""

from activities.failures import Refused
from activities.ports import IntentStatus, PaymentIntent, Payments
from infra.words import IntentMisfit

UNKNOWN = "resource_missing"
"""How the provider answers for what is not in this account."""


def taken_over(
    payments: Payments, intent_id: str, *, amount: int, currency: str, marks: dict[str, str], key: str
) -> PaymentIntent:
    """The intent, which names its order from now on; declined, by what does not fit, where it is not what is needed.
    Safe to repeat, also after an answer that was lost."""
    try:
        found = payments.intent(intent_id)
    except Refused as refused:
        if refused.code != UNKNOWN:
            raise
        return declined(PaymentIntent(intent_id=intent_id, status=IntentStatus.ENDED, amount=0), IntentMisfit.UNKNOWN)
    if (misfit := misfit_of(found, amount, currency, marks)) is None and not marks.items() <= found.metadata.items():
        found = payments.mark(intent_id, metadata=marks, key=key)
        misfit = misfit_of(found, amount, currency, marks)  # as it is now
    return declined(found, misfit) if misfit else found


def misfit_of(found: PaymentIntent, amount: int, currency: str, marks: dict[str, str]) -> IntentMisfit | None:
    if found.of_others or found.metadata.get("order_id", marks["order_id"]) != marks["order_id"]:
        return IntentMisfit.OF_ANOTHER_ORDER
    if found.currency != currency:
        return IntentMisfit.CURRENCY
    if found.amount != amount:
        return IntentMisfit.AMOUNT
    if not found.by_hand:
        return IntentMisfit.CAPTURE_METHOD
    if found.status != IntentStatus.AUTHORIZED or found.captured:
        return IntentMisfit.STATUS
    return None


def declined(found: PaymentIntent, misfit: IntentMisfit) -> PaymentIntent:
    return found.model_copy(update={"status": IntentStatus.DECLINED, "decline_code": misfit, "captured": 0})
