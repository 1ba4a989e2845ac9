"""What is left to pay, and will not be: less than a charge may be, or of goods that have left all the same."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import charges, refunds
from activities.facts.authorizations import good_besides, needs_customer
from activities.facts.bill import bill
from activities.facts.journal import fulfillments_of, locked_order, note
from activities.facts.money import locked_payment
from activities.facts.statuses import captures_in_doubt, derive
from activities.models import LEFT, FulfillmentStatus
from infra.hold_kinds import HoldKind
from infra.words import AuthorizationStatus, EventType


def too_small(tx: Session, payment_id: int, code: str, at: datetime) -> None:
    """A person decides about it, unless an earlier authorization is still good."""
    order, payment = locked_payment(tx, payment_id)
    payment.status, payment.decline_code = AuthorizationStatus.DECLINED, code
    note(tx, order, EventType.DECLINED, at, code=code, payment=payment.n)
    if not good_besides(tx, payment):
        needs_customer(tx, order, payment, at, HoldKind.REST_TOO_SMALL)
    derive(tx, order)


def given_up(tx: Session, order_id: str, at: datetime, *, only_left: bool = False) -> None:
    """What is planned, or has left, and is not paid is given away: it lowers its charge, and nothing is asked for."""
    order = locked_order(tx, order_id)
    for f in fulfillments_of(tx, order_id):
        if f.status == FulfillmentStatus.CANCELLED or (only_left and f.status not in LEFT):
            continue
        if charge := charges.asked(tx, order, f.fulfillment_id, bill(tx, order), at):
            note(tx, order, EventType.CHARGE_GIVEN_UP, at, fulfillment_id=f.fulfillment_id, amount=charge.amount)
            refunds.credited(tx, order, charge, at)
            charges.paid(tx, order, charge, f, charge.amount, at)


def not_left_unpaid(tx: Session, order_id: str) -> str | None:
    """Why nothing can be written off."""
    order = locked_order(tx, order_id)
    if captures_in_doubt(tx, order_id):
        return "nobody knows yet whether the bank has taken the money: that is being looked up"
    unpaid = bill(tx, order).unpaid
    if any(f.status in LEFT and f.fulfillment_id in unpaid for f in fulfillments_of(tx, order_id)):
        return None
    return "nothing of this order has left unpaid: what is still here is cancelled instead"
