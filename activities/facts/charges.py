"""What units cost is asked for: written as a charge, taken, given away."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from activities.facts import deadlines
from activities.facts.authorizations import about
from activities.facts.bill import Bill
from activities.facts.fulfillments import changed, locked
from activities.facts.journal import note
from activities.facts.moves import assigned, moved
from activities.facts.units import PricedUnits, common, drawn, total
from activities.intake.charge_limits import smallest
from activities.intake.payment import AskedTender
from activities.ports import IntentStatus, PaymentIntent
from infra.clock import wall_clock
from infra.database.tables import Charge, ChargeUnits, Fulfillment, Order, Payment, UnitAmount
from infra.words import (
    AuthorizationStatus,
    ChargePurpose,
    ChargeStatus,
    EventType,
    MoneyMoveKind,
    TenderDue,
    TenderKind,
)

MOST_CAPTURES = 50
"""On one authorization (Stripe, "Multicapture": at most 50 captures of one PaymentIntent)."""


def write(
    tx: Session, order: Order, n: int, tender_n: int, units: Iterable[PricedUnits], status: ChargeStatus
) -> Charge:
    units = list(units)
    charge = Charge(
        charge_id=f"{order.order_id}-c{n}",
        order_id=order.order_id,
        n=n,
        tender_n=tender_n,
        purpose=ChargePurpose.UNITS,
        amount=total(units),
        status=status,
        recorded_at=wall_clock(),
    )
    tx.add(charge)
    tx.flush()
    of_charge = {"charge_id": charge.charge_id, "order_id": order.order_id}
    tx.execute(insert(ChargeUnits), [of_charge | each._asdict() for each in units])
    return charge


def placed_paid(tx: Session, order: Order, tenders: Iterable[AskedTender], at: datetime) -> None:
    """Each tender pays, in its turn, what those before it leave. Of some, somebody else has the money already."""
    tenders = list(tenders)
    if all(tender.due != TenderDue.ELSEWHERE for tender in tenders):
        return
    rows = select(UnitAmount.line_no, UnitAmount.first_unit, UnitAmount.quantity, UnitAmount.total)
    mine = rows.where(UnitAmount.order_id == order.order_id, UnitAmount.total > 0)
    left = [PricedUnits(*row) for row in tx.execute(mine.order_by(UnitAmount.line_no, UnitAmount.first_unit))]
    n = 0
    for tender in tenders:
        units, left = drawn(left, tender.pays)
        if tender.due == TenderDue.ELSEWHERE:
            n += 1
            charge = write(tx, order, n, tender.n, units, ChargeStatus.PAID)
            if tender.kind != TenderKind.EXCHANGE:  # that is assigned, of what the goods brought back had cost
                moved(tx, order, None, MoneyMoveKind.CAPTURED, charge.amount, charge.charge_id, at, charge.charge_id)


def to_ask_for(now: Bill, fulfillment_id: str, currency: str) -> list[PricedUnits]:
    """What a fulfillment's units still cost; and those of all others with it, where they alone are less than the
    provider takes as a charge."""
    mine = now.unpaid.get(fulfillment_id, [])
    rest = [each for name, units in now.unpaid.items() if name != fulfillment_id for each in units]
    return mine + rest if mine and 0 < total(rest) < smallest(currency) else mine


def asked(tx: Session, order: Order, fulfillment_id: str, now: Bill, at: datetime) -> Charge | None:
    """The charge of a fulfillment's units that are not paid. One that was written for other units is cancelled, unless
    some of it has come."""
    units = to_ask_for(now, fulfillment_id, order.currency)
    if not units:
        return None
    same = {charge_id: written for charge_id, written in now.open_charges.items() if common(written, units)}
    for charge_id, written in same.items():
        if now.received.get(charge_id) or sorted(written) == sorted(units):
            return tx.get_one(Charge, charge_id)
    cancelled(tx, order, list(same), at)
    return write(tx, order, now.charges + 1, now.charged_tender, units, ChargeStatus.OPEN)


def cancelled(tx: Session, order: Order, charge_ids: list[str], at: datetime) -> None:
    """Nobody asks for it any more. What became of it at the bank is known: nothing."""
    for charge_id in charge_ids:
        tx.execute(update(Charge).where(Charge.charge_id == charge_id).values(status=ChargeStatus.CANCELLED))
        note(tx, order, EventType.CHARGE_CANCELLED, at, charge=charge_id)


def captured(tx: Session, fulfillment_id: str, asked: Mapping[str, Any], after: PaymentIntent, at: datetime) -> None:
    """What was asked of the bank for a charge was taken. `after` is the intent as the capture left it."""
    order, f = locked(tx, fulfillment_id)
    charge = tx.get_one(Charge, asked["charge_id"], populate_existing=True)
    if charge.status == ChargeStatus.PAID:
        return
    payment = tx.get_one(Payment, asked["payment_id"], populate_existing=True)
    if after.status == IntentStatus.CAPTURED or not payment.multicapture:
        deadlines.close(tx, about(payment))
        payment.status = AuthorizationStatus.CAPTURED
        if left := payment.amount - after.captured:
            moved(tx, order, payment.payment_id, MoneyMoveKind.VOIDED, left, f"{payment.intent}", at)
    name = f"{charge.charge_id}:{payment.n}" if asked["received"] else charge.charge_id
    moved(tx, order, payment.payment_id, MoneyMoveKind.CAPTURED, asked["amount"], name, at, charge.charge_id)
    note(tx, order, EventType.CAPTURED, at, fulfillment_id=fulfillment_id, amount=asked["amount"])
    paid(tx, order, charge, f, asked["received"] + asked["amount"], at)


def paid(tx: Session, order: Order, charge: Charge, f: Fulfillment, received: int, at: datetime) -> None:
    """So much has come for it; what lacks, somebody else may have taken."""
    if received < charge.amount:
        received += assigned(tx, order, charge, charge.amount - received, at)
    if received >= charge.amount:
        charge.status = ChargeStatus.PAID
    if charge.amount > f.amount:  # others' units are in it
        others = (Fulfillment.order_id == order.order_id, Fulfillment.fulfillment_id != f.fulfillment_id)
        tx.execute(update(Fulfillment).where(*others).values(version=order.version + 1))
    changed(tx, order, f)
