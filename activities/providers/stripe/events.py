"""What Stripe tells: authorizations, refunds and disputes. Verified as its own SDK does."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from stripe import SignatureVerificationError, WebhookSignature

from activities.intake.fields import ID, REFUND
from activities.news import (
    AnyContent,
    Body,
    Delivery,
    News,
    PaymentConfirmed,
    PaymentDeclined,
    PaymentDisputed,
    PaymentEnded,
    PaymentTaken,
    RefundChanged,
    Unsigned,
    parsed,
)
from activities.ports import RefundStatus
from activities.providers.stripe import disputes
from activities.providers.stripe.disputes import Word

TOLERANCE_SECONDS = 300
INSTALLATION = "installation"
"""Under which name whatever is made says whose it is: others may use the same account, and ids like ours."""
EXPIRED = "automatic"
"""Why an intent was cancelled, where nobody did it."""
REFUND_ENDS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class StripeEvents:
    signature = "stripe-signature"

    def __init__(self, secrets: Sequence[str], installation: str = "orders") -> None:
        self.secrets = secrets
        self.installation = installation

    def read(self, delivery: Delivery) -> News:
        """Signed with the endpoint's secret, at most five minutes ago."""
        if not any(signed(delivery, self.signature, secret) for secret in self.secrets):
            raise Unsigned
        event = parsed(Event, delivery.body)
        content = READERS[event.type](self.named(event.data.object)) if event.type in READERS else None
        return News(event.id, event.type, content, datetime.fromtimestamp(event.created, UTC))

    def named(self, thing: dict[str, Any]) -> dict[str, Any]:
        """What another installation wrote names no order of ours."""
        marks = thing.get("metadata")
        whose = marks.get(INSTALLATION, self.installation) if isinstance(marks, dict) else self.installation
        return thing if whose == self.installation else thing | {"metadata": {}}


def signed(delivery: Delivery, header: str, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(delivery.body, delivery.headers[header], secret, TOLERANCE_SECONDS))
    except (SignatureVerificationError, ValueError, TypeError):  # the latter two: what is no text, or not ASCII
        return False


class Thing(Body):
    object: dict[str, Any]


class Event(Body):
    id: Word
    type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]
    created: Annotated[int, Field(ge=946_684_800, lt=7_258_118_400)]
    data: Thing


class Ours(Body):
    metadata: dict[str, str] | None = None

    @property
    def order(self) -> str:
        """Whoever made it wrote there what they liked."""
        named = (self.metadata or {}).get("order_id", "")
        return named if re.fullmatch(ID, named) else ""


class LastError(Body):
    code: Word | None = None
    decline_code: Word | None = None


class IntentObject(Ours):
    id: Word
    amount_received: int = 0
    cancellation_reason: str | None = None
    last_payment_error: LastError | None = None


class RefundObject(Ours):
    id: Word
    status: str | None = None
    payment_intent: Word | None = None
    amount: int = 0
    balance_transaction: str | None = None

    @property
    def made_for(self) -> str:
        named = (self.metadata or {}).get("refund", "")
        return named if re.fullmatch(REFUND, named) else ""


def intent_in(data: dict[str, Any]) -> IntentObject:
    return parsed(IntentObject, data, "data", "object")


def confirmed(data: dict[str, Any]) -> AnyContent:
    intent = intent_in(data)
    return PaymentConfirmed(intent=intent.id, order=intent.order)


def declined(data: dict[str, Any]) -> AnyContent:
    intent = intent_in(data)
    error = intent.last_payment_error or LastError()
    code = (error.decline_code or error.code or "declined")[:40]
    return PaymentDeclined(intent=intent.id, order=intent.order, code=code)


def ended(data: dict[str, Any]) -> AnyContent:
    intent = intent_in(data)
    return PaymentEnded(intent=intent.id, order=intent.order, expired=intent.cancellation_reason == EXPIRED)


def taken(data: dict[str, Any]) -> AnyContent:
    intent = intent_in(data)
    return PaymentTaken(intent=intent.id, order=intent.order, captured=intent.amount_received)


def refunded(data: dict[str, Any]) -> AnyContent:
    refund = parsed(RefundObject, data, "data", "object")
    return RefundChanged(
        refund=refund.id,
        intent=refund.payment_intent or "",
        order=refund.order,
        ours=refund.made_for,
        moved=refund.balance_transaction is not None or refund.status != "succeeded",
        amount=refund.amount,
        status=REFUND_ENDS.get(refund.status or "", RefundStatus.PENDING),
    )


def disputed(data: dict[str, Any]) -> AnyContent | None:
    dispute = disputes.read(parsed(disputes.DisputeObject, data, "data", "object"))
    return PaymentDisputed(intent=dispute.intent_id, dispute=dispute) if dispute.intent_id else None


READERS: dict[str, Callable[[dict[str, Any]], AnyContent | None]] = {
    "payment_intent.amount_capturable_updated": confirmed,
    "payment_intent.payment_failed": declined,
    "payment_intent.canceled": ended,
    "payment_intent.succeeded": taken,
    "refund.created": refunded,
    "refund.updated": refunded,
    "refund.failed": refunded,
    "charge.dispute.created": disputed,
    "charge.dispute.updated": disputed,
    "charge.dispute.funds_withdrawn": disputed,
    "charge.dispute.funds_reinstated": disputed,
    "charge.dispute.closed": disputed,
}
