"""What somebody else did at the payment provider: ours is what an effect of ours asked for, and nothing else."""

from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from activities.facts import holds
from activities.facts.authorizations import about
from activities.facts.bill import bill
from activities.facts.journal import locked_order, note, tell
from activities.facts.moves import moved
from activities.facts.refundable import refundable
from activities.facts.refunds import owed_back
from activities.facts.statuses import captures_in_doubt, derive
from activities.models import CALLED_OFF, CLOSED
from infra.clock import wall_clock
from infra.database.tables import Effect, Event, Hold, MoneyMove, Order, Payment, Refund
from infra.hold_kinds import HoldKind
from infra.words import AuthorizationStatus, EventType, MessageKind, MoneyMoveKind, RefundStatus

HELD = case(
    (MoneyMove.kind == MoneyMoveKind.AUTHORIZED, MoneyMove.amount),
    (MoneyMove.kind.in_((MoneyMoveKind.CAPTURED, MoneyMoveKind.VOIDED)), -MoneyMove.amount),
    else_=0,
)
"""What is set aside of a payment; below 0: more was booked as given back than was."""


def taken(tx: Session, order: Order, payment: Payment, at_provider: int, at: datetime) -> int:
    """`at_provider`: the sum of all captures of this payment, as the provider tells it. What is more than was asked
    for pays the next charges; or goes back, where there are none. Gives how much that is."""
    tx.flush()
    mine = (MoneyMove.payment_id == payment.payment_id, MoneyMove.kind == MoneyMoveKind.CAPTURED)
    more = at_provider - int(tx.scalar(select(func.sum(MoneyMove.amount)).where(*mine)) or 0)
    # of those in doubt the look-up tells whose it is
    if more <= 0 or payment.payment_id in in_doubt(tx, order.order_id):
        return 0
    name = f"{payment.intent}:{at_provider}"
    moved(tx, order, payment.payment_id, MoneyMoveKind.CAPTURED, more, name, at)
    not_given_back(tx, order, payment, name, at)
    note(tx, order, EventType.CAPTURED_ELSEWHERE, at, amount=more, payment=payment.n)
    owed_back(tx, order, at)
    return more


def not_given_back(tx: Session, order: Order, payment: Payment, name: str, at: datetime) -> None:
    """It was taken to have lapsed, and its end came and went before we heard that somebody had captured of it."""
    if payment.status not in (AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED):
        return
    tx.flush()
    moves = select(func.sum(HELD)).where(MoneyMove.payment_id == payment.payment_id)
    if (left := int(tx.scalar(moves) or 0)) < 0:
        moved(tx, order, payment.payment_id, MoneyMoveKind.VOIDED, left, name, at)
        payment.status = AuthorizationStatus.CAPTURED


def refunded(tx: Session, payment: Payment, reference: str, amount: int, at: datetime) -> Refund:
    """Somebody gave money back there: of the newest charge that this payment paid and that has as much left, of no unit
    in particular."""
    order = locked_order(tx, str(payment.order_id))
    left = refundable(tx, order)
    fits = [each.charge for each in left.charges if each.left.get(payment.payment_id, 0) >= amount]
    count = tx.scalar(select(func.count()).select_from(Refund).where(Refund.order_id == order.order_id)) or 0
    refund = Refund(
        refund_id=f"{order.order_id}-r{count + 1}",
        order_id=order.order_id,
        n=count + 1,
        charge_id=fits[0].charge_id if fits else None,
        payment_id=payment.payment_id,
        amount=amount,
        credited=0,
        reference=reference,
        status=RefundStatus.PENDING,
        recorded_at=wall_clock(),
    )
    tx.add(refund)
    tx.flush()
    kind = MoneyMoveKind.REFUNDED
    moved(tx, order, payment.payment_id, kind, amount, refund.refund_id, at, refund.charge_id)
    note(tx, order, EventType.REFUNDED_ELSEWHERE, at, refund=refund.refund_id, amount=amount)
    tell(tx, order, MessageKind.REFUNDED, f"refund {refund.n}", amount=amount)
    derive(tx, order)
    return refund


def in_doubt(tx: Session, order_id: str | None) -> set[int]:
    return {asked["payment_id"] for asked in captures_in_doubt(tx, str(order_id)).values()}


def voided_by_us(tx: Session, payment: Payment) -> bool:
    """It was on record before it was asked for."""
    step = (Effect.order_id == payment.order_id, Effect.step == f"void:{payment.n}")
    return tx.scalars(select(Effect.effect_id).where(*step)).first() is not None


def wants_a_person(tx: Session, order: Order, last: Payment, at: datetime) -> bool:
    """Somebody has ended the last authorization, and nobody has had it asked for again since; a wish to cancel closes
    the hold, but a warehouse may not be able to stop what it is for."""
    they_did = select(Event.event_no).where(
        Event.order_id == order.order_id,
        Event.type == EventType.VOIDED_ELSEWHERE,
        Event.data["payment"].as_integer() == last.n,
    )
    was_held = select(Hold.hold_id).where(
        Hold.order_id == order.order_id, Hold.kind == HoldKind.ENDED_ELSEWHERE, Hold.subject_id == about(last).id
    )
    if not (tx.scalars(they_did).first() or tx.scalars(was_held).first()):
        return False
    holds.opened(tx, order.order_id, HoldKind.ENDED_ELSEWHERE, about(last), at)
    derive(tx, order)
    return True


def ended_by_somebody(tx: Session, order: Order, payment: Payment, at: datetime) -> None:
    """They had a reason: it is not asked for again before a person has said so."""
    going_on = order.cancellation not in CALLED_OFF and order.status not in CLOSED
    if going_on and bill(tx, order).to_capture:
        holds.opened(tx, order.order_id, HoldKind.ENDED_ELSEWHERE, about(payment), at)
