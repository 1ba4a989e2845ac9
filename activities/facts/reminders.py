"""Somebody was asked and has not answered: told once more."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts.authorizations import payment_about
from activities.facts.holds import open_about, subject
from activities.facts.journal import note, tell
from activities.models import Subject
from infra.database.tables import Hold, Order
from infra.hold_kinds import HoldKind
from infra.words import AuthorizationStatus, DeadlineKind, EventType, MessageKind


def hold_forgotten(tx: Session, order: Order, hold_id: str, at: datetime) -> datetime | None:
    """Operators hear of it by the order's event and by the age of the oldest hold among the metrics."""
    hold = tx.get_one(Hold, hold_id, populate_existing=True)
    if hold.closed_at:
        return None
    days = (at - hold.opened_at).days
    note(tx, order, EventType.HOLD_REMINDED, at, fulfillment_id=subject(hold).fulfillment_id, hold=hold_id, days=days)
    return at + DECLARED[DeadlineKind.HOLD_FORGOTTEN].margin


def dispute_due(tx: Session, order: Order, dispute_id: str, at: datetime) -> None:
    """Nobody has said that they have answered it."""
    if hold := open_about(tx, HoldKind.DISPUTE, Subject("dispute", dispute_id)):
        days = (at - hold.opened_at).days
        note(tx, order, EventType.HOLD_REMINDED, at, hold=hold.hold_id, days=days)


def payment_unfinished(tx: Session, order: Order, subject_id: str, at: datetime) -> None:
    """The bank still waits for the customer's confirmation."""
    payment = payment_about(tx, subject_id)
    if payment.status == AuthorizationStatus.ACTION_REQUIRED:
        note(tx, order, EventType.PAYMENT_REMINDED, at, payment=payment.n)
        tell(tx, order, MessageKind.PAYMENT_REMINDER, f"payment {payment.n}", url=payment.action_url or "")
