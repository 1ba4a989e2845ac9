"""What was paid for goods that came back pays for those taken instead: no money moves, and what it was once paid by is
known to both."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import refunds
from activities.facts.journal import note
from activities.facts.moves import moved
from activities.facts.refundable import Part
from infra.database.tables import Charge, MoneyMove, Order, Refund, Tender
from infra.words import EventType, MoneyMoveKind, RefundStatus, TenderKind


def exchanged(tx: Session, order: Order, parts: Iterable[Part], sale: Order, change_id: int, at: datetime) -> None:
    """Each part lowers the charge that it was paid for, and pays the sale's instead."""
    of_exchange = (Tender.order_id == Charge.order_id) & (Tender.n == Charge.tender_n)
    mine = select(Charge).join(Tender, of_exchange).where(Charge.order_id == sale.order_id)
    charge = tx.scalars(mine.where(Tender.kind == TenderKind.EXCHANGE)).one()
    for refund in refunds.asked(tx, order, parts, at, change_id, held=False):
        refund.credited, refund.status = refund.amount, RefundStatus.SUCCEEDED
        name, payment_id = refund.refund_id, refund.payment_id
        moved(tx, order, payment_id, MoneyMoveKind.ASSIGNED, -refund.amount, f"{name}:from", at, refund.charge_id)
        moved(tx, sale, payment_id, MoneyMoveKind.ASSIGNED, refund.amount, name, at, charge.charge_id)
        note(tx, order, EventType.EXCHANGED, at, refund=name, amount=refund.amount, sale=sale.order_id)


def in_cash(tx: Session, charge: Charge) -> bool:
    """Whether it was paid in cash: also where goods paid for it that were."""
    kind = tx.get_one(Tender, (charge.order_id, charge.tender_n)).kind
    if kind != TenderKind.EXCHANGE:
        return kind == TenderKind.CASH
    tx.flush()
    paid_by = (MoneyMove.kind == MoneyMoveKind.ASSIGNED) & (MoneyMove.reference == Refund.refund_id)
    before = select(Charge).join(Refund, Refund.charge_id == Charge.charge_id).join(MoneyMove, paid_by)
    rows = tx.scalars(before.where(MoneyMove.charge_id == charge.charge_id, MoneyMove.payment_id.is_(None)))
    return all(in_cash(tx, each) for each in rows.all())
