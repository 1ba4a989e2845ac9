"""What of each payment the customer's bank has taken, or may take."""

from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from infra.database.tables import Dispute, MoneyMove, Payment
from infra.words import DisputeStatus, MoneyMoveKind

RETURNS = case((MoneyMove.kind == MoneyMoveKind.DISPUTE_RETURNED, MoneyMove.amount), else_=0)
TAKES = case((MoneyMove.kind == MoneyMoveKind.DISPUTED, MoneyMove.amount), else_=0)


class Disputed(NamedTuple):
    counted: int = 0
    """What can't be given back for it."""
    lost: int = 0
    """What the bank has kept for good, by the moves."""
    is_open: bool = False
    """The provider refunds nothing of it."""
    is_lost: bool = False


def disputed(tx: Session, order_id: str) -> dict[int, Disputed]:
    """By payment, of those that were disputed."""
    tx.flush()
    columns = (Dispute.payment_id, Dispute.status, Dispute.amount, func.sum(TAKES), func.sum(RETURNS))
    rows = select(*columns).join(Payment, Payment.payment_id == Dispute.payment_id)
    rows = rows.outerjoin(MoneyMove, MoneyMove.dispute_id == Dispute.dispute_id)
    found: dict[int, Disputed] = {}
    for payment_id, status, amount, taken, back in tx.execute(
        rows.where(Payment.order_id == order_id).group_by(Dispute.dispute_id)
    ):
        before, kept = found.get(payment_id, Disputed()), int(taken) - int(back)
        found[payment_id] = Disputed(
            before.counted + counted(status, amount, kept, moved=bool(taken), returned=bool(back)),
            before.lost + (kept if status == DisputeStatus.LOST else 0),
            before.is_open or status == DisputeStatus.OPEN,
            before.is_lost or status == DisputeStatus.LOST,
        )
    return found


def counted(status: DisputeStatus, amount: int, kept: int, *, moved: bool, returned: bool) -> int:
    """Once: what is disputed may have been taken already, or not yet. A bank may give back less than it took."""
    if status == DisputeStatus.OPEN:
        return max(amount, kept)
    if status == DisputeStatus.LOST:
        return kept if moved else amount
    return kept if returned else 0
