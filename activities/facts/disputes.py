"""Disputes: the customer's bank asks for what was taken, takes it back, decides. Each piece of news carries the whole
dispute, and any may come first: what counts is how far it is at the provider, not which came last."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import ports
from activities.deadline_kinds import DECLARED
from activities.facts import deadlines, effects, holds, paid_back_twice, refunds
from activities.facts.disputed import Disputed, disputed
from activities.facts.journal import note
from activities.facts.money import locked_payment
from activities.facts.moves import moved
from activities.facts.statuses import derive
from activities.models import Subject
from infra.clock import wall_clock
from infra.database.tables import Dispute, MoneyMove, Order, Refund
from infra.hold_kinds import HoldKind
from infra.words import DeadlineKind, DisputeStatus, EventType, MoneyMoveKind, RefundStatus

DECIDED = (DisputeStatus.WON, DisputeStatus.LOST)
STAGE = {DisputeStatus.INQUIRY: 0, DisputeStatus.OPEN: 1} | dict.fromkeys(DECIDED, 2)
EVENTS = {
    MoneyMoveKind.DISPUTED: EventType.DISPUTE_WITHDRAWN,
    MoneyMoveKind.DISPUTE_RETURNED: EventType.DISPUTE_RETURNED,
}


def reported(tx: Session, payment_id: int, seen: ports.Dispute, at: datetime) -> bool:
    """What the provider has on record of a dispute of this payment. Whether any of it is new."""
    order, _ = locked_payment(tx, payment_id)
    row = tx.get(Dispute, seen.dispute_id, populate_existing=True)
    before = row.status if row else None
    if row is None:
        row = opened(tx, order, payment_id, seen, at)
    changed = before is None or gone_on(tx, order, row, seen, at)
    kinds = booked(tx, order, row, seen.moves, at)
    if not changed and not kinds:
        return False
    decided = row.status in DECIDED and before not in DECIDED
    if decided:
        closed(tx, order, row, at)
    elif changed:
        held(tx, order, row, at, anew=row.status != before)
    if row.status == DisputeStatus.LOST:
        refunds_settled(tx, order, payment_id, at)
    elif row.status == DisputeStatus.WON:
        refunds.owed_back(tx, order, at)  # what was cancelled meanwhile could not be given back
    paid_back_twice.looked_at(tx, order, payment_id, at, opens=decided or MoneyMoveKind.DISPUTED in kinds)
    derive(tx, order)
    return True


def opened(tx: Session, order: Order, payment_id: int, seen: ports.Dispute, at: datetime) -> Dispute:
    known = seen.model_dump(exclude={"intent_id", "moves"})
    row = Dispute(payment_id=payment_id, effective_at=at, recorded_at=wall_clock(), **known)
    tx.add(row)
    tx.flush()
    known = {"amount": row.amount, "reason": row.reason}
    note(tx, order, EventType.DISPUTE_OPENED, at, dispute=row.dispute_id, **known)
    return row


def gone_on(tx: Session, order: Order, row: Dispute, seen: ports.Dispute, at: datetime) -> bool:
    """Decided is decided; otherwise the later stage wins, and of one stage the later news."""
    later = STAGE[seen.status], at
    known = seen.model_dump(exclude={"intent_id", "moves"})
    same = all(getattr(row, name) == value for name, value in known.items())
    if row.status in DECIDED or same or later < (STAGE[row.status], row.effective_at):
        return False
    for name, value in known.items():
        setattr(row, name, value)
    row.effective_at = at
    if row.status not in DECIDED:
        known = {"amount": row.amount, "stage": row.status, "answered": row.answered}
        note(tx, order, EventType.DISPUTE_CHANGED, at, dispute=row.dispute_id, **known)
    return True


def booked(
    tx: Session, order: Order, row: Dispute, moves: Iterable[ports.DisputeMove], at: datetime
) -> set[MoneyMoveKind]:
    """Each once, whichever news tells it. The kinds of those that are new."""
    known = set(tx.scalars(select(MoneyMove.reference).where(MoneyMove.dispute_id == row.dispute_id)))
    kinds: set[MoneyMoveKind] = set()
    for move in moves:
        if move.reference not in known:
            kind = MoneyMoveKind.DISPUTED if move.amount < 0 else MoneyMoveKind.DISPUTE_RETURNED
            amount, kinds = abs(move.amount), {*kinds, kind}
            moved(tx, order, row.payment_id, kind, amount, move.reference, at, dispute_id=row.dispute_id)
            note(tx, order, EVENTS[kind], at, dispute=row.dispute_id, amount=amount)
    return kinds


def held(tx: Session, order: Order, row: Dispute, at: datetime, *, anew: bool) -> None:
    """Until the bank decides. `anew`: what somebody has answered was an inquiry, and now it is more."""
    about, until = Subject("dispute", row.dispute_id), row.due_by
    words = [f"{row.amount} {order.currency} (minor units)", row.reason]
    words += ["only asked about so far: a refund may end it"] if row.status == DisputeStatus.INQUIRY else []
    words += [f"evidence until {until.isoformat(timespec='minutes')}"] if until else []
    advice = f"{HoldKind.DISPUTE.advice} {'; '.join(words)}."
    if anew:
        holds.opened(tx, order.order_id, HoldKind.DISPUTE, about, at, code=row.reason, advice=advice)
    if hold := holds.open_about(tx, HoldKind.DISPUTE, about):
        hold.code, hold.advice = row.reason, advice
    remind = until and until - DECLARED[DeadlineKind.DISPUTE_DUE].margin
    if row.answered or remind is None or remind <= at:
        deadlines.close(tx, about)
    else:
        deadlines.move(tx, order, DeadlineKind.DISPUTE_DUE, about, remind)


def closed(tx: Session, order: Order, row: Dispute, at: datetime) -> None:
    note(tx, order, EventType.DISPUTE_CLOSED, at, dispute=row.dispute_id, outcome=row.status)
    deadlines.close(tx, Subject("dispute", row.dispute_id))
    why = f"the dispute is {row.status}"
    holds.close_mended(tx, order.order_id, (HoldKind.DISPUTE,), at, by="bank", why=why, among=[row.dispute_id])


# --- refunds at the same time -----------------------------------------------------------------------------------------


def refund_waits(tx: Session, refund: Refund) -> bool:
    """For the bank's decision: until then the provider refunds nothing. What it was asked already is looked up."""
    if refund.status != RefundStatus.ASKED or refund.payment_id is None:
        return False
    is_open = disputed(tx, refund.order_id).get(refund.payment_id, Disputed()).is_open
    return is_open and not effects.unresolved(tx, refund.order_id, refunds.step(refund))


def refunds_settled(tx: Session, order: Order, payment_id: int, at: datetime) -> None:
    """The customer has the money already. Of what the provider was asked it is looked up first."""
    for refund in paid_back_twice.given_by_bank(tx, order, payment_id):
        if not effects.unresolved(tx, order.order_id, refunds.step(refund)):
            refunds.given_up(tx, refund.refund_id, at)
            kinds = (HoldKind.REFUND_FAILED, HoldKind.REFUND_PAYMENT_FAILED)
            why = "the bank has given the customer this money"
            holds.close_mended(tx, order.order_id, kinds, at, by="bank", why=why, among=[refund.refund_id])
