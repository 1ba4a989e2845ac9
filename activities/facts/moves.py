"""Moves of money: added and never changed. What was taken, given back and assigned is read from them."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts.bill import SIGNED
from infra.clock import wall_clock
from infra.database.tables import Charge, MoneyMove, Order
from infra.words import MoneyMoveKind


def moved(
    tx: Session,
    order: Order,
    payment_id: int | None,
    kind: MoneyMoveKind,
    amount: int,
    reference: str,
    at: datetime,
    charge_id: str | None = None,
    dispute_id: str | None = None,
) -> None:
    tx.add(
        MoneyMove(
            order_id=order.order_id,
            payment_id=payment_id,
            charge_id=charge_id,
            dispute_id=dispute_id,
            kind=kind,
            amount=amount,
            currency=order.currency,
            reference=reference,
            effective_at=at,
            recorded_at=wall_clock(),
        )
    )


def elsewhere(tx: Session, order: Order) -> dict[int, int]:
    """By payment: what somebody else took of it, and no charge has used."""
    tx.flush()
    mine = (MoneyMove.order_id == order.order_id, MoneyMove.charge_id.is_(None), MoneyMove.payment_id.is_not(None))
    rows = select(MoneyMove.payment_id, func.sum(SIGNED)).where(*mine).group_by(MoneyMove.payment_id)
    return {payment_id: int(amount) for payment_id, amount in tx.execute(rows) if amount > 0 and payment_id}


def assigned(tx: Session, order: Order, charge: Charge, upto: int, at: datetime) -> int:
    """What somebody else took pays for a charge, first. Gives how much of it."""
    used = 0
    for payment_id, free in sorted(elsewhere(tx, order).items()):
        if amount := min(free, upto - used):
            name, used = f"{charge.charge_id}:{payment_id}", used + amount
            moved(tx, order, payment_id, MoneyMoveKind.ASSIGNED, -amount, f"{name}:from", at)
            moved(tx, order, payment_id, MoneyMoveKind.ASSIGNED, amount, name, at, charge.charge_id)
    return used
