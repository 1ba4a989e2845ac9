"""The vendor's test payment methods, and ours: a name stands for a card that behaves in one way."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Card:
    """How a card behaves."""

    brand: str = "visa"
    last4: str = "4242"
    code: str | None = None
    """Declined with this error code."""
    decline_code: str | None = None
    challenge: Literal["never", "until_saved", "always"] = "never"
    """Whether the bank wants 3-D Secure on session; off session it then refuses with authentication_required."""
    off_session: bool = True
    """Whether it works off session at all."""
    multicapture: bool = True
    refunds: Literal["succeed", "pend", "fail"] = "succeed"
    disputed: Literal["", "fraudulent", "product_not_received", "general"] = ""
    """Disputed for this reason as soon as it is captured; `general` is an inquiry."""


def declined(decline_code: str, last4: str, code: str = "card_declined") -> Card:
    return Card(last4=last4, code=code, decline_code=decline_code)


CARDS = {
    "pm_card_visa": Card(),
    "pm_card_mastercard": Card(brand="mastercard", last4="4444"),
    "pm_card_amex": Card(brand="amex", last4="0005"),
    "pm_card_discover": Card(brand="discover", last4="9424", multicapture=False),
    "pm_card_credit_disableEnterpriseCardFeatures": Card(last4="0076", multicapture=False),
    "pm_card_chargeDeclined": declined("generic_decline", "0002"),
    "pm_card_chargeDeclinedInsufficientFunds": declined("insufficient_funds", "9995"),
    "pm_card_chargeDeclinedFraudulent": declined("fraudulent", "0019"),
    "pm_card_chargeDeclinedLostCard": declined("lost_card", "9987"),
    "pm_card_chargeDeclinedStolenCard": declined("stolen_card", "9979"),
    "pm_card_chargeDeclinedExpiredCard": declined("expired_card", "0069", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": declined("incorrect_cvc", "0127", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": declined("processing_error", "0119", "processing_error"),
    "pm_card_authenticationRequired": Card(last4="3184", challenge="always"),
    "pm_card_authenticationRequiredOnSetup": Card(last4="3155", challenge="until_saved"),
    "pm_card_declinedOffSession": Card(last4="0341", off_session=False),
    "pm_card_pendingRefund": Card(last4="7726", refunds="pend"),
    "pm_card_refundFail": Card(last4="5126", refunds="fail"),
    "pm_card_createDispute": Card(last4="0259", disputed="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Card(last4="2685", disputed="product_not_received"),
    "pm_card_createDisputeInquiry": Card(last4="1976", disputed="general"),
}

TRIGGERS = [
    ("pm_card_visa, pm_card_mastercard, pm_card_amex", "good; several captures of one authorization are possible"),
    ("pm_card_discover, pm_card_credit_disableEnterpriseCardFeatures", "good; one capture only"),
    ("pm_card_chargeDeclined", "declined: generic_decline"),
    ("pm_card_chargeDeclined{InsufficientFunds|Fraudulent|LostCard|StolenCard}", "declined with that code"),
    ("pm_card_chargeDeclined{ExpiredCard|IncorrectCvc|ProcessingError}", "declined with that code"),
    ("pm_card_authenticationRequired", "3-D Secure on session (a page here); off session: authentication_required"),
    ("pm_card_authenticationRequiredOnSetup", "3-D Secure until it is saved; then good off session"),
    ("pm_card_declinedOffSession", "good on session, declined off session"),
    ("pm_card_pendingRefund", "a refund is pending; it succeeds two paces later"),
    ("pm_card_refundFail", "a refund succeeds, and fails two paces later"),
    ("pm_card_createDispute, pm_card_createDisputeProductNotReceived", "disputed as soon as it is captured"),
    ("pm_card_createDisputeInquiry", "the bank inquires as soon as it is captured, and takes nothing"),
    ("pm_card_visa_…", "the same as pm_card_…"),
]


def card_named(name: str) -> str | None:
    """The canonical name of a test payment method."""
    plain = name.replace("pm_card_visa_", "pm_card_", 1)
    return plain if plain in CARDS else None
