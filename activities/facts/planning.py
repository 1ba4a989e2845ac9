"""Which units an order still lacks, which location gives them, and what goes together."""

from collections import defaultdict
from datetime import datetime
from enum import StrEnum
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, String, bindparam, cast, func, null, select, type_coerce, union_all
from sqlalchemy.orm import Session

from activities.facts.journal import MINE, note
from activities.facts.sums import sums
from activities.facts.waiting import WAITS_FOR_FULFILLMENTS, fulfillments_of
from activities.intake.allocation import cost
from activities.models import FulfillmentStatus
from infra.database.tables import (
    Backorder,
    Contact,
    Fulfillment,
    LineCancellation,
    Location,
    Order,
    OrderLine,
    Reservation,
    UnitAmount,
)
from infra.words import (
    BackorderPolicy,
    BackorderStatus,
    ContactKind,
    EventType,
    LineCancellationStatus,
    ReservationStatus,
    ShippingMethod,
)
from infra.words.stock import UNSENT

TAKEN: tuple[tuple[Any, tuple[StrEnum, ...]], ...] = (
    (Reservation, (*UNSENT, ReservationStatus.CONSUMED)),
    (Backorder, (BackorderStatus.WAITING, BackorderStatus.ASKED)),
    (LineCancellation, (LineCancellationStatus.ASKED, LineCancellationStatus.DONE)),
)
"""Rows whose units are not free."""


class Units(NamedTuple):
    """`quantity` units of one line from `first_unit` on, going to one place."""

    line_no: int
    sku: str
    contact_id: int
    first_unit: int
    quantity: int
    avoided: frozenset[str] = frozenset()
    """Locations that would not send them."""

    def wanted_at(self, location_id: str) -> int:
        return 0 if location_id in self.avoided else self.quantity


def whereto(order: Order) -> ContactKind:
    """Where the order goes, or who picks it up."""
    return ContactKind.PICKUP if order.shipping_method == ShippingMethod.PICKUP else ContactKind.SHIP_TO


def units(table: Any, location: Any) -> tuple[Any, ...]:
    return table.line_no, table.first_unit, table.quantity, type_coerce(table.status, String), location


REFUSED = (
    select(*units(Reservation, Reservation.location_id))
    .join(Fulfillment, Fulfillment.fulfillment_id == Reservation.fulfillment_id)
    .where(Reservation.order_id == MINE, Reservation.status == ReservationStatus.RELEASED)
    .where(Fulfillment.refusal.is_not(None), Fulfillment.status == FulfillmentStatus.CANCELLED)
)
NOT_FREE: CompoundSelect[Any] = union_all(
    *(
        select(*units(table, cast(null(), Location.location_id.type))).where(
            table.order_id == MINE, table.status.in_(states)
        )
        for table, states in TAKEN
    ),
    REFUSED,
)
"""And, with a location, those that it would not send."""
WHERETO = bindparam("whereto", type_=Contact.kind.type)
SHIP_TO = select(Contact.contact_id).where(Contact.order_id == MINE, Contact.kind == WHERETO)
LINES = select(OrderLine).where(OrderLine.order_id == MINE).order_by(OrderLine.line_no)


def open_units(tx: Session, order: Order) -> list[Units]:
    """Units of the order that are neither reserved, consumed, waiting, cancelled nor asked to be."""
    return lacking(tx, order)[0]


def lacking(tx: Session, order: Order) -> tuple[list[Units], bool]:
    """The same; and whether others are displaced."""
    assigned: dict[int, list[tuple[int, int]]] = defaultdict(list)
    avoided: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    tx.flush()
    displaced = False
    for line_no, first, quantity, status, location_id in tx.execute(NOT_FREE, {"mine": order.order_id}):
        displaced = displaced or status == ReservationStatus.DISPLACED
        if location_id is None:
            assigned[line_no].append((first, quantity))
        else:
            avoided[line_no].append((first, first + quantity, location_id))
    ship_to = tx.scalars(SHIP_TO, {"mine": order.order_id, "whereto": whereto(order)}).one()
    wanted: list[Units] = []
    for line in tx.scalars(LINES, {"mine": order.order_id}):
        at_unit = 0
        for first, quantity in [*sorted(assigned[line.line_no]), (line.quantity, 0)]:
            if first > at_unit:
                units = Units(line.line_no, line.sku, line.contact_id or ship_to, at_unit, first - at_unit)
                wanted += apart(units, avoided[line.line_no])
            at_unit = max(at_unit, first + quantity)  # units that are asked to be cancelled are reserved too
    return wanted, displaced


def apart(units: Units, avoided: list[tuple[int, int, str]]) -> list[Units]:
    """Those that different locations would not send."""
    first, after = units.first_unit, units.first_unit + units.quantity
    bounds = {first, after} | {bound for run in avoided for bound in run[:2] if first < bound < after}
    return [
        units._replace(
            first_unit=start,
            quantity=end - start,
            avoided=frozenset(place for begin, stop, place in avoided if begin <= start < stop),
        )
        for start, end in pairwise(sorted(bounds))
    ]


def pick(wanted: list[Units], available: dict[str, dict[str, int]]) -> tuple[list[tuple[str, Units]], list[Units]]:
    """Which location gives which units: the fewest locations per destination, then their priority."""
    taken: list[tuple[str, Units]] = []
    missing: list[Units] = []
    for _, group in groupby(
        sorted(wanted, key=lambda u: (u.contact_id, u.line_no, u.first_unit)), lambda u: u.contact_id
    ):
        rest = list(group)
        while rest:
            best = max(available, key=lambda place: covered(rest, place, available[place]), default=None)
            if best is None or not covered(rest, best, available[best]):
                break
            rest, given = split(rest, best, available[best])
            taken += [(best, units) for units in given]
        missing += rest
    return taken, missing


def covered(wanted: list[Units], location_id: str, shelf: dict[str, int]) -> int:
    need: dict[str, int] = defaultdict(int)
    for units in wanted:
        need[units.sku] += units.wanted_at(location_id)
    return sum(min(quantity, shelf.get(sku, 0)) for sku, quantity in need.items())


def split(wanted: list[Units], location_id: str, shelf: dict[str, int]) -> tuple[list[Units], list[Units]]:
    """What is left to find and what this shelf gives; the shelf is lowered."""
    rest, given = [], []
    for units in wanted:
        count = min(units.wanted_at(location_id), shelf.get(units.sku, 0))
        if count:
            shelf[units.sku] -= count
            given.append(units._replace(quantity=count))
        if count < units.quantity:
            rest.append(units._replace(first_unit=units.first_unit + count, quantity=units.quantity - count))
    return rest, given


LOOSE = (
    select(Reservation, func.coalesce(OrderLine.contact_id, Contact.contact_id), Location.priority)
    .join(Location, Location.location_id == Reservation.location_id)
    .join(OrderLine, (OrderLine.order_id == Reservation.order_id) & (OrderLine.line_no == Reservation.line_no))
    .join(Contact, (Contact.order_id == Reservation.order_id) & (Contact.kind == WHERETO))
    .where(
        Reservation.order_id == MINE,
        Reservation.status == ReservationStatus.HELD,
        Reservation.fulfillment_id.is_(None),
    )
)
SO_FAR = select(func.count(Fulfillment.n), WAITS_FOR_FULFILLMENTS).where(Fulfillment.order_id == MINE)


def planned(tx: Session, order: Order, at: datetime) -> bool:
    """Groups reserved units into fulfillments: one location, one destination each. Whether a warehouse may have spoken
    of them already, as after the restore of an older database."""
    if order.backorder == BackorderPolicy.SHIP_COMPLETE and sums(tx, order).waiting:
        return False
    loose = list(tx.execute(LOOSE, {"mine": order.order_id, "whereto": whereto(order)}))
    if not loose:
        return False
    about = {"mine": order.order_id, "fulfillments": fulfillments_of(order.order_id)}
    count, news_waits = tx.execute(SO_FAR, about).one()
    price = amounts_of(tx, order.order_id)
    together: dict[tuple[int, str, int], list[Reservation]] = defaultdict(list)
    for reservation, contact_id, priority in loose:
        together[priority, reservation.location_id, contact_id].append(reservation)
    made = []
    for n, ((_, location_id, contact_id), mine) in enumerate(
        sorted(together.items(), key=itemgetter(0)), start=count + 1
    ):
        fulfillment = Fulfillment(
            fulfillment_id=f"{order.order_id}-{n}",
            order_id=order.order_id,
            n=n,
            method=order.shipping_method,
            location_id=location_id,
            contact_id=contact_id,
            status=FulfillmentStatus.PLANNED,
            amount=sum(cost(price[r.line_no], r.first_unit, r.quantity) for r in mine),
            released=False,
            version=order.version + 1,
        )
        made.append((fulfillment, mine))
    tx.add_all(fulfillment for fulfillment, _ in made)
    tx.flush()  # all at once, before what refers to them
    for fulfillment, mine in made:
        for reservation in mine:
            reservation.fulfillment_id = fulfillment.fulfillment_id
        at_location = {"fulfillment_id": fulfillment.fulfillment_id, "location": fulfillment.location_id}
        note(tx, order, EventType.PLANNED, at, **at_location)
    return bool(news_waits)


UNIT_AMOUNTS = select(UnitAmount).where(UnitAmount.order_id == MINE)


def amounts_of(tx: Session, order_id: str) -> dict[int, list[UnitAmount]]:
    amounts: dict[int, list[UnitAmount]] = defaultdict(list)
    for amount in tx.scalars(UNIT_AMOUNTS, {"mine": order_id}):
        amounts[amount.line_no].append(amount)
    return amounts


def worth(tx: Session, f: Fulfillment) -> int:
    """What the units that are in it now cost, and those that left with it."""
    in_it = (*UNSENT, ReservationStatus.CONSUMED)
    mine = select(Reservation).where(Reservation.fulfillment_id == f.fulfillment_id, Reservation.status.in_(in_it))
    tx.flush()
    prices = amounts_of(tx, f.order_id)
    return sum(cost(prices[r.line_no], r.first_unit, r.quantity) for r in tx.scalars(mine))
