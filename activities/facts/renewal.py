"""An authorization nears its end: another is asked for while it is good, so that there is never none."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.authorizations import payment_about
from activities.facts.bill import bill
from activities.facts.journal import locked_order, note
from activities.facts.money import ONCE_GOOD, ended
from activities.facts.placing import ask_payment
from activities.facts.statuses import captures_in_doubt
from infra.database.tables import Change, Order, Payment
from infra.words import AuthorizationStatus, ChangeKind, EventType

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
        renewed = ask_payment(tx, order, payment.method, left, off_session=True)
        note(tx, order, EventType.RENEWAL_ASKED, at, amount=left, payment=renewed.n)
    return payment.capture_before


def asked_again(tx: Session, order_id: str, at: datetime) -> None:
    """An operator has the last good payment method asked once more: at once, whether goods wait for it or not."""
    order = locked_order(tx, order_id)
    payments = tx.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.n)).all()
    left = bill(tx, order).to_capture
    if left and not any(payment.status == AuthorizationStatus.ASKED for payment in payments):
        good = [payment for payment in payments if payment.status in ONCE_GOOD]
        renewed = ask_payment(tx, order, (good or payments)[-1].method, left, off_session=bool(good))
        note(tx, order, EventType.RENEWAL_ASKED, at, amount=left, payment=renewed.n)


def undecided(tx: Session, order: Order) -> bool:
    wishes = (Change.order_id == order.order_id, Change.kind == ChangeKind.CANCEL, Change.decision.is_(None))
    return tx.scalars(select(Change.change_id).where(*wishes)).first() is not None
