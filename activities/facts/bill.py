"""What an order's units cost that are to be sent, and what of it has been paid: one statement, whatever the order."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from activities.facts.units import PricedUnits, Units, by_line, common, less, total, without
from activities.models import CALLED_OFF
from infra.database.tables import (
    Backorder,
    Charge,
    ChargeUnits,
    Fulfillment,
    LineCancellation,
    MoneyMove,
    Order,
    OrderLine,
    Reservation,
    Tender,
    UnitAmount,
)
from infra.database.types import constant
from infra.words import (
    BackorderStatus,
    ChargeStatus,
    LineCancellationStatus,
    MoneyMoveKind,
    ReservationStatus,
    TenderDue,
)
from infra.words.stock import UNSENT

SET_ASIDE = (*UNSENT, ReservationStatus.CONSUMED)
RECEIVED = (MoneyMoveKind.CAPTURED, MoneyMoveKind.ASSIGNED)
"""What pays a charge."""


@dataclass(frozen=True)
class Bill:
    going_on: dict[str | None, list[Units]]
    """To be sent, or sent: by fulfillment, where they are in one."""
    unpaid: dict[str | None, list[PricedUnits]]
    """Of these, what no charge has paid."""
    gone: list[PricedUnits]
    """Units that will not be sent, and that no charge has paid."""
    open_charges: dict[str, list[PricedUnits]]
    received: dict[str, int]
    """For each charge, so far."""
    elsewhere: int
    """Taken by somebody else, and used for no charge yet."""
    charges: int
    """How many there were, of any status."""
    tenders: dict[int, TenderDue]
    """In the order in which they are drawn."""

    @property
    def charged_tender(self) -> int:
        """The one whose money a provider takes; else the last."""
        charged = [n for n, due in self.tenders.items() if due == TenderDue.BEFORE_RELEASE]
        return charged[0] if charged else max(self.tenders)

    @property
    def to_capture(self) -> int:
        """What is still to be taken of the customer."""
        owed = sum(total(units) for units in self.unpaid.values())
        return max(0, owed - self.elsewhere - sum(self.received[charge] for charge in self.open_charges))


def bill(tx: Session, order: Order) -> Bill:
    tx.flush()
    spans: dict[str | None, list[Units]] = defaultdict(list)
    lines: list[Units] = []
    cancelled: list[Units] = []
    prices: list[PricedUnits] = []
    paid: list[PricedUnits] = []
    open_charges: dict[str, list[PricedUnits]] = defaultdict(list)
    received: dict[str, int] = defaultdict(int)
    tenders: list[tuple[int, TenderDue]] = []
    elsewhere = charges = 0
    for what, name, line_no, first, quantity, amount in tx.execute(STATEMENT, {"mine": order.order_id}):
        match what:
            case "units":
                spans[name].append(Units(line_no, first, quantity))
            case "line":
                lines.append(Units(line_no, 0, quantity))
            case "cancelled":
                cancelled.append(Units(line_no, first, quantity))
            case "price":
                prices.append(PricedUnits(line_no, first, quantity, int(amount)))
            case "paid":
                paid.append(PricedUnits(line_no, first, quantity, int(amount)))
            case "open":
                open_charges[name].append(PricedUnits(line_no, first, quantity, int(amount)))
            case "received":
                received[name] = int(amount)
            case "elsewhere":
                elsewhere = max(0, int(amount or 0))
            case "charges":
                charges = quantity
            case "tender":
                tenders.append((quantity, TenderDue(name)))
    if order.cancellation in CALLED_OFF:  # of what no warehouse has, nothing will be sent
        spans.pop(None, None)
    else:
        spans[None] += unreserved(lines, [*cancelled, *(each for units in spans.values() for each in units)])
    priced = less([each for each in prices if each.amount], paid)
    unpaid = {name: left for name, units in spans.items() if (left := common(priced, units))}
    coming = [each for units in spans.values() for each in units]
    gone = without(priced, coming)
    in_turn = dict(sorted(tenders))
    return Bill(dict(spans), unpaid, gone, open_charges, received, elsewhere, charges, in_turn)


def unreserved(lines: list[Units], taken: list[Units]) -> list[Units]:
    """Units neither reserved, consumed, waiting, cancelled nor asked to be."""
    of_line = by_line(taken)
    found = []
    for line in lines:
        at_unit = 0
        for first, after in [*sorted(of_line[line.line_no]), (line.quantity, line.quantity)]:
            if first > at_unit:
                found.append(Units(line.line_no, at_unit, first - at_unit))
            at_unit = max(at_unit, after)
    return found


# --- the statement ----------------------------------------------------------------------------------------------------

MINE = bindparam("mine", type_=Order.order_id.type)
NO_NAME, NO_NUMBER, NO_AMOUNT = cast(null(), String(80)), cast(null(), Integer), cast(null(), BigInteger)


def part(
    what: str,
    *where: ColumnElement[bool],
    name: Any = NO_NAME,
    units: tuple[Any, Any, Any] = (NO_NUMBER, NO_NUMBER, NO_NUMBER),
    amount: Any = NO_AMOUNT,
) -> Select[Any]:
    return select(constant(what), name, *units, amount).where(*where)


def of(table: Any) -> tuple[Any, Any, Any]:
    return table.line_no, table.first_unit, table.quantity


def charged(what: str, status: ChargeStatus) -> Select[Any]:
    mine = (Charge.order_id == MINE, Charge.status == constant(status), ChargeUnits.charge_id == Charge.charge_id)
    return part(what, *mine, name=Charge.charge_id, units=of(ChargeUnits), amount=ChargeUnits.amount)


SIGNED = case(
    (MoneyMove.kind.in_(map(constant, (*RECEIVED, MoneyMoveKind.REFUND_FAILED))), MoneyMove.amount),
    (MoneyMove.kind == constant(MoneyMoveKind.REFUNDED), -MoneyMove.amount),
    else_=0,
)
STATEMENT = union_all(
    part(
        "units",
        Reservation.order_id == MINE,
        Reservation.status.in_(map(constant, SET_ASIDE)),
        name=Reservation.fulfillment_id,
        units=of(Reservation),
    ),
    part(
        "units",
        Backorder.order_id == MINE,
        Backorder.status.in_(map(constant, (BackorderStatus.WAITING, BackorderStatus.ASKED))),
        units=of(Backorder),
    ),
    part("line", OrderLine.order_id == MINE, units=(OrderLine.line_no, NO_NUMBER, OrderLine.quantity)),
    part(
        "cancelled",
        LineCancellation.order_id == MINE,
        LineCancellation.status.in_(map(constant, (LineCancellationStatus.ASKED, LineCancellationStatus.DONE))),
        units=of(LineCancellation),
    ),
    part("price", UnitAmount.order_id == MINE, units=of(UnitAmount), amount=UnitAmount.total),
    charged("paid", ChargeStatus.PAID),
    charged("open", ChargeStatus.OPEN),
    part(
        "received",
        MoneyMove.order_id == MINE,
        MoneyMove.kind.in_(map(constant, RECEIVED)),
        MoneyMove.charge_id.is_not(None),
        name=MoneyMove.charge_id,
        amount=func.sum(MoneyMove.amount),
    ).group_by(MoneyMove.charge_id),
    part("elsewhere", MoneyMove.order_id == MINE, MoneyMove.charge_id.is_(None), amount=func.sum(SIGNED)),
    part("charges", Charge.order_id == MINE, units=(NO_NUMBER, NO_NUMBER, func.count())),
    part(
        "tender",
        Tender.order_id == MINE,
        name=type_coerce(Tender.due, String),
        units=(NO_NUMBER, NO_NUMBER, Tender.n),
    ),
)

# --- of one fulfillment -----------------------------------------------------------------------------------------------

OVERLAP = case(
    (
        Reservation.first_unit + Reservation.quantity < ChargeUnits.first_unit + ChargeUnits.quantity,
        Reservation.first_unit + Reservation.quantity,
    ),
    else_=ChargeUnits.first_unit + ChargeUnits.quantity,
) - case((Reservation.first_unit > ChargeUnits.first_unit, Reservation.first_unit), else_=ChargeUnits.first_unit)
PAID = (
    select(func.coalesce(func.sum(ChargeUnits.amount * OVERLAP), 0))
    .select_from(Reservation)
    .join(
        ChargeUnits,
        (ChargeUnits.order_id == Reservation.order_id)
        & (ChargeUnits.line_no == Reservation.line_no)
        & (ChargeUnits.first_unit < Reservation.first_unit + Reservation.quantity)
        & (Reservation.first_unit < ChargeUnits.first_unit + ChargeUnits.quantity),
    )
    .join(Charge, (Charge.charge_id == ChargeUnits.charge_id) & (Charge.status == constant(ChargeStatus.PAID)))
    .where(Reservation.fulfillment_id == Fulfillment.fulfillment_id, Reservation.status.in_(map(constant, SET_ASIDE)))
    .correlate(Fulfillment)
    .scalar_subquery()
)
UNPAID = cast(Fulfillment.amount - PAID, BigInteger)
"""What of a fulfillment's units no charge has paid."""
