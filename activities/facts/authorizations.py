"""How long money stays set aside, and who is asked when it does not."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines
from activities.facts.bill import bill
from activities.facts.holds import OF_AUTHORIZATION, closed, open_holds, opened
from activities.models import Subject
from infra.database.tables import Order, Payment
from infra.hold_kinds import HoldKind
from infra.words import AuthorizationStatus, DeadlineKind

REFUSED_FOR_GOOD = frozenset(
    {
        "stolen_card",
        "lost_card",
        "pickup_card",
        "fraudulent",
        "restricted_card",
        "security_violation",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "stop_payment_order",
    }
)
"""Decline codes after which the same card is not to be tried again: it stays refused, and asking looks like fraud
(Stripe, "Decline codes"). After others, as insufficient_funds, it may be good another day."""
NOT_SAVED = "not_saved"
"""The code of a hold for a method that pays once only."""


def about(payment: Payment) -> Subject:
    return Subject("payment", f"{payment.order_id}/{payment.n}")


def payment_about(tx: Session, subject_id: str) -> Payment:
    order_id, _, n = subject_id.rpartition("/")
    mine = select(Payment).where(Payment.order_id == order_id, Payment.n == int(n))
    return tx.scalars(mine.execution_options(populate_existing=True)).one()


def good_besides(tx: Session, payment: Payment) -> datetime | None:
    """Until when an earlier authorization is good, while this one is asked for."""
    earlier = (
        Payment.order_id == payment.order_id,
        Payment.n < payment.n,
        Payment.status == AuthorizationStatus.AUTHORIZED,
    )
    return tx.scalars(select(Payment.capture_before).where(*earlier)).first()


def renewal_wanted(tx: Session, order: Order, payment: Payment, at: datetime) -> None:
    """Before it ends; of one that is short, half-way."""
    if payment.capture_before and payment.capture_before > at:
        left = payment.capture_before - at
        before = min(DECLARED[DeadlineKind.AUTHORIZATION_ENDS].margin, left / 2)
        deadlines.begin(tx, order, DeadlineKind.AUTHORIZATION_ENDS, about(payment), payment.capture_before - before)


def ended_unrenewed(tx: Session, order: Order, at: datetime) -> None:
    """It has ended, and the bank has refused another while it was good, or there was none to ask for: now the goods
    wait for the customer."""
    mine = select(Payment).where(Payment.order_id == order.order_id).order_by(Payment.n.desc()).limit(1)
    last = tx.scalars(mine).one()
    refused = last.status in (AuthorizationStatus.DECLINED, AuthorizationStatus.ACTION_REQUIRED)
    if (refused or not last.reusable) and bill(tx, order).to_capture:
        needs_customer(tx, order, last, at)


def needs_customer(tx: Session, order: Order, payment: Payment, at: datetime, kind: HoldKind | None = None) -> None:
    """This payment is the one to decide about; what was held for an earlier one is superseded."""
    by, code = f"payment {payment.n}", payment.decline_code or (payment.status if payment.reusable else NOT_SAVED)
    for_good = not payment.reusable or payment.decline_code in REFUSED_FOR_GOOD
    kind = kind or (HoldKind.PAYMENT_METHOD_NEEDED if for_good else HoldKind.PAYMENT_NEEDS_CUSTOMER)
    superseded = [
        hold for hold in open_holds(tx, order.order_id, OF_AUTHORIZATION) if hold.subject_id != about(payment).id
    ]
    for hold in superseded:
        closed(tx, hold.hold_id, at, by=by, why="another payment was tried")
    opened(tx, order.order_id, kind, about(payment), at, code=code)
