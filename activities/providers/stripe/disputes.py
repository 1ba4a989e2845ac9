"""A dispute as Stripe writes it, in our words."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from activities.news import Body
from activities.ports import Dispute, DisputeMove, DisputeStatus

STATUS = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.WON,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}
"""Any other is open."""
PREVENTED = "prevented"
"""Ended before it was a chargeback: by money that went back, or without."""

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]
Instant = Annotated[int, Field(ge=946_684_800, lt=7_258_118_400)]


class BalanceTransaction(Body):
    id: Word
    amount: int
    currency: str


class EvidenceDetails(Body):
    due_by: Instant | None = None
    submission_count: int = 0


class DisputeObject(Body):
    id: Word
    payment_intent: Word | None = None
    amount: Annotated[int, Field(ge=0)]
    currency: str
    reason: Word
    status: Word
    evidence_details: EvidenceDetails = EvidenceDetails()
    balance_transactions: list[BalanceTransaction] = []


def read(found: DisputeObject) -> Dispute:
    moves = tuple(
        DisputeMove(reference=each.id, amount=in_currency(found, each)) for each in found.balance_transactions
    )
    due_by = found.evidence_details.due_by
    if found.status == PREVENTED:
        status = DisputeStatus.LOST if sum(each.amount for each in moves) < 0 else DisputeStatus.WON
    else:
        status = STATUS.get(found.status, DisputeStatus.OPEN)
    return Dispute(
        dispute_id=found.id,
        intent_id=found.payment_intent or "",
        amount=found.amount,
        reason=found.reason[:40],
        due_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        answered=found.evidence_details.submission_count > 0,
        status=status,
        moves=moves,
    )


def in_currency(found: DisputeObject, move: BalanceTransaction) -> int:
    """Of the payment, where Stripe's books are in another: all that is disputed is taken, and a like share of it comes
    back."""
    taken = -sum(each.amount for each in found.balance_transactions if each.amount < 0)
    if move.currency == found.currency or not taken:
        return move.amount
    return min(round(move.amount * found.amount / taken), found.amount)
