"""Goods come back over a counter: what was paid for them goes back as it came, or pays for what is taken instead."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts import inventory, refunds, requests
from activities.facts.exchanges import exchanged, in_cash
from activities.facts.journal import fulfillments_of, note, nudge
from activities.facts.refund_requests import last_of
from activities.facts.refundable import Part, refundable
from activities.facts.requests import NothingLeft, WrongFields
from activities.facts.sales import shelved
from activities.facts.statuses import derive
from activities.facts.stock_moves import Delta, Shelf, move
from activities.facts.units import Units, common, drawn, merged, spans_without, total
from activities.models import CLOSED, LEFT, FulfillmentStatus
from infra.clock import wall_clock
from infra.database.tables import Change, Order, OrderLine, Reservation, Return, ReturnUnits, Sale
from infra.words import ChangeKind, Condition, Decision, EventType, RefundWay, ReservationStatus, StockMoveKind


class BroughtBack(NamedTuple):
    line: int
    quantity: int
    condition: Condition


class Wanted(NamedTuple):
    """`void`: all of a sale, by the till that made it, on its day."""

    location: str
    received_at: datetime
    till: str | None = None
    shift: str | None = None
    lines: Sequence[BroughtBack] = ()
    refund: RefundWay = RefundWay.ORIGINAL
    void: bool = False
    exchange: str | None = None
    """What is taken instead, by a digest of it."""

    @property
    def digest(self) -> str:
        same = self._asdict() | {"received_at": self.received_at.astimezone(UTC).isoformat()}
        return requests.digest(kind=ChangeKind.RETURN, **same)


class Exchange(NamedTuple):
    sale: Order
    pays: int
    """What the sale lets the return pay of it."""


def received(
    tx: Session,
    order: Order,
    back: Wanted,
    *,
    by: str,
    return_id: str,
    why: str = "",
    cause: str | None = None,
    exchange: Exchange | None = None,
) -> Return:
    """The caller holds the order's lock, and knows that it was not asked before. Sellable units go to whoever waits
    longest; what was paid in cash is given back in cash, by whoever tells this. Raises one of `requests.Impossible`."""
    inventory.lock_all_of(tx, order.order_id)
    chosen = all_sold(tx, order, back) if back.void else brought(tx, order, back.lines)
    now = wall_clock()
    at = min(back.received_at.astimezone(UTC), now)
    parts = paid_for(tx, order, [units for units, _ in chosen])
    change = Change(
        order_id=order.order_id,
        request_id=return_id,
        digest=back.digest,
        kind=ChangeKind.RETURN,
        cause=cause,
        lines=[{"line": line.line, "quantity": line.quantity} for line in back.lines],
        by=by,
        why=why,
        decision=Decision.ACCEPTED,
        recorded_at=now,
        decided_at=now,
    )
    tx.add(change)
    tx.flush()
    made = booked(tx, order, back, chosen, change.change_id, exchange, at)
    put_on_shelf(tx, order, back.location, chosen, at)
    taken_back(tx, order, at)
    count = sum(units.quantity for units, _ in chosen)
    note(tx, order, EventType.RETURN_RECEIVED, at, n=made.n, units=count, location=back.location)
    due = settled(tx, order, back, parts, change.change_id, exchange, at)
    derive(tx, order)
    if due or order.notify or order.status not in CLOSED:
        nudge(tx, [order.order_id])
    return made


def brought(tx: Session, order: Order, lines: Sequence[BroughtBack]) -> list[tuple[Units, Condition]]:
    """Units of each line that have left and are not back, the last first: as money is given back."""
    away = units_away(tx, order)
    ordered = set(tx.scalars(select(OrderLine.line_no).where(OrderLine.order_id == order.order_id)))
    chosen: list[tuple[Units, Condition]] = []
    errors = []
    for n, line in enumerate(lines):
        mine = [units for units in away if units.line_no == line.line]
        count = sum(units.quantity for units in mine)
        if line.line not in ordered:
            errors.append((f"lines[{n}].line", "is not one of this order"))
        elif line.quantity > count:
            errors.append((f"lines[{n}].quantity", f"is more than was handed over and is not back: {count}"))
        else:
            taken = last_of(mine, line.quantity)
            chosen += [(units, line.condition) for units in taken]
            away = spans_without(away, taken)
    if errors:
        raise WrongFields(errors)
    return chosen


def units_away(tx: Session, order: Order) -> list[Units]:
    tx.flush()
    spans = (Reservation.line_no, Reservation.first_unit, Reservation.quantity)
    gone = select(*spans).where(Reservation.order_id == order.order_id)
    back = select(ReturnUnits.line_no, ReturnUnits.first_unit, ReturnUnits.quantity)
    consumed = tx.execute(gone.where(Reservation.status == ReservationStatus.CONSUMED))
    returned = tx.execute(back.where(ReturnUnits.order_id == order.order_id))
    return spans_without(merged(Units(*row) for row in consumed), [Units(*row) for row in returned])


def all_sold(tx: Session, order: Order, back: Wanted) -> list[tuple[Units, Condition]]:
    sale = tx.get(Sale, order.order_id)
    if sale is None or sale.till_id != back.till:
        raise WrongFields([("void", "is for the till that made the sale: bring it back as lines")])
    if sale.sold_at.astimezone(back.received_at.tzinfo).date() != back.received_at.date():
        raise WrongFields([("void", "is for the day of the sale: bring it back as lines")])
    away, whole = units_away(tx, order), sum(units.quantity for units in lines_of(tx, order))
    if not away:
        raise NothingLeft("nothing of this sale is left to void: all of it came back")
    if sum(units.quantity for units in away) < whole:
        raise WrongFields([("void", "is for all of a sale, which was handed over: bring the rest back as lines")])
    return [(units, Condition.SELLABLE) for units in away]


def lines_of(tx: Session, order: Order) -> list[Units]:
    rows = select(OrderLine.line_no, OrderLine.quantity).where(OrderLine.order_id == order.order_id)
    return [Units(line_no, 0, quantity) for line_no, quantity in tx.execute(rows)]


def paid_for(tx: Session, order: Order, chosen: Sequence[Units]) -> list[Part]:
    """What of these units was paid, and was not given back: by charge, the last tender first."""
    left, parts = refundable(tx, order), []
    for each in left.charges:
        units = common(each.units, chosen)
        if amount := min(total(units), left.of(each)):
            parts += left.take(each, amount, units)
    return parts


def booked(
    tx: Session,
    order: Order,
    back: Wanted,
    chosen: Iterable[tuple[Units, Condition]],
    change_id: int,
    exchange: Exchange | None,
    at: datetime,
) -> Return:
    count = tx.scalar(select(func.count()).select_from(Return).where(Return.order_id == order.order_id)) or 0
    made = Return(
        order_id=order.order_id,
        n=count + 1,
        change_id=change_id,
        location_id=back.location,
        till_id=back.till,
        shift=back.shift,
        refund=back.refund,
        void=back.void,
        sale_id=exchange.sale.order_id if exchange else None,
        exchanged=exchange.pays if exchange else 0,
        received_at=at,
        recorded_at=wall_clock(),
    )
    tx.add(made)
    tx.flush()
    tx.add_all(
        ReturnUnits(order_id=order.order_id, n=made.n, condition=condition, **units._asdict())
        for units, condition in chosen
    )
    return made


def put_on_shelf(
    tx: Session, order: Order, place: str, chosen: Iterable[tuple[Units, Condition]], at: datetime
) -> None:
    lines = select(OrderLine.line_no, OrderLine.sku).where(OrderLine.order_id == order.order_id)
    skus = dict(tx.execute(lines).all())
    back: dict[Shelf, Delta] = defaultdict(Delta)
    for units, condition in chosen:
        damaged = units.quantity if condition == Condition.DAMAGED else 0
        back[skus[units.line_no], place] += Delta(on_hand=units.quantity, blocked=damaged)
    shelved(tx, back)
    move(tx, StockMoveKind.RETURNED, order.order_id, back, at)
    inventory.serve(tx, back)


def taken_back(tx: Session, order: Order, at: datetime) -> None:
    """A fulfillment of which all that left is back."""
    away = units_away(tx, order)
    for f in fulfillments_of(tx, order.order_id):
        if f.status in LEFT - {FulfillmentStatus.RETURNED}:
            rows = select(Reservation.line_no, Reservation.first_unit, Reservation.quantity)
            mine = tx.execute(rows.where(Reservation.fulfillment_id == f.fulfillment_id)).all()
            if not any(overlap(Units(*row), units) for row in mine for units in away):
                f.status, f.version = FulfillmentStatus.RETURNED, order.version + 1


def overlap(one: Units, other: Units) -> bool:
    begins, ends = max(one.first_unit, other.first_unit), one.first_unit + one.quantity
    return one.line_no == other.line_no and begins < min(ends, other.first_unit + other.quantity)


def settled(
    tx: Session,
    order: Order,
    back: Wanted,
    parts: Sequence[Part],
    change_id: int,
    exchange: Exchange | None,
    at: datetime,
) -> bool:
    """The difference alone goes back. Whether somebody else is to give it: the provider, or a person."""
    worth, pays = sum(part.amount for part in parts), exchange.pays if exchange else 0
    if exchange and pays != (due := min(worth, exchange.sale.total)):
        raise WrongFields([("sale.payments", f"take {pays} of the return, which pays {due}: it is worth {worth}")])
    given, kept = apart(parts, worth - pays)
    if exchange:
        exchanged(tx, order, kept, exchange.sale, change_id, at)
    by_hand = [part for part in given if part.payment_id is None and (back.void or in_cash(tx, part.charge))]
    others = [part for part in given if part not in by_hand]
    if back.refund == RefundWay.CASH and others:
        raise WrongFields([("refund", "is cash, and not all of it was paid in cash: original")])
    for refund in refunds.asked(tx, order, by_hand, at, change_id, held=False):
        refunds.paid_otherwise(tx, refund.refund_id, at)
    refunds.asked(tx, order, others, at, change_id)
    return bool(others)


def apart(parts: Sequence[Part], amount: int) -> tuple[list[Part], list[Part]]:
    """The first of them, up to an amount; and the rest."""
    first, rest = [], []
    for part in parts:
        upto = min(amount, part.amount)
        amount -= upto
        mine, others = drawn(part.units, upto)
        if upto:
            first.append(part._replace(amount=upto, units=mine))
        if upto < part.amount:
            rest.append(part._replace(amount=part.amount - upto, units=others))
    return first, rest
