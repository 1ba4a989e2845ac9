"""A payment that is disputed, as its provider tells it; and where its order stands then."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.disputed import disputed
from activities.facts.journal import locked_order
from activities.facts.refundable import Part, refundable
from activities.facts.statuses import conclude
from activities.ports import Dispute, DisputeMove, DisputeStatus, RefundStatus
from activities.ports import Refund as ProviderRefund
from activities.views import order as view
from infra.database.tables import Charge, Deadline, Hold, MoneyMove, Order, Payment, Refund

ORDER, TAKEN = "W-1", 4100
"""Two mugs and their shipping."""
START = datetime.now(UTC).replace(microsecond=0)
DUE = START + timedelta(days=10)
TAKES, RETURNS = DisputeMove(reference="txn_1", amount=-TAKEN), DisputeMove(reference="txn_2", amount=TAKEN)
PART = DisputeMove(reference="txn_3", amount=1000)


def news(status: DisputeStatus, *moves: DisputeMove, answered: bool = False, amount: int = TAKEN) -> Dispute:
    known = {"dispute_id": "dp_1", "intent_id": "pi_1", "amount": amount, "reason": "fraudulent", "due_by": DUE}
    return Dispute(**known, status=status, answered=answered, moves=moves)


CREATED, WITHDRAWN = news(DisputeStatus.OPEN), news(DisputeStatus.OPEN, TAKES)
ANSWERED = news(DisputeStatus.OPEN, TAKES, answered=True)
LOST, PARTLY_BACK = (
    news(DisputeStatus.LOST, TAKES, answered=True),
    news(DisputeStatus.LOST, TAKES, PART, answered=True),
)
WON, REINSTATED = (
    news(DisputeStatus.WON, TAKES, answered=True),
    news(DisputeStatus.WON, TAKES, RETURNS, answered=True),
)
ASKED, TAKEN_AFTER_ASKING = news(DisputeStatus.INQUIRY), news(DisputeStatus.OPEN, TAKES)
LET_GO = news(DisputeStatus.WON)


def report(tx: Session, dispute: Dispute, later: int = 0) -> bool:
    [payment_id] = tx.scalars(select(Payment.payment_id))
    return facts.disputes.reported(tx, payment_id, dispute, START + timedelta(hours=later))


def refund(tx: Session, amount: int = 1000) -> Refund:
    order, charge = locked_order(tx, ORDER), tx.scalars(select(Charge)).one()
    [payment_id] = tx.scalars(select(Payment.payment_id))
    [asked] = facts.refunds.asked(tx, order, [Part(charge, payment_id, amount, [])], START)
    return asked


def on_its_way(tx: Session, asked: Refund) -> None:
    made = ProviderRefund(refund_id=f"re_{asked.n}", amount=asked.amount, status=RefundStatus.SUCCEEDED)
    facts.refunds.pending(tx, asked.refund_id, made, START)


class Figures(NamedTuple):
    captured: int
    refunded: int
    disputed: int
    refundable: int


class State(NamedTuple):
    status: str
    payment_status: str
    figures: Figures
    moves: list[tuple[str, int]]
    holds: list[tuple[str, str]]
    due: int


def state(tx: Session) -> State:
    conclude(tx)
    tx.expire_all()
    order = tx.get_one(Order, ORDER)
    found = view.read(tx, order)
    kept = (MoneyMove.kind.in_(("disputed", "dispute_returned")), MoneyMove.order_id == ORDER)
    moves = tx.execute(select(MoneyMove.reference, MoneyMove.amount).where(*kept).order_by(MoneyMove.reference))
    holds = select(Hold.kind, Hold.code).where(Hold.closed_at.is_(None)).order_by(Hold.kind)
    [dispute] = found.payment.disputes
    counted = sum(each.counted for each in disputed(tx, ORDER).values())
    figures = Figures(found.payment.captured, found.payment.refunded, counted, refundable(tx, order).amount)
    return State(
        dispute.status,
        order.payment_status,
        figures,
        [(reference, amount) for reference, amount in moves],
        [(kind, code) for kind, code in tx.execute(holds)],
        len(tx.scalars(select(Deadline).where(Deadline.kind == "dispute_due", Deadline.done_at.is_(None))).all()),
    )


HELD = ("dispute", "fraudulent")
TWICE = ("paid_back_twice", "1000")
TOOK, GAVE, GAVE_PART = ("txn_1", TAKEN), ("txn_2", TAKEN), ("txn_3", 1000)
