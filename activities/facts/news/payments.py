"""What became of authorizations, refunds and disputes."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from activities.facts import disputes, elsewhere, money, refunds
from activities.facts.journal import nudge
from activities.news import (
    PaymentConfirmed,
    PaymentDeclined,
    PaymentDisputed,
    PaymentEnded,
    PaymentNews,
    PaymentTaken,
    RefundChanged,
)
from activities.ports import IntentStatus, PaymentIntent
from activities.ports import Refund as ProviderRefund
from infra.database.tables import Order, Payment, Refund
from infra.words import AuthorizationStatus, EventType, NewsOutcome, RefundStatus

UNHEARD = (AuthorizationStatus.ASKED, AuthorizationStatus.ACTION_REQUIRED)


def confirmed(tx: Session, content: PaymentConfirmed, at: datetime) -> NewsOutcome:
    """The customer has confirmed, later than our own call. Until when the money is held the news does not say: the
    order asks for it."""
    payment = payment_of(tx, content.intent)
    if payment is None:
        return not_known(tx, content)
    return nudged(
        tx, payment, payment.status not in money.ONCE_GOOD and money.customer_acted(tx, payment.payment_id, at)
    )


def declined(tx: Session, content: PaymentDeclined, at: datetime) -> NewsOutcome:
    payment = payment_of(tx, content.intent)
    if payment is None:
        return not_known(tx, content)
    waited = payment.status == AuthorizationStatus.ACTION_REQUIRED
    status = IntentStatus.DECLINED
    answer = PaymentIntent(intent_id=content.intent, status=status, amount=payment.amount, decline_code=content.code)
    # what our own call is being told, it records itself
    return nudged(tx, payment, waited and money.answered(tx, payment.payment_id, answer, at))


def ended(tx: Session, content: PaymentEnded, at: datetime) -> NewsOutcome:
    """Voided by us, expired by itself, or voided by somebody else; of the latter two the order must hear. While a
    capture is in doubt, its look-up tells what was taken and what is left."""
    payment = payment_of(tx, content.intent)
    if payment is None:
        return not_known(tx, content)
    if payment.payment_id in elsewhere.in_doubt(tx, payment.order_id):
        return NewsOutcome.UNCHANGED
    ours = elsewhere.voided_by_us(tx, payment)
    by_whom = EventType.VOIDED if ours else EventType.VOIDED_ELSEWHERE
    kind = EventType.AUTHORIZATION_ENDED if content.expired else by_whom
    if payment.status in money.OVER or not money.ended(tx, payment.payment_id, kind, at):
        return NewsOutcome.UNCHANGED
    if kind != EventType.VOIDED:
        nudge(tx, [payment.order_id])
    return NewsOutcome.TAKEN


def taken(tx: Session, content: PaymentTaken, at: datetime) -> NewsOutcome:
    """Mostly the echo of our last capture. Where no capture of ours is on its way: the rest of the authorization has
    lapsed, or somebody else has taken of it. What waits for its authorization asks the provider itself."""
    payment = payment_of(tx, content.intent)
    if payment is None:
        return not_known(tx, content)
    if payment.status in UNHEARD:
        return nudged(tx, payment, money.customer_acted(tx, payment.payment_id, at))
    is_open = payment.status == AuthorizationStatus.AUTHORIZED
    more = content.captured > payment.captured
    if not (is_open or more) or payment.payment_id in elsewhere.in_doubt(tx, payment.order_id):
        return NewsOutcome.UNCHANGED
    kind = EventType.AUTHORIZATION_ENDED
    return nudged(tx, payment, money.ended(tx, payment.payment_id, kind, at, taken=content.captured))


def refund_changed(tx: Session, content: RefundChanged, at: datetime) -> NewsOutcome:
    """One of ours that we have not recorded yet waits. One that somebody else made is booked as it is."""
    refund = tx.scalars(select(Refund).where(Refund.reference == content.refund)).first()
    if refund is None and (unasked := given_up(tx, content)):
        made = ProviderRefund(refund_id=content.refund, amount=content.amount, status=content.status)
        refunds.pending(tx, unasked, made, at)
        return NewsOutcome.TAKEN
    if refund is None and not content.ours:
        payment = payment_of(tx, content.intent)
        if payment is None or not content.moved:
            return not_known_refund(tx, content)
        refund = elsewhere.refunded(tx, payment, content.refund, content.amount, at)
        refunds.seen(tx, refund, content.status, at)
        nudge(tx, [refund.order_id])
        return NewsOutcome.TAKEN
    if refund is None:
        return not_known_refund(tx, content)
    if not refunds.may_become(refund, content.status) or not refunds.seen(tx, refund, content.status, at):
        return NewsOutcome.UNCHANGED
    nudge(tx, [refund.order_id])
    return NewsOutcome.TAKEN


def given_up(tx: Session, content: RefundChanged) -> str | None:
    """One of ours of which nobody waits for an answer any more, though the provider has made it."""
    mine = (Refund.refund_id == content.ours, Refund.status == RefundStatus.GIVEN_UP, Refund.reference.is_(None))
    return tx.scalars(select(Refund.refund_id).where(*mine)).first() if content.ours and content.moved else None


def not_known_refund(tx: Session, content: RefundChanged) -> NewsOutcome:
    if not content.moved:
        return NewsOutcome.UNCHANGED
    ours = payment_of(tx, content.intent) is not None or tx.get(Order, content.order) is not None
    return NewsOutcome.WAITING if ours else NewsOutcome.IGNORED


def disputed(tx: Session, content: PaymentDisputed, at: datetime) -> NewsOutcome:
    payment = payment_of(tx, content.intent)
    if payment is None:
        return NewsOutcome.WAITING  # it names no order, has a deadline, and costs money
    return nudged(tx, payment, disputes.reported(tx, payment.payment_id, content.dispute, at))


OF_ORDERS = select(Payment).where(Payment.intent == bindparam("intent"), Payment.order_id.is_not(None))


def payment_of(tx: Session, intent: str) -> Payment | None:
    """An order's. One that was given with it and not looked at yet may be another's."""
    found = tx.scalars(OF_ORDERS, {"intent": intent}).first()
    return None if found is None or found.unseen else found


def not_known(tx: Session, content: PaymentNews) -> NewsOutcome:
    """Others may use the same account: what names no order of ours is theirs. Of a payment that is of no order a person
    hears."""
    without_order = select(Payment.payment_id).where(Payment.intent == content.intent)
    ours = tx.get(Order, content.order) is not None or tx.scalar(without_order) is not None
    return NewsOutcome.WAITING if ours else NewsOutcome.IGNORED


def nudged(tx: Session, payment: Payment, changed: bool) -> NewsOutcome:
    if not changed:
        return NewsOutcome.UNCHANGED
    nudge(tx, [payment.order_id])
    return NewsOutcome.TAKEN
