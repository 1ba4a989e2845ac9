"""Stripe: what became of authorizations, refunds and disputes. Verified as Stripe's own SDK does.

About a refund of ours that we have not recorded yet the answer is 409, and Stripe sends it again; about anything else
that is not ours, 200.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, SecretStr, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session
from stripe import SignatureVerificationError, WebhookSignature

from activities.facts import money
from activities.facts.journal import nudge
from activities.ports import IntentStatus, PaymentIntent, RefundStatus
from infra.clock import instant_told
from infra.database.tables import Order, Payment, Refund
from infra.words import AuthorizationStatus, EventType
from starter.http.problems import Refusal
from starter.http.responses import problems
from starter.webhooks.inbox import Body, Item, Outcome, Taken, read, signed_body, take, unsigned

TOLERANCE_SECONDS = 300
REFUND_ENDS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}

OBJECT = ("data", "object")

router = APIRouter(tags=["Webhooks"])

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]


class Thing(Body):
    object: dict[str, Any]


class Event(Body):
    id: Word
    type: Word
    created: Annotated[int, Field(ge=946_684_800, lt=7_258_118_400)]
    data: Thing

    @property
    def at(self) -> datetime:
        return instant_told(datetime.fromtimestamp(self.created, UTC))


class LastError(Body):
    code: Word | None = None
    decline_code: Word | None = None


class IntentObject(Body):
    id: Word
    status: str
    amount: int = 0
    amount_received: int = 0
    cancellation_reason: str | None = None
    last_payment_error: LastError | None = None


class RefundObject(Body):
    id: Word
    status: str | None = None
    metadata: dict[str, str] | None = None


class DisputeObject(Body):
    id: Word
    payment_intent: Word | None = None


@router.post("/webhooks/stripe", summary="Events of Stripe", responses=problems(400, 401, 409, 413))
async def stripe(request: Request) -> Taken:
    """Signed with the endpoint's secret, at most five minutes ago."""
    body = await signed_body(request, "stripe-signature")
    verify(body, request.headers.get("stripe-signature"), request.app.state.dependencies.settings.stripe_webhook_secret)
    event = read(Event, body)
    about = str(event.data.object.get("id", ""))
    item = Item("stripe", event.id, event.type, about)
    apply = APPLY.get(event.type, ignored)
    return await run_in_threadpool(take, request, item, lambda tx: apply(tx, event))


def verify(body: bytes, header: str | None, secrets: Iterable[SecretStr]) -> None:
    if not any(signed(body, header, secret.get_secret_value()) for secret in secrets):
        raise unsigned()


def signed(body: bytes, header: str | None, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, header, secret, TOLERANCE_SECONDS))
    except (SignatureVerificationError, ValueError, TypeError):  # the latter two: what is no text, or not ASCII
        return False


# --- what each type changes -------------------------------------------------------------------------------------------


def authorized(tx: Session, event: Event) -> Outcome:
    """The customer has confirmed, later than our own call. Until when the money is held the event does not say: the
    order asks for it."""
    payment = payment_of(tx, read(IntentObject, event.data.object, *OBJECT).id)
    if payment is None:
        return Outcome.IGNORED
    return nudged(tx, payment, money.customer_acted(tx, payment.payment_id, event.at))


def declined(tx: Session, event: Event) -> Outcome:
    told = read(IntentObject, event.data.object, *OBJECT)
    payment = payment_of(tx, told.id)
    if payment is None:
        return Outcome.IGNORED
    waited = payment.status == AuthorizationStatus.ACTION_REQUIRED
    error = told.last_payment_error or LastError()
    code = (error.decline_code or error.code or "declined")[:40]
    answer = PaymentIntent(intent_id=told.id, status=IntentStatus.DECLINED, amount=payment.amount, decline_code=code)
    # what our own call is being told, it records itself
    return nudged(tx, payment, waited and money.answered(tx, payment.payment_id, answer, event.at))


def ended(tx: Session, event: Event) -> Outcome:
    """Voided by us, or expired by itself; of the latter the order must hear."""
    told = read(IntentObject, event.data.object, *OBJECT)
    payment = payment_of(tx, told.id)
    if payment is None:
        return Outcome.IGNORED
    expired = told.cancellation_reason == "automatic"
    if not money.ended(
        tx, payment.payment_id, EventType.AUTHORIZATION_ENDED if expired else EventType.VOIDED, event.at
    ):
        return Outcome.UNCHANGED
    if expired:
        nudge(tx, [payment.order_id])
    return Outcome.TAKEN


def taken_or_lapsed(tx: Session, event: Event) -> Outcome:
    """Mostly the echo of our last capture. Less taken than we know to be authorized, and no capture of ours on its way:
    the rest of the authorization has lapsed."""
    told = read(IntentObject, event.data.object, *OBJECT)
    payment = payment_of(tx, told.id)
    if payment is None:
        return Outcome.IGNORED
    lapsed = (
        payment.status == AuthorizationStatus.AUTHORIZED and told.amount_received == payment.captured < payment.amount
    )
    return nudged(tx, payment, lapsed and money.ended(tx, payment.payment_id, EventType.AUTHORIZATION_ENDED, event.at))


def refund_changed(tx: Session, event: Event) -> Outcome:
    told = read(RefundObject, event.data.object, *OBJECT)
    refund = tx.scalars(select(Refund).where(Refund.reference == told.id)).first()
    if refund is None:
        if event.type != "refund.created" and ours(tx, (told.metadata or {}).get("order_id", "")):
            raise Refusal(409, "this refund is not recorded yet: send it again")
        return Outcome.IGNORED
    end = REFUND_ENDS.get(told.status or "")
    if end is None or not money.refund_seen(tx, told.id, end, event.at):
        return Outcome.UNCHANGED
    nudge(tx, [refund.order_id])
    return Outcome.TAKEN


def disputed(tx: Session, event: Event) -> Outcome:
    told = read(DisputeObject, event.data.object, *OBJECT)
    payment = payment_of(tx, told.payment_intent) if told.payment_intent else None
    if payment is None:
        return Outcome.IGNORED
    return nudged(tx, payment, money.disputed(tx, payment.payment_id, told.id, event.at))


def ignored(tx: Session, event: Event) -> Outcome:
    return Outcome.IGNORED


APPLY = {
    "payment_intent.amount_capturable_updated": authorized,
    "payment_intent.payment_failed": declined,
    "payment_intent.canceled": ended,
    "payment_intent.succeeded": taken_or_lapsed,
    "refund.created": refund_changed,
    "refund.updated": refund_changed,
    "refund.failed": refund_changed,
    "charge.dispute.created": disputed,
}


def payment_of(tx: Session, intent: str) -> Payment | None:
    return tx.scalars(select(Payment).where(Payment.intent == intent)).first()


def ours(tx: Session, order_id: str) -> bool:
    """Whoever made a refund wrote there what they liked."""
    return order_id.isprintable() and tx.get(Order, order_id) is not None


def nudged(tx: Session, payment: Payment, changed: bool) -> Outcome:
    if not changed:
        return Outcome.UNCHANGED
    nudge(tx, [payment.order_id])
    return Outcome.TAKEN
