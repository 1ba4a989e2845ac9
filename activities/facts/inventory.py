"""Units at locations: received, set aside, blocked, given back, gone. Product rows are the lock of their stock.

Whatever frees or adds units serves the oldest waiting backorders in the same transaction, so units are available only
when no one waits for them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, func, insert, select
from sqlalchemy import bindparam as bind
from sqlalchemy.orm import Session

from activities.facts.journal import nudge
from activities.facts.stock_moves import Delta, Move, Shelf, move, moved
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
)
from infra.words import BackorderStatus, ReservationStatus, StockMoveKind

RESERVATIONS = insert(Reservation.__table__)  # type: ignore[arg-type]


def lock(tx: Session, skus: Iterable[str]) -> dict[str, Product]:
    return locked(tx, Product.sku.in_(sorted(set(skus))))


def locked(tx: Session, which: ColumnElement[bool]) -> dict[str, Product]:
    # NO KEY UPDATE: orders that are just being placed refer to these rows, in an order of their own
    rows = tx.scalars(
        select(Product)
        .where(which)
        .order_by(Product.sku)
        .with_for_update(of=Product, key_share=True)
        .execution_options(populate_existing=True)
    )
    return {product.sku: product for product in rows}


def lock_all_of(tx: Session, order_id: str) -> dict[str, Product]:
    """Before units and backorders of an order are read together: a restock moves units from one to the other under
    this lock alone."""
    return locked(tx, Product.sku.in_(select(OrderLine.sku).where(OrderLine.order_id == order_id)))


def lock_of(tx: Session, fulfillment_id: str) -> dict[str, Product]:
    """Before its units are read: until it is packed somebody may take them under this lock alone."""
    return locked(tx, Product.sku.in_(select(Reservation.sku).where(Reservation.fulfillment_id == fulfillment_id)))


AVAILABLE = (
    select(Stock.location_id, Stock.sku, Stock.available)
    .join(Location)
    .where(Stock.sku.in_(bind("skus", expanding=True)), Stock.available > 0)
    .order_by(Location.priority, Location.location_id)
)


def availability(tx: Session, skus: Sequence[str]) -> dict[str, dict[str, int]]:
    """Per location, in order of priority: what is available of each SKU."""
    rows = tx.execute(AVAILABLE, {"skus": skus})
    at_locations: dict[str, dict[str, int]] = defaultdict(dict)
    for location_id, sku, available in rows:
        at_locations[location_id][sku] = available
    return at_locations


def give_back(tx: Session, order: Order, reservations: list[Reservation]) -> None:
    """Units go back on the shelf, and from there to whoever waits longest."""
    if not reservations:
        return
    lock(tx, {r.sku for r in reservations})
    freed: dict[Shelf, Delta] = defaultdict(Delta)
    for r in reservations:
        if r.status == ReservationStatus.HELD:
            freed[r.sku, r.location_id] += Delta(reserved=-r.quantity)
        r.status = ReservationStatus.RELEASED
    if freed:
        move(tx, StockMoveKind.RELEASED, order.order_id, freed)
        serve(tx, freed)


def left(
    tx: Session,
    kind: StockMoveKind,
    reference: str,
    units: Iterable[Reservation],
    found: Collection[Reservation],
    at: datetime,
) -> None:
    """Units of an order are gone, since `at`. Those that were only found with it come and go as it is told."""
    gone: dict[tuple[Shelf, datetime | None], Delta] = defaultdict(Delta)
    for r in units:
        when = None if r in found else at
        gone[(r.sku, r.location_id), when] += Delta(on_hand=-r.quantity, reserved=-r.quantity)
    serve(tx, moved(tx, [Move(kind, reference, shelf, delta, when) for (shelf, when), delta in gone.items()]))


def put_back(tx: Session, kind: StockMoveKind, reference: str, units: Iterable[Reservation]) -> None:
    """What had left is on the shelf again, and goes to whoever waits longest."""
    back: dict[Shelf, Delta] = defaultdict(Delta)
    for r in units:
        back[r.sku, r.location_id] += Delta(on_hand=r.quantity)
    if back:
        move(tx, kind, reference, back)
        serve(tx, back)


def block(tx: Session, reference: str, units: Mapping[Shelf, int]) -> dict[Shelf, int]:
    """Units that are not to be sold, though they are there: as many of those available. How many that were. What is
    reserved is its order's: give it back first, or displace it."""
    return set_apart(tx, StockMoveKind.BLOCKED, reference, units, Stock.available, sign=1)


def unblock(tx: Session, reference: str, units: Mapping[Shelf, int]) -> dict[Shelf, int]:
    """They may be sold again, to whoever waits longest first: as many as are blocked. How many that were."""
    done = set_apart(tx, StockMoveKind.UNBLOCKED, reference, units, Stock.blocked, sign=-1)
    serve(tx, done)
    return done


def set_apart(
    tx: Session,
    kind: StockMoveKind,
    reference: str,
    units: Mapping[Shelf, int],
    upto: SQLColumnExpression[int],
    sign: int,
) -> dict[Shelf, int]:
    lock(tx, {sku for sku, _ in units})
    tx.flush()
    there = tx.execute(select(Stock.sku, Stock.location_id, upto).where(Stock.sku.in_({sku for sku, _ in units})))
    most = {(sku, location_id): count for sku, location_id, count in there}
    done = {shelf: count for shelf in units if (count := min(units[shelf], most.get(shelf, 0))) > 0}
    if done:
        move(tx, kind, reference, {shelf: Delta(blocked=sign * count) for shelf, count in done.items()})
    return done


def received(
    tx: Session, *, reference: str, location_id: str, lines: list[tuple[str, int]], at: datetime | None = None
) -> bool:
    """Units arrive at a location, once per reference: to the oldest waiting backorders first. `at`: when they did.
    False: known already."""
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
    arrived: dict[Shelf, Delta] = defaultdict(Delta)
    for sku, quantity in lines:
        arrived[sku, location_id] += Delta(on_hand=quantity)
    here = select(Stock.sku).where(Stock.location_id == location_id, Stock.sku.in_([sku for sku, _ in arrived]))
    new = {sku for sku, _ in arrived} - set(tx.scalars(here))
    tx.add_all(Stock(sku=sku, location_id=location_id, on_hand=0, reserved=0, blocked=0) for sku in sorted(new))
    move(tx, StockMoveKind.RECEIVED, reference, arrived, at)
    serve(tx, arrived)
    return True


def serve(tx: Session, places: Iterable[tuple[str, str]]) -> None:
    """Gives available units to the oldest waiting backorders and nudges their orders."""
    free = availability_at(tx, wanted) if (wanted := set(places)) else {}
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
    if reservations:
        allotted = {
            (sku, place): Delta(reserved=count) for place, units in taken.items() for sku, count in units.items()
        }
        moved(tx, [Move(StockMoveKind.ALLOCATED, shelf[1], shelf, delta) for shelf, delta in sorted(allotted.items())])
        tx.execute(RESERVATIONS, reservations)
    nudge(tx, sorted({each["order_id"] for each in reservations}), "restocked")


def availability_at(tx: Session, places: set[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Per SKU: what is available of it at each of these places."""
    free: dict[str, dict[str, int]] = defaultdict(dict)
    tx.flush()
    for sku, location_id, available in tx.execute(
        select(Stock.sku, Stock.location_id, Stock.available)
        .where(Stock.sku.in_({sku for sku, _ in places}), Stock.available > 0)
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
