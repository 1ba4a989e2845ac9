"""What of each charge can be given back: what was taken for it, less what was given back, is on its way, or is
disputed."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from activities.facts.bill import RECEIVED
from activities.facts.disputed import disputed
from activities.facts.statuses import captures_in_doubt
from activities.facts.units import PricedUnits, Units, common, drawn, less, total
from infra.database.tables import Charge, ChargeUnits, Hold, MoneyMove, Order, Payment, Refund, RefundUnits, Tender
from infra.hold_kinds import HoldKind
from infra.words import ChargeStatus, RefundStatus

COUNTING = (RefundStatus.ASKED, RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.GIVEN_UP)
"""Refunds whose money is not free. A failed one's is not either, while its hold is open."""


class Part(NamedTuple):
    """What is given back of a charge to one payment; to none, where nobody can pay it back for us."""

    charge: Charge
    payment_id: int | None
    amount: int
    units: list[PricedUnits]


@dataclass
class Chargeable:
    charge: Charge
    left: dict[int | None, int] = field(default_factory=dict)
    """By payment, the latest first: what was taken for the charge and is not given back."""
    units: list[PricedUnits] = field(default_factory=list)
    """What each of its units cost that was not given back by unit."""


@dataclass
class Refundable:
    charges: list[Chargeable]
    """Of the last tender first, and of each the newest."""
    room: dict[int | None, int]
    """By payment: what it still has, whatever it was taken for."""

    def of(self, charge: Chargeable) -> int:
        return sum(max(0, min(left, self.room.get(payment, left))) for payment, left in charge.left.items())

    @property
    def amount(self) -> int:
        room, total = dict(self.room), 0
        for charge in self.charges:
            for payment, left in charge.left.items():
                money = max(0, min(left, room.get(payment, left)))
                total += money
                if payment in room:
                    room[payment] -= money
        return total

    def take(self, charge: Chargeable, amount: int, units: list[PricedUnits]) -> list[Part]:
        """So much of a charge, of its payments in turn: never more than is there."""
        parts = []
        for payment, left in charge.left.items():
            money = min(amount, left, self.room.get(payment, left))
            if money <= 0:
                continue
            paid, units = drawn(units, money)
            parts.append(Part(charge.charge, payment, money, paid))
            charge.left[payment] -= money
            if payment in self.room:
                self.room[payment] -= money
            amount -= money
        return parts


def refundable(tx: Session, order: Order, *, in_doubt: bool = False) -> Refundable:
    """`in_doubt`: as if what was asked of the bank, and nobody knows what became of, had been taken."""
    tx.flush()
    mine = select(Charge).where(Charge.order_id == order.order_id, Charge.status != ChargeStatus.CANCELLED)
    charges = {
        each.charge_id: Chargeable(each) for each in tx.scalars(mine.order_by(Charge.tender_n.desc(), Charge.n.desc()))
    }
    room: dict[int | None, int] = {
        payment.payment_id: payment.captured
        for payment in tx.scalars(
            select(Payment).where(Payment.order_id == order.order_id).execution_options(populate_existing=True)
        )
    }
    if not charges:
        return Refundable([], room)
    for disputed_id, each in disputed(tx, order.order_id).items():
        room[disputed_id] -= each.counted
    for units in tx.scalars(select(ChargeUnits).where(ChargeUnits.order_id == order.order_id)):
        if units.charge_id in charges:
            charges[units.charge_id].units.append(priced(units))
    received = (
        select(MoneyMove.charge_id, MoneyMove.payment_id, func.sum(MoneyMove.amount))
        .where(MoneyMove.order_id == order.order_id, MoneyMove.charge_id.is_not(None), MoneyMove.kind.in_(RECEIVED))
        .group_by(MoneyMove.charge_id, MoneyMove.payment_id)
        .order_by(MoneyMove.payment_id.desc())
    )
    for charge_id, payment_id, amount in tx.execute(received):
        if charge_id in charges and amount:
            charges[charge_id].left[payment_id] = int(amount)
    if in_doubt:
        for asked in captures_in_doubt(tx, order.order_id).values():
            if (charge := charges.get(asked["charge_id"])) and charge.charge.status == ChargeStatus.OPEN:
                payment_id = asked["payment_id"]
                charge.left[payment_id] = charge.left.get(payment_id, 0) + asked["amount"]
                room[payment_id] += asked["amount"]
    given: dict[str, list[PricedUnits]] = defaultdict(list)
    counting = counting_refunds(tx, order)
    by_id = {refund.refund_id: refund for refund in counting}
    for back in tx.scalars(select(RefundUnits).where(RefundUnits.order_id == order.order_id)) if counting else ():
        if (of := by_id.get(back.refund_id)) and of.charge_id:
            given[of.charge_id].append(priced(back))
    for refund in counting:
        money = refund.amount - refund.credited
        if refund.charge_id in charges:
            left = charges[refund.charge_id].left
            left[refund.payment_id] = left.get(refund.payment_id, 0) - money
        if refund.payment_id in room:
            room[refund.payment_id] -= money
    for charge_id, chargeable in charges.items():
        chargeable.units = less(chargeable.units, given[charge_id])
    return Refundable(list(charges.values()), room)


def counting_refunds(tx: Session, order: Order) -> list[Refund]:
    held = (
        select(Hold.hold_id)
        .where(Hold.kind == HoldKind.REFUND_FAILED, Hold.subject_id == Refund.refund_id, Hold.closed_at.is_(None))
        .exists()
    )
    counts = or_(Refund.status.in_(COUNTING), (Refund.status == RefundStatus.FAILED) & held)
    mine = select(Refund).where(Refund.order_id == order.order_id, counts)
    return list(tx.scalars(mine.execution_options(populate_existing=True)))


def given_back_for(tx: Session, order: Order, spans: list[Units]) -> dict[Tender, int]:
    """What was asked back of these units, of what is known to have been taken; by who paid it."""
    tx.flush()
    known = (Refund.order_id == order.order_id, Refund.status.in_(COUNTING), Charge.status == ChargeStatus.PAID)
    rows = select(Tender, RefundUnits).join(
        Charge, (Charge.order_id == Tender.order_id) & (Charge.tender_n == Tender.n)
    )
    rows = rows.join(Refund, Refund.charge_id == Charge.charge_id)
    rows = rows.join(RefundUnits, RefundUnits.refund_id == Refund.refund_id).where(*known).order_by(Tender.n)
    amounts: dict[Tender, int] = defaultdict(int)
    for tender, units in tx.execute(rows):
        amounts[tender] += total(common([priced(units)], spans))
    return amounts


def priced(units: ChargeUnits | RefundUnits) -> PricedUnits:
    return PricedUnits(units.line_no, units.first_unit, units.quantity, units.amount)
