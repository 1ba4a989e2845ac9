"""Units on at_locations: received, set aside, given back, gone. Product rows are the lock of their stock.

Whatever frees or adds units serves the oldest waiting backorders in the same transaction, so units are available only
when no one waits for them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy import bindparam as bind
from sqlalchemy.orm import Session

from activities.facts.journal import nudge
from infra.clock import wall_clock
from infra.database.tables import (
    Backorder,
    Location,
    Order,
    OrderLine,
    Product,
    Reservation,
    Restock,
    Stock,
    StockMove,
)
from infra.words import BackorderStatus, ReservationStatus, StockMoveKind


def lock(tx: Session, skus: Iterable[str]) -> dict[str, Product]:
    return locked(tx, Product.sku.in_(sorted(set(skus))))


def locked(tx: Session, which: ColumnElement[bool]) -> dict[str, Product]:
    # NO KEY UPDATE: orders that are just being placed refer to these rows, in an order of their own
    rows = tx.scalars(select(Product).where(which).order_by(Product.sku).with_for_update(of=Product, key_share=True))
    return {product.sku: product for product in rows}


def lock_all_of(tx: Session, order_id: str) -> dict[str, Product]:
    """Before units and backorders of an order are read together: a restock moves units from one to the other under
    this lock alone."""
    return locked(tx, Product.sku.in_(select(OrderLine.sku).where(OrderLine.order_id == order_id)))


def availability(tx: Session, skus: Sequence[str]) -> dict[str, dict[str, int]]:
    """Per location, in order of priority: what is available of each SKU."""
    rows = tx.execute(
        select(Stock.location_id, Stock.sku, Stock.on_hand - Stock.reserved)
        .join(Location)
        .where(Stock.sku.in_(skus), Stock.on_hand > Stock.reserved)
        .order_by(Location.priority, Location.location_id)
    )
    at_locations: dict[str, dict[str, int]] = defaultdict(dict)
    for location_id, sku, available in rows:
        at_locations[location_id][sku] = available
    return at_locations


def move(tx: Session, kind: StockMoveKind, reference: str, changes: dict[tuple[str, str], tuple[int, int]]) -> None:
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


def give_back(tx: Session, order: Order, reservations: list[Reservation]) -> None:
    """Units go back on the shelf, and from there to whoever waits longest."""
    if not reservations:
        return
    lock(tx, {r.sku for r in reservations})
    freed: dict[tuple[str, str], tuple[int, int]] = {}
    for r in reservations:
        freed[r.sku, r.location_id] = (0, freed.get((r.sku, r.location_id), (0, 0))[1] - r.quantity)
        r.status = ReservationStatus.RELEASED
    move(tx, StockMoveKind.RELEASED, order.order_id, freed)
    serve(tx, freed)


def put_back(tx: Session, kind: StockMoveKind, reference: str, units: Iterable[Reservation]) -> None:
    """What had left is on the shelf again, and goes to whoever waits longest."""
    back: dict[tuple[str, str], tuple[int, int]] = {}
    for r in units:
        back[r.sku, r.location_id] = (back.get((r.sku, r.location_id), (0, 0))[0] + r.quantity, 0)
    if back:
        move(tx, kind, reference, back)
        serve(tx, back)


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
    here = select(Stock.sku).where(Stock.location_id == location_id, Stock.sku.in_([sku for sku, _ in arrived]))
    new = {sku for sku, _ in arrived} - set(tx.scalars(here))
    tx.add_all(Stock(sku=sku, location_id=location_id, on_hand=0, reserved=0) for sku in sorted(new))
    move(tx, StockMoveKind.RECEIVED, reference, arrived)
    serve(tx, arrived)
    return True


def serve(tx: Session, places: Iterable[tuple[str, str]]) -> None:
    """Gives available units to the oldest waiting backorders and nudges their orders."""
    free = availability_at(tx, set(places))
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    reservations = []
    for backorder in due(tx, free):
        shelf = free[backorder.sku]
        for location_id in [place for place, available in shelf.items() if available]:
            count = min(backorder.quantity, shelf[location_id])
            shelf[location_id] -= count
            taken[location_id][backorder.sku] += count
            reservations.append(allocated(backorder, location_id, count))
            if backorder.status == BackorderStatus.ALLOCATED:
                break
    for location_id, units in sorted(taken.items()):
        move(tx, StockMoveKind.ALLOCATED, location_id, {(sku, location_id): (0, count) for sku, count in units.items()})
    if reservations:
        tx.execute(insert(Reservation), reservations)
    nudge(tx, sorted({each["order_id"] for each in reservations}), "restocked")


def availability_at(tx: Session, places: set[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Per SKU: what is available of it at each of these places."""
    free: dict[str, dict[str, int]] = defaultdict(dict)
    tx.flush()
    for sku, location_id, available in tx.execute(
        select(Stock.sku, Stock.location_id, Stock.on_hand - Stock.reserved)
        .where(Stock.sku.in_({sku for sku, _ in places}), Stock.on_hand > Stock.reserved)
        .order_by(Stock.sku, Stock.location_id)
    ):
        if (sku, location_id) in places:
            free[sku][location_id] = available
    return free


def due(tx: Session, free: dict[str, dict[str, int]]) -> list[Backorder]:
    """Those whose turn it is: in order of placement, as far as the units of their SKU reach."""
    if not free:
        return []
    reach = {sku: sum(shelf.values()) for sku, shelf in free.items()}
    order_of_placement = (Backorder.placed_at, Backorder.order_id, Backorder.backorder_id)
    before = func.sum(Backorder.quantity).over(partition_by=Backorder.sku, order_by=order_of_placement)
    line_up = (
        select(Backorder.backorder_id, (before - Backorder.quantity).label("before"))
        .where(Backorder.sku.in_(reach), Backorder.status == BackorderStatus.WAITING)
        .subquery()
    )
    rows = tx.execute(
        select(Backorder, line_up.c.before)
        .join(line_up, line_up.c.backorder_id == Backorder.backorder_id)
        .where(line_up.c.before < max(reach.values()))
        .order_by(*order_of_placement)
        .execution_options(populate_existing=True)
    )
    return [backorder for backorder, ahead in rows if ahead < reach[backorder.sku]]


def allocated(backorder: Backorder, location_id: str, count: int) -> dict[str, Any]:
    """The reservation of its first `count` units; the backorder is lowered, or done."""
    reservation = {
        "order_id": backorder.order_id,
        "line_no": backorder.line_no,
        "sku": backorder.sku,
        "first_unit": backorder.first_unit,
        "quantity": count,
        "location_id": location_id,
        "status": ReservationStatus.HELD,
    }
    if count < backorder.quantity:
        backorder.first_unit += count
        backorder.quantity -= count
    else:
        backorder.status = BackorderStatus.ALLOCATED
    return reservation
