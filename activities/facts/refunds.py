"""Money to be given back: asked for, on its way, arrived; or not. The order's own loop carries it out."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from activities.facts import holds, paid_back_twice, tenders
from activities.facts.bill import RECEIVED, Bill, bill
from activities.facts.charges import cancelled, write
from activities.facts.journal import locked_order, note, outcome_known, tell
from activities.facts.moves import assigned, moved
from activities.facts.refundable import Part, refundable
from activities.facts.statuses import captures_in_doubt, derive
from activities.facts.units import PricedUnits, drawn, total, without
from activities.models import Subject
from activities.ports import Refund as ProviderRefund
from infra.clock import wall_clock
from infra.database.tables import Change, Charge, MoneyMove, Order, Refund, RefundUnits, Tender
from infra.hold_kinds import HoldKind
from infra.words import ChargeStatus, EventType, MessageKind, MoneyMoveKind, RefundStatus


def owed_back(tx: Session, order: Order, at: datetime, change_id: int | None = None) -> list[Refund]:
    """Asks for the money back of units that were paid for, or are being paid for, and will not be sent: neither set
    aside, gone, waiting, nor to be reserved. Safe to repeat."""
    now = bill(tx, order)
    if not now.charges and not now.elsewhere:
        return []
    coming = [each for units in now.going_on.values() for each in units]
    now = tenders.lowered(tx, order, now, at)
    taken_for_nothing(tx, order, now, at)
    doubt = {asked["charge_id"] for asked in captures_in_doubt(tx, order.order_id).values()}
    left = refundable(tx, order, in_doubt=bool(doubt))
    parts: list[Part] = []
    for each in left.charges:
        gone = without(each.units, coming)
        if each.charge.status == ChargeStatus.OPEN and each.charge.charge_id not in doubt:
            if gone and not each.left:
                cancelled(tx, order, [each.charge.charge_id], at)
            # what has come for it so far pays first for what is to be sent
            going_on = total(each.units) - total(gone)
            parts += left.take(each, max(0, sum(each.left.values()) - going_on), gone)
            continue
        parts += left.take(each, total(gone), gone) if gone else []
    return asked(tx, order, parts, at, change_id)


def taken_for_nothing(tx: Session, order: Order, now: Bill, at: datetime) -> None:
    """Somebody else took more than is still to be paid: it paid for units that will not be sent. What those do not
    explain either is for a person."""
    surplus = now.elsewhere - sum(total(units) for units in now.unpaid.values())
    if surplus <= 0:
        return
    units, _ = drawn(now.gone, surplus)
    if units:
        charge = write(tx, order, now.charges + 1, now.charged_tender, units, ChargeStatus.PAID)
        surplus -= assigned(tx, order, charge, charge.amount, at)
    if surplus > 0:
        holds.opened(tx, order.order_id, HoldKind.CAPTURED_UNKNOWN, Subject.order(order.order_id), at)


def asked(
    tx: Session,
    order: Order,
    parts: Iterable[Part],
    at: datetime,
    change_id: int | None = None,
    *,
    held: bool = True,
) -> list[Refund]:
    """One refund per charge and payment. What nobody can pay back for us waits for a person."""
    parts = list(parts)
    if not parts:
        return []
    tx.flush()
    count = tx.scalar(select(func.count()).select_from(Refund).where(Refund.order_id == order.order_id)) or 0
    written = []
    for n, part in enumerate(parts, start=count + 1):
        refund = Refund(
            refund_id=f"{order.order_id}-r{n}",
            order_id=order.order_id,
            n=n,
            charge_id=part.charge.charge_id,
            payment_id=part.payment_id,
            amount=part.amount,
            credited=0,
            status=RefundStatus.ASKED,
            change_id=change_id,
            recorded_at=wall_clock(),
        )
        tx.add(refund)
        written.append(refund)
    tx.flush()
    named(tx, order, list(zip(written, [part.units for part in parts], strict=True)))
    change = tx.get(Change, change_id) if change_id else None
    details = {"cause": change.cause} if change and change.cause else {}
    for refund in written:
        note(tx, order, EventType.REFUND_ASKED, at, refund=refund.refund_id, amount=refund.amount, **details)
        if refund.payment_id is None and held:
            about, paid_as = Subject("refund", refund.refund_id), tender_of(tx, refund).reference
            advice = f"{HoldKind.EXTERNAL_REFUND.advice} Paid as: {paid_as}."
            holds.opened(tx, order.order_id, HoldKind.EXTERNAL_REFUND, about, at, advice=advice)
    derive(tx, order)
    return written


def tender_of(tx: Session, refund: Refund) -> Tender:
    charge = tx.get_one(Charge, refund.charge_id)
    return tx.get_one(Tender, (charge.order_id, charge.tender_n))


def named(tx: Session, order: Order, refunds: list[tuple[Refund, list[PricedUnits]]]) -> None:
    rows = [
        {"refund_id": refund.refund_id, "order_id": order.order_id, **each._asdict()}
        for refund, units in refunds
        for each in units
    ]
    if rows:
        tx.execute(insert(RefundUnits), rows)


def locked_refund(tx: Session, refund_id: str) -> tuple[Order, Refund]:
    order_id = tx.scalars(select(Refund.order_id).where(Refund.refund_id == refund_id)).one()
    return locked_order(tx, order_id), tx.get_one(Refund, refund_id, populate_existing=True)


def lowers_charge(tx: Session, refund_id: str, at: datetime) -> bool:
    """Before it is asked of the bank: what its payment never gave for its charge is not to be given back, and not to be
    taken."""
    order, refund = locked_refund(tx, refund_id)
    charge = tx.get_one(Charge, refund.charge_id, populate_existing=True)
    if refund.status != RefundStatus.ASKED or received(tx, charge, refund.payment_id) >= refund.amount:
        return False
    refund.credited, refund.status = refund.amount, RefundStatus.SUCCEEDED
    if refund.amount == charge.amount and charge.status == ChargeStatus.OPEN:
        cancelled(tx, order, [charge.charge_id], at)
    note(tx, order, EventType.REFUND_SUCCEEDED, at, refund=refund_id, amount=0)
    derive(tx, order)
    return True


def received(tx: Session, charge: Charge, payment_id: int | None = None) -> int:
    """For a charge; of one payment, where it is named."""
    tx.flush()
    moves = select(func.sum(MoneyMove.amount)).where(
        MoneyMove.charge_id == charge.charge_id, MoneyMove.kind.in_(RECEIVED)
    )
    return int(tx.scalar(moves.where(MoneyMove.payment_id == payment_id) if payment_id else moves) or 0)


def credited(tx: Session, order: Order, charge: Charge, at: datetime) -> None:
    """All that a charge lacks is given away."""
    lacking = charge.amount - received(tx, charge)
    [refund] = asked(tx, order, [Part(charge, None, lacking, [])], at, held=False)
    refund.credited, refund.status = lacking, RefundStatus.SUCCEEDED


def pending(tx: Session, refund_id: str, made: ProviderRefund, at: datetime) -> None:
    """The provider has it: money is on its way back. The bank may still say no, weeks later. Also where a person gave
    it up while it was asked for: then they have settled with the customer, and hear of it."""
    order, refund = locked_refund(tx, refund_id)
    if refund.status == RefundStatus.GIVEN_UP and refund.reference is None:
        refund.reference = made.refund_id
        moved(tx, order, refund.payment_id, MoneyMoveKind.REFUNDED, refund.amount, refund_id, at, refund.charge_id)
        seen(tx, refund, made.status, at)
        return
    if refund.status != RefundStatus.ASKED:
        return
    refund.status, refund.reference = RefundStatus.PENDING, made.refund_id
    moved(tx, order, refund.payment_id, MoneyMoveKind.REFUNDED, refund.amount, refund_id, at, refund.charge_id)
    note(tx, order, EventType.REFUND_PENDING, at, refund=refund_id, amount=refund.amount)
    tell_refunded(tx, order, refund)
    seen(tx, refund, made.status, at)
    if refund.payment_id:
        paid_back_twice.looked_at(tx, order, refund.payment_id, at, opens=True)
    derive(tx, order)


def tell_refunded(tx: Session, order: Order, refund: Refund) -> None:
    """Once for a request, when all of it is on its way; what a person pays back, by itself."""
    tx.flush()
    alike = [refund]
    if refund.change_id and refund.payment_id:
        same = (Refund.change_id == refund.change_id, Refund.payment_id.is_not(None))
        alike = list(tx.scalars(select(Refund).where(*same).order_by(Refund.n)))
    if any(each.status == RefundStatus.ASKED for each in alike):
        return
    gone = (RefundStatus.PENDING, RefundStatus.SUCCEEDED)
    amount = sum(each.amount - each.credited for each in alike if each.status in gone)
    tell(tx, order, MessageKind.REFUNDED, f"refund {alike[0].n}", amount=amount)


def may_become(refund: Refund, status: RefundStatus) -> bool:
    return status not in (refund.status, RefundStatus.PENDING) and refund.status != RefundStatus.FAILED


def seen(tx: Session, refund: Refund, status: RefundStatus, at: datetime) -> bool:
    """What became of it at the bank. Failed: the money is back with us and a person must pay otherwise. Where a person
    has done so already, it is the success that nobody expects."""
    order = locked_order(tx, refund.order_id)
    tx.flush()
    tx.refresh(refund)
    if not may_become(refund, status):
        return False
    about = Subject("refund", refund.refund_id)
    given_up = refund.status == RefundStatus.GIVEN_UP
    if status == RefundStatus.FAILED:
        back = (MoneyMove.kind == MoneyMoveKind.REFUND_FAILED, MoneyMove.reference == refund.refund_id)
        if tx.scalars(select(MoneyMove.move_id).where(*back)).first():
            return False  # it failed, and a person has paid otherwise: the same once more
        payment_id, charge_id = refund.payment_id, refund.charge_id
        moved(tx, order, payment_id, MoneyMoveKind.REFUND_FAILED, refund.amount, refund.refund_id, at, charge_id)
    if not (given_up and status == RefundStatus.FAILED):  # paid otherwise already: that it failed is no news
        refund.status = status
    note(tx, order, EventType(f"refund_{status}"), at, refund=refund.refund_id, amount=refund.amount)
    if not given_up and status == RefundStatus.FAILED and covered_by_dispute(tx, order, refund, at):
        return True
    if given_up != (status == RefundStatus.FAILED):
        kind = HoldKind.REFUNDED_AFTER_ALL if given_up else HoldKind.REFUND_FAILED
        holds.opened(tx, order.order_id, kind, about, at)
    derive(tx, order)
    return True


def covered_by_dispute(tx: Session, order: Order, refund: Refund, at: datetime) -> bool:
    """It came back to us; and has the customer the money by a dispute, nothing is owed."""
    if refund.payment_id is None or refund not in paid_back_twice.given_by_bank(tx, order, refund.payment_id, refund):
        return False
    given_up(tx, refund.refund_id, at)
    paid_back_twice.looked_at(tx, order, refund.payment_id, at, opens=False)
    return True


def given_up(tx: Session, refund_id: str, at: datetime) -> None:
    """A person has settled with the customer what could not be given back."""
    order, refund = locked_refund(tx, refund_id)
    outcome_known(tx, order.order_id, step(refund), "given_up")
    refund.status = RefundStatus.GIVEN_UP
    note(tx, order, EventType.REFUND_GIVEN_UP, at, refund=refund_id, amount=refund.amount)
    derive(tx, order)


def paid_otherwise(tx: Session, refund_id: str, at: datetime) -> None:
    """What was paid elsewhere, a person has paid back there."""
    order, refund = locked_refund(tx, refund_id)
    refund.status = RefundStatus.SUCCEEDED
    moved(tx, order, None, MoneyMoveKind.REFUNDED, refund.amount, refund_id, at, refund.charge_id)
    note(tx, order, EventType.REFUND_SUCCEEDED, at, refund=refund_id, amount=refund.amount)
    tell_refunded(tx, order, refund)
    derive(tx, order)


def asked_again(tx: Session, refund_id: str, at: datetime) -> None:
    """The bank gave it back: another is asked, for the same units."""
    order, refund = locked_refund(tx, refund_id)
    charge = tx.get(Charge, refund.charge_id)
    if charge is None:
        return
    rows = select(RefundUnits).where(RefundUnits.refund_id == refund_id)
    units = [PricedUnits(u.line_no, u.first_unit, u.quantity, u.amount) for u in tx.scalars(rows)]
    asked(tx, order, [Part(charge, refund.payment_id, refund.amount, units)], at)


def step(refund: Refund) -> str:
    return f"refund:r{refund.n}"
