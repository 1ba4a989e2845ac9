"""Units: reserved, waiting, given back, received, gone. Product rows are the lock of their stock.

Whatever frees or adds units serves the oldest waiting backorders in the same transaction, so units are available
only when
no one waits for them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import bindparam as bind
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from activities.facts.axes import derive, sums
from activities.facts.holds import moot
from activities.facts.record import fulfillments_of, locked_order, note, nudge, tell, wall_clock
from activities.models import FulfillmentStatus
from activities.shares import cost
from infra.database.tables import (
    Backorder,
    Contact,
    Fulfillment,
    Location,
    MoneyMove,
    Order,
    OrderLine,
    Product,
    Reservation,
    Restock,
    Stock,
    StockMove,
    UnitShare,
)


class Units(NamedTuple):
    """`quantity` units of one line from `first_unit` on, going to one place."""

    line_no: int
    sku: str
    contact_id: int
    first_unit: int
    quantity: int


def reserved(tx: Session, order_id: str, at: datetime) -> None:
    """Sets aside what the order still lacks, queues for the rest, and plans fulfillments. Safe to repeat."""
    order = locked_order(tx, order_id)
    wanted = open_units(tx, order)
    if wanted:
        products = lock(tx, {units.sku for units in wanted})
        taken, missing = pick(wanted, availability(tx, list(products)))
        take(tx, order, taken)
        if missing and order.backorder == "cancel_unavailable":
            drop(tx, order, missing, at)
        elif missing:
            queue(tx, order, missing, products, at)
    planned(tx, order, at)
    derive(tx, order)


def lock(tx: Session, skus: Iterable[str]) -> dict[str, Product]:
    # NO KEY UPDATE: orders that are just being placed refer to these rows, in an order of their own
    wanted = select(Product).where(Product.sku.in_(sorted(set(skus)))).order_by(Product.sku)
    rows = tx.scalars(wanted.with_for_update(key_share=True))
    return {product.sku: product for product in rows}


def availability(tx: Session, skus: Sequence[str]) -> dict[str, dict[str, int]]:
    """Per location, in order of priority: what is available of each SKU."""
    rows = tx.execute(
        select(Stock.location_id, Stock.sku, Stock.on_hand - Stock.reserved)
        .join(Location)
        .where(Stock.sku.in_(skus), Stock.on_hand > Stock.reserved)
        .order_by(Location.priority, Location.location_id)
    )
    shelves: dict[str, dict[str, int]] = defaultdict(dict)
    for location_id, sku, available in rows:
        shelves[location_id][sku] = available
    return shelves


def open_units(tx: Session, order: Order) -> list[Units]:
    """Units of the order that are neither reserved, consumed, waiting nor cancelled."""
    assigned: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for table, states in ((Reservation, ("held", "consumed")), (Backorder, ("waiting",))):
        for line_no, first, quantity in tx.execute(
            select(table.line_no, table.first_unit, table.quantity).where(
                table.order_id == order.order_id, table.status.in_(states)
            )
        ):
            assigned[line_no].append((first, quantity))
    ship_to = tx.scalars(
        select(Contact.contact_id).where(Contact.order_id == order.order_id, Contact.kind == "ship_to")
    ).one()
    wanted = []
    for line in tx.scalars(select(OrderLine).where(OrderLine.order_id == order.order_id).order_by(OrderLine.line_no)):
        spans = sorted(assigned[line.line_no])
        room = line.quantity - line.cancelled - sum(quantity for _, quantity in spans)
        at_unit = 0
        for first, quantity in [*spans, (line.quantity, 0)]:
            free = min(first - at_unit, room)
            if free > 0:
                wanted.append(Units(line.line_no, line.sku, line.contact_id or ship_to, at_unit, free))
                room -= free
            at_unit = first + quantity
    return wanted


def pick(wanted: list[Units], shelves: dict[str, dict[str, int]]) -> tuple[list[tuple[str, Units]], list[Units]]:
    """Which location gives which units: the fewest locations per destination, then their priority."""
    taken: list[tuple[str, Units]] = []
    missing: list[Units] = []
    for _, group in groupby(
        sorted(wanted, key=lambda u: (u.contact_id, u.line_no, u.first_unit)), lambda u: u.contact_id
    ):
        rest = list(group)
        while rest:
            best = max(shelves, key=lambda location: covered(rest, shelves[location]), default=None)
            if best is None or not covered(rest, shelves[best]):
                break
            rest, given = split(rest, shelves[best])
            taken += [(best, units) for units in given]
        missing += rest
    return taken, missing


def covered(wanted: list[Units], shelf: dict[str, int]) -> int:
    need: dict[str, int] = defaultdict(int)
    for units in wanted:
        need[units.sku] += units.quantity
    return sum(min(quantity, shelf.get(sku, 0)) for sku, quantity in need.items())


def split(wanted: list[Units], shelf: dict[str, int]) -> tuple[list[Units], list[Units]]:
    """What is left to find and what this shelf gives; the shelf is lowered."""
    rest, given = [], []
    for units in wanted:
        count = min(units.quantity, shelf.get(units.sku, 0))
        if count:
            shelf[units.sku] -= count
            given.append(units._replace(quantity=count))
        if count < units.quantity:
            rest.append(units._replace(first_unit=units.first_unit + count, quantity=units.quantity - count))
    return rest, given


def take(tx: Session, order: Order, taken: list[tuple[str, Units]]) -> None:
    if not taken:
        return
    moved: dict[tuple[str, str], int] = defaultdict(int)
    for location_id, units in taken:
        moved[units.sku, location_id] += units.quantity
    move(tx, "reserved", order.order_id, {key: (0, quantity) for key, quantity in moved.items()})
    tx.execute(
        insert(Reservation),
        [
            {
                "order_id": order.order_id,
                "line_no": units.line_no,
                "sku": units.sku,
                "first_unit": units.first_unit,
                "quantity": units.quantity,
                "location_id": location_id,
                "status": "held",
            }
            for location_id, units in taken
        ],
    )


def move(tx: Session, kind: str, reference: str, changes: dict[tuple[str, str], tuple[int, int]]) -> None:
    """Changes (on hand, reserved) per SKU and location, with the reason on record. The table's check guards the
    bounds."""
    tx.flush()
    connection = tx.connection()
    connection.execute(
        update(Stock.__table__)  # type: ignore[arg-type]
        .where(Stock.sku == bind("b_sku"), Stock.location_id == bind("b_location"))
        .values(on_hand=Stock.on_hand + bind("b_on_hand"), reserved=Stock.reserved + bind("b_reserved")),
        [
            {"b_sku": sku, "b_location": location, "b_on_hand": on_hand, "b_reserved": held}
            for (sku, location), (on_hand, held) in sorted(changes.items())
        ],
    )
    now = wall_clock()
    tx.execute(
        insert(StockMove),
        [
            {
                "sku": sku,
                "location_id": location,
                "kind": kind,
                "on_hand": on_hand,
                "reserved": held,
                "reference": reference,
                "recorded_at": now,
            }
            for (sku, location), (on_hand, held) in sorted(changes.items())
        ],
    )


def queue(tx: Session, order: Order, missing: list[Units], products: dict[str, Product], at: datetime) -> None:
    promised = {units.sku: (at + timedelta(days=products[units.sku].lead_time_days)).date() for units in missing}
    tx.execute(
        insert(Backorder),
        [
            {
                "order_id": order.order_id,
                "line_no": units.line_no,
                "sku": units.sku,
                "first_unit": units.first_unit,
                "quantity": units.quantity,
                "status": "waiting",
                "promised_on": promised[units.sku],
                "placed_at": order.placed_at,
            }
            for units in missing
        ],
    )
    count = sum(units.quantity for units in missing)
    latest = max(promised.values()).isoformat()
    note(tx, order, "backordered", at, units=count, promised_on=latest)
    tell(tx, order, "backordered", "", expected=latest)


def drop(tx: Session, order: Order, missing: list[Units], at: datetime) -> None:
    """`cancel_unavailable`: what no location has is not waited for."""
    for units in missing:
        cancel_units(tx, order.order_id, units.line_no, units.quantity)
    count = sum(units.quantity for units in missing)
    note(tx, order, "unavailable_cancelled", at, units=count)
    tell(tx, order, "partly_cancelled", "unavailable")


def cancel_units(tx: Session, order_id: str, line_no: int, quantity: int) -> None:
    tx.execute(
        update(OrderLine)
        .where(OrderLine.order_id == order_id, OrderLine.line_no == line_no)
        .values(cancelled=OrderLine.cancelled + quantity)
    )


def planned(tx: Session, order: Order, at: datetime) -> None:
    """Groups reserved units into fulfillments: one location, one destination each."""
    if order.backorder == "ship_complete" and sums(tx, order).waiting:
        return
    loose = list(
        tx.execute(
            select(Reservation, func.coalesce(OrderLine.contact_id, Contact.contact_id))
            .join(OrderLine, (OrderLine.order_id == Reservation.order_id) & (OrderLine.line_no == Reservation.line_no))
            .join(Contact, (Contact.order_id == Reservation.order_id) & (Contact.kind == "ship_to"))
            .where(
                Reservation.order_id == order.order_id,
                Reservation.status == "held",
                Reservation.fulfillment_id.is_(None),
            )
        )
    )
    if not loose:
        return
    n = tx.scalar(select(func.count()).where(Fulfillment.order_id == order.order_id)) or 0
    priority = dict(tx.execute(select(Location.location_id, Location.priority)).all())
    price = shares_of(tx, order.order_id)
    places = sorted({(r.location_id, c) for r, c in loose}, key=lambda p: (priority[p[0]], p[0], p[1]))
    for location_id, contact_id in places:
        n += 1
        mine = [r for r, c in loose if (r.location_id, c) == (location_id, contact_id)]
        fulfillment = Fulfillment(
            fulfillment_id=f"{order.order_id}-{n}",
            order_id=order.order_id,
            n=n,
            location_id=location_id,
            contact_id=contact_id,
            status=FulfillmentStatus.PLANNED,
            amount=sum(cost(price[r.line_no], r.first_unit, r.quantity) for r in mine),
            captured=False,
            released=False,
            version=1,
        )
        tx.add(fulfillment)
        tx.flush()
        for reservation in mine:
            reservation.fulfillment_id = fulfillment.fulfillment_id
        note(tx, order, "planned", at, fulfillment_id=fulfillment.fulfillment_id, location=location_id)


def shares_of(tx: Session, order_id: str) -> dict[int, list[UnitShare]]:
    shares: dict[int, list[UnitShare]] = defaultdict(list)
    for share in tx.scalars(select(UnitShare).where(UnitShare.order_id == order_id)):
        shares[share.line_no].append(share)
    return shares


def released(tx: Session, order_id: str, at: datetime) -> None:
    """Undo of `reserved`: the order leaves every queue and gives back what is in no fulfillment under way."""
    order = locked_order(tx, order_id)
    # first, else a restock gives units to a backorder between its being read and its being cancelled
    lock(tx, tx.scalars(select(OrderLine.sku).where(OrderLine.order_id == order_id)).all())
    idle = list(
        tx.scalars(
            select(Reservation)
            .outerjoin(Fulfillment)
            .where(
                Reservation.order_id == order_id,
                Reservation.status == "held",
                (Reservation.fulfillment_id.is_(None)) | (Fulfillment.status == FulfillmentStatus.PLANNED),
            )
        )
    )
    waiting = list(tx.scalars(select(Backorder).where(Backorder.order_id == order_id, Backorder.status == "waiting")))
    for backorder in waiting:
        backorder.status = "cancelled"
        cancel_units(tx, order_id, backorder.line_no, backorder.quantity)
    for fulfillment in tx.scalars(
        select(Fulfillment).where(Fulfillment.order_id == order_id, Fulfillment.status == FulfillmentStatus.PLANNED)
    ):
        fulfillment.status, fulfillment.version = FulfillmentStatus.CANCELLED, fulfillment.version + 1
    give_back(tx, order, idle)
    for units in open_units(tx, order):
        cancel_units(tx, order_id, units.line_no, units.quantity)
    if idle or waiting:
        count = sum(r.quantity for r in idle) + sum(b.quantity for b in waiting)
        note(tx, order, "stock_released", at, units=count)
    cancellation_settled(tx, order, at)
    moot(tx, order, at)
    derive(tx, order)


def cancellation_settled(tx: Session, order: Order, at: datetime) -> None:
    """Every warehouse has answered: what became of the wish to cancel, and the customer hears of it."""
    going = [f for f in fulfillments_of(tx, order.order_id) if f.status != FulfillmentStatus.CANCELLED]
    dropped = tx.scalar(select(func.sum(OrderLine.cancelled)).where(OrderLine.order_id == order.order_id))
    back = (
        select(func.sum(MoneyMove.amount))
        .join(Fulfillment, Fulfillment.fulfillment_id == MoneyMove.fulfillment_id)
        .where(
            Fulfillment.order_id == order.order_id,
            Fulfillment.status == FulfillmentStatus.CANCELLED,
            MoneyMove.kind == "captured",
        )
    )
    returned = int(tx.scalar(back) or 0)  # PostgreSQL sums BIGINT to a decimal
    if not going:
        order.cancellation = "accepted"
        tell(tx, order, "cancelled", refunded=returned)
    elif dropped:
        order.cancellation = "partly"
        tell(tx, order, "partly_cancelled", "cancellation", refunded=returned)
    else:
        order.cancellation, order.cancel_reason = "refused", None
        note(tx, order, "cancellation_refused", at)
        tell(tx, order, "cancellation_refused")


def give_back(tx: Session, order: Order, reservations: list[Reservation]) -> None:
    """Units go back on the shelf, and from there to whoever waits longest."""
    if not reservations:
        return
    lock(tx, {r.sku for r in reservations})
    freed: dict[tuple[str, str], tuple[int, int]] = {}
    for r in reservations:
        freed[r.sku, r.location_id] = (0, freed.get((r.sku, r.location_id), (0, 0))[1] - r.quantity)
        r.status = "released"
    move(tx, "released", order.order_id, freed)
    serve(tx, freed)


def received(tx: Session, *, reference: str, location_id: str, lines: list[tuple[str, int]]) -> bool:
    """Units arrive at a location, once per reference: to the oldest waiting backorders first. False: known already."""
    lock(tx, {sku for sku, _ in lines})
    if tx.get(Restock, reference):
        return False
    tx.add(
        Restock(
            reference=reference,
            location_id=location_id,
            lines=[{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            recorded_at=wall_clock(),
        )
    )
    arrived: dict[tuple[str, str], tuple[int, int]] = {}
    for sku, quantity in lines:
        arrived[sku, location_id] = (arrived.get((sku, location_id), (0, 0))[0] + quantity, 0)
        if tx.get(Stock, (sku, location_id)) is None:
            tx.add(Stock(sku=sku, location_id=location_id, on_hand=0, reserved=0))
            tx.flush()
    move(tx, "received", reference, arrived)
    serve(tx, arrived)
    return True


def serve(tx: Session, places: Iterable[tuple[str, str]]) -> None:
    """Gives available units to the oldest waiting backorders and nudges their orders."""
    served: set[str] = set()
    for sku, location_id in sorted(places):
        stock = tx.get(Stock, (sku, location_id), populate_existing=True)
        if stock is None or stock.on_hand == stock.reserved:
            continue
        served |= allocate(tx, sku, location_id, stock.on_hand - stock.reserved)
    nudge(tx, sorted(served), "restocked")


def allocate(tx: Session, sku: str, location_id: str, available: int) -> set[str]:
    order_of_placement = (Backorder.placed_at, Backorder.order_id, Backorder.backorder_id)
    before = func.sum(Backorder.quantity).over(order_by=order_of_placement) - Backorder.quantity
    line_up = (
        select(Backorder.backorder_id, before.label("before"))
        .where(Backorder.sku == sku, Backorder.status == "waiting")
        .subquery()
    )
    due = list(
        tx.scalars(
            select(Backorder)
            .join(line_up, line_up.c.backorder_id == Backorder.backorder_id)
            .where(line_up.c.before < available)
            .order_by(*order_of_placement)
        )
    )
    reservations, left = [], available
    for backorder in due:
        count = min(backorder.quantity, left)
        left -= count
        reservations.append(
            {
                "order_id": backorder.order_id,
                "line_no": backorder.line_no,
                "sku": sku,
                "first_unit": backorder.first_unit,
                "quantity": count,
                "location_id": location_id,
                "status": "held",
            }
        )
        if count < backorder.quantity:
            backorder.first_unit += count
            backorder.quantity -= count
        else:
            backorder.status = "allocated"
    if reservations:
        tx.flush()
        move(tx, "allocated", location_id, {(sku, location_id): (0, available - left)})
        tx.execute(insert(Reservation), reservations)
    return {str(r["order_id"]) for r in reservations}
