"""A refund, and the bank that gives the customer the same money: what need not go back any more, and what went back
twice."""

from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from activities.facts import holds
from activities.facts.authorizations import about
from activities.facts.disputed import Disputed, disputed
from activities.facts.refundable import counting_refunds
from infra.database.tables import MoneyMove, Order, Payment, Refund
from infra.hold_kinds import HoldKind
from infra.words import MoneyMoveKind, RefundStatus

GIVEN = case(
    (MoneyMove.kind == MoneyMoveKind.REFUNDED, MoneyMove.amount),
    (MoneyMove.kind.in_((MoneyMoveKind.CAPTURED, MoneyMoveKind.REFUND_FAILED)), -MoneyMove.amount),
    else_=0,
)
"""By refunds, less what was taken."""
MOVES_NOTHING = (RefundStatus.ASKED, RefundStatus.FAILED)


def looked_at(tx: Session, order: Order, payment_id: int, at: datetime, *, opens: bool) -> None:
    """`opens`: money has left; otherwise some has come back, and a person who has seen to it is left alone."""
    lost = disputed(tx, order.order_id).get(payment_id, Disputed()).lost
    if not lost:
        return
    twice = lost + int(tx.scalar(select(func.sum(GIVEN)).where(MoneyMove.payment_id == payment_id)) or 0)
    subject = about(tx.get_one(Payment, payment_id))
    if twice > 0 and opens:
        advice = f"{HoldKind.PAID_BACK_TWICE.advice} Twice: {twice} {order.currency} (minor units)."
        holds.opened(tx, order.order_id, HoldKind.PAID_BACK_TWICE, subject, at, code=str(twice), advice=advice)
    elif twice <= 0:
        kinds, why = (HoldKind.PAID_BACK_TWICE,), "nothing is paid twice any more"
        holds.close_mended(tx, order.order_id, kinds, at, by="bank", why=why, among=[subject.id])


def given_by_bank(tx: Session, order: Order, payment_id: int, failing: Refund | None = None) -> list[Refund]:
    """Refunds that a lost dispute has made needless: the bank has given the customer all that each was to give, and
    none has. `failing`: one that the bank has just given back to us."""
    with_bank = disputed(tx, order.order_id).get(payment_id, Disputed())
    if not with_bank.is_lost:
        return []
    counting = {each for each in counting_refunds(tx, order) if each.payment_id == payment_id}
    counting = {each for each in counting | {failing} if each and each.status != RefundStatus.GIVEN_UP}
    payment = tx.get_one(Payment, payment_id, populate_existing=True)
    rest = payment.captured - with_bank.counted - sum(each.amount - each.credited for each in counting)
    covered = []
    for refund in sorted(counting, key=lambda each: each.n, reverse=True):
        if (refund.status in MOVES_NOTHING or refund is failing) and rest <= -refund.amount:
            rest += refund.amount
            covered.append(refund)
    return covered
