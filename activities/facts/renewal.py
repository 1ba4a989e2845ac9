"""An authorization nears its end: another is asked for while it is good, so that there is never none."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.authorizations import REFUSED_FOR_GOOD, needs_customer, payment_about
from activities.facts.bill import bill
from activities.facts.journal import locked_order, note, tell
from activities.facts.money import ONCE_GOOD, ended
from activities.facts.placing import ask_payment
from activities.facts.statuses import captures_in_doubt
from infra.database.tables import Change, Order, Payment
from infra.hold_kinds import HoldKind
from infra.words import AuthorizationStatus, ChangeKind, EventType, MessageKind

UNDECIDED = timedelta(minutes=1)
"""A wish to cancel is decided first: then the amount is known."""
IN_DOUBT = timedelta(hours=1)
"""What was captured before the end stays captured: the capture itself is told whether it was."""


def renewal_due(tx: Session, order: Order, subject_id: str, at: datetime) -> datetime | None:
    """Asked for once, off session; the old one is voided by the step that has the new one, and stays good until its end
    where the bank declines."""
    payment = payment_about(tx, subject_id)
    if payment.status != AuthorizationStatus.AUTHORIZED or payment.capture_before is None:
        return None
    if at >= payment.capture_before:
        if captures_in_doubt(tx, order.order_id):
            return at + IN_DOUBT
        ended(tx, payment.payment_id, EventType.AUTHORIZATION_ENDED, at)
        return None
    if undecided(tx, order):
        return at + UNDECIDED
    left = bill(tx, order).to_capture
    if not left:
        return None
    newer = select(Payment.payment_id).where(Payment.order_id == order.order_id, Payment.n > payment.n)
    if not tx.scalars(newer).first():
        if payment.reusable:
            renewed = ask_payment(tx, order, payment.method, left, off_session=True)
            note(tx, order, EventType.RENEWAL_ASKED, at, amount=left, payment=renewed.n)
        else:
            until = payment.capture_before.isoformat(timespec="seconds")
            note(tx, order, EventType.RENEWAL_NEEDS_CUSTOMER, at, amount=left, payment=payment.n)
            tell(tx, order, MessageKind.PAYMENT_ENDING, f"payment {payment.n}", good_until=until)
    return payment.capture_before


def asked_again(tx: Session, order_id: str, at: datetime) -> None:
    """An operator has the last good payment method asked once more: at once, whether goods wait for it or not."""
    order = locked_order(tx, order_id)
    payments = payments_of(tx, order)
    left = bill(tx, order).to_capture
    waits = any(payment.status == AuthorizationStatus.ASKED for payment in payments)
    if left and not waits and (renewed := asked(tx, order, left, at)):
        note(tx, order, EventType.RENEWAL_ASKED, at, amount=left, payment=renewed.n)


def asked(tx: Session, order: Order, amount: int, at: datetime) -> Payment | None:
    """The last good payment method is asked for so much. None: the bank would only refuse it, and the customer is to
    give another."""
    payments = payments_of(tx, order)
    good = [payment for payment in payments if payment.status in ONCE_GOOD]
    last = (good or payments)[-1]
    refused = [p for p in payments if p.method == last.method and p.decline_code in REFUSED_FOR_GOOD]
    if good and (refused or not last.reusable):
        needs_customer(tx, order, (refused or good)[-1], at, HoldKind.PAYMENT_METHOD_NEEDED)
        return None
    return ask_payment(tx, order, last.method, amount, off_session=bool(good))


def payments_of(tx: Session, order: Order) -> list[Payment]:
    return list(tx.scalars(select(Payment).where(Payment.order_id == order.order_id).order_by(Payment.n)))


def undecided(tx: Session, order: Order) -> bool:
    wishes = (Change.order_id == order.order_id, Change.kind == ChangeKind.CANCEL, Change.decision.is_(None))
    return tx.scalars(select(Change.change_id).where(*wishes)).first() is not None
