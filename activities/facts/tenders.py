"""What one tender has paid for units that are cancelled pays for others before a later tender does."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import promises
from activities.facts.bill import Bill, bill
from activities.facts.charges import cancelled, write
from activities.facts.moves import moved
from activities.facts.refundable import refundable
from activities.facts.statuses import captures_in_doubt
from activities.facts.units import PricedUnits, common, drawn, total, without
from activities.models import CALLED_OFF
from infra.database.tables import Charge, Customer, Order, Payment
from infra.words import AuthorizationStatus, ChargeStatus, MoneyMoveKind


def lowered(tx: Session, order: Order, now: Bill, at: datetime) -> Bill:
    """Units are cancelled: the last tender is lowered first. So what an earlier one has paid for them, elsewhere, pays
    for what is still to be charged; only the rest of it goes back. Safe to repeat."""
    if len(set(now.tenders.values())) < 2 or order.cancellation in CALLED_OFF:
        return now
    coming = [each for units in now.going_on.values() for each in units]
    unpaid, n = to_be_charged(tx, order, now), now.charges
    for each in reversed(refundable(tx, order).charges):
        gone = without(each.units, coming)
        if each.charge.tender_n > now.charged_tender or each.left != {None: each.charge.amount}:
            continue  # drawn after the card, or not elsewhere, or given back in part
        mine, unpaid = drawn(unpaid, total(gone))
        if mine:
            parts = [without(each.units, gone), mine, drawn(gone, total(gone) - total(mine))[0]]
            n = drawn_again(tx, order, n, each.charge, parts, at)
            cancelled(tx, order, [charge for charge, units in now.open_charges.items() if common(units, mine)], at)
    now = bill(tx, order) if n > now.charges else now
    if coming and not now.to_capture and never_good(tx, order):
        promises.confirmed(tx, order, tx.get_one(Customer, order.customer_id), first=False)
    return now


def to_be_charged(tx: Session, order: Order, now: Bill) -> list[PricedUnits]:
    """Without what a provider is being asked for, or has given a part of already."""
    unpaid = sorted(each for units in now.unpaid.values() for each in units)
    doubt = {asked["charge_id"] for asked in captures_in_doubt(tx, order.order_id).values()}
    begun = [charge for charge in now.open_charges if charge in doubt or now.received.get(charge)]
    return without(unpaid, [each for charge in begun for each in now.open_charges[charge]])


def drawn_again(
    tx: Session, order: Order, n: int, before: Charge, parts: Iterable[list[PricedUnits]], at: datetime
) -> int:
    """One charge becomes several of the same tender: what it paid for that is still to be sent, what it pays for
    instead of units that are not, and the rest, which goes back. No money moves. Gives how many charges there are."""
    cancelled(tx, order, [before.charge_id], at)
    moved(tx, order, None, MoneyMoveKind.ASSIGNED, -before.amount, f"{before.charge_id}:from", at, before.charge_id)
    for units in filter(None, parts):
        n += 1
        charge = write(tx, order, n, before.tender_n, units, ChargeStatus.PAID)
        moved(tx, order, None, MoneyMoveKind.ASSIGNED, charge.amount, charge.charge_id, at, charge.charge_id)
    tx.flush()
    return n


def never_good(tx: Session, order: Order) -> bool:
    good = Payment.status.in_((AuthorizationStatus.AUTHORIZED, AuthorizationStatus.CAPTURED))
    return tx.scalars(select(Payment.payment_id).where(Payment.order_id == order.order_id, good)).first() is None
