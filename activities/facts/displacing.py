"""Units that are gone although an order has them: sold at a till, or not there when counted.

Whoever holds the products takes them from the newest placed orders that no warehouse has packed for: marks their
reservations, and nudges them. What becomes of it is each order's own, under its own lock: it looks (`looked_at`), stops
the fulfillment, and reserves the units anew; or the warehouse has them after all (`found`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from activities.facts import claims
from activities.facts.count_requests import asked_for
from activities.facts.holds import close_of_cancelled
from activities.facts.inventory import availability_at
from activities.facts.journal import fulfillments_of, note, nudge
from activities.facts.line_cancellations import recall_wanted, requested_of
from activities.facts.set_aside import last_units, taken_apart, units_in
from activities.facts.stock_moves import Delta, Move, Shelf, moved
from activities.models import FulfillmentStatus, Recall
from infra.database.tables import Fulfillment, Order, Reservation, Stock
from infra.words import EventType, ReservationStatus, StockMoveKind

UNPACKED = (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED)


def freed(tx: Session, reference: str, units: Mapping[Shelf, int]) -> dict[Shelf, int]:
    """Makes so many units available to the caller, who holds their products and takes them at once. After what is
    available already, or held by checkouts beyond their time, come blocked units, then what checkouts hold, then the
    newest placed reservations, the last units of each first; never what is packed, or what a warehouse could not stop.
    Gives how many are lacking still."""
    there = figures(tx, units)
    short = {shelf[0] for shelf, count in units.items() if count > there.get(shelf, (0, 0))[0]}
    if short and claims.freed(tx, short):
        there = figures(tx, units)
    moves, wanted = [], dict[Shelf, int]()
    for shelf, count in sorted(units.items()):
        available, blocked = there.get(shelf, (0, 0))
        unblocked = max(0, min(count - available, blocked))
        if unblocked:
            moves.append(Move(StockMoveKind.UNBLOCKED, reference, shelf, Delta(blocked=-unblocked)))
        if lacking := max(0, count - available - unblocked):
            wanted[shelf] = lacking
    for each in claims.displaced(tx, wanted) if wanted else ():
        shelf = (each.sku, each.location_id)
        moves.append(Move(StockMoveKind.DISPLACED, each.claim_id, shelf, Delta(reserved=-each.quantity)))
        wanted[shelf] -= each.quantity
    given_way = displaced(tx, wanted) if any(wanted.values()) else []
    for r in given_way:
        shelf = (r.sku, r.location_id)
        moves.append(Move(StockMoveKind.DISPLACED, str(r.order_id), shelf, Delta(reserved=-r.quantity)))
        wanted[shelf] -= r.quantity
    if moves:
        moved(tx, moves)
    nudge(tx, sorted({str(r.order_id) for r in given_way}))
    return {shelf: lacking for shelf, lacking in wanted.items() if lacking}


def figures(tx: Session, of: Iterable[Shelf]) -> dict[Shelf, tuple[int, int]]:
    """What is available, and blocked."""
    tx.flush()
    rows = select(Stock.sku, Stock.location_id, Stock.available, Stock.blocked)
    found = tx.execute(rows.where(Stock.sku.in_({sku for sku, _ in of})))
    return {(sku, place): (available, blocked) for sku, place, available, blocked in found}


def displaced(tx: Session, wanted: Mapping[Shelf, int]) -> list[Reservation]:
    """Reservations that give way, marked so: as many units as there are."""
    newest_first = (
        Order.placed_at.desc(),
        Order.order_id.desc(),
        Reservation.line_no.desc(),
        Reservation.first_unit.desc(),
    )
    of_shelf = (Reservation.sku, Reservation.location_id)
    sofar = func.sum(Reservation.quantity).over(partition_by=of_shelf, order_by=newest_first)
    may_give_way = (
        select(Reservation.reservation_id, (sofar - Reservation.quantity).label("before"))
        .join(Order, Order.order_id == Reservation.order_id)
        .outerjoin(Fulfillment, Fulfillment.fulfillment_id == Reservation.fulfillment_id)
        .where(
            tuple_(*of_shelf).in_(wanted),
            Reservation.status == ReservationStatus.HELD,
            or_(Fulfillment.fulfillment_id.is_(None), Fulfillment.status.in_(UNPACKED)),
            or_(Fulfillment.recall.is_(None), Fulfillment.recall != Recall.REFUSED),
        )
        .subquery()
    )
    rows = tx.scalars(
        select(Reservation)
        .join(may_give_way, may_give_way.c.reservation_id == Reservation.reservation_id)
        .where(may_give_way.c.before < max(wanted.values()))
        .order_by(may_give_way.c.before)
        .execution_options(populate_existing=True)
    ).all()
    left, found = dict(wanted), []
    for reservation in rows:
        shelf = (reservation.sku, reservation.location_id)
        if count := min(left[shelf], reservation.quantity):
            left[shelf] -= count
            reservation = last_units(tx, reservation, count)
            reservation.status = ReservationStatus.DISPLACED
            found.append(reservation)
    return found


def looked_at(tx: Session, order: Order, at: datetime) -> bool:
    """The order sees that units of it were displaced, and stops what they are in; it holds its products. Whether some
    are to be reserved anew at once: until a warehouse has stopped their fulfillment they are its units."""
    mine = (Reservation.order_id == order.order_id, Reservation.status == ReservationStatus.DISPLACED)
    rows = tx.scalars(select(Reservation).where(*mine).execution_options(populate_existing=True)).all()
    lost_in = {reservation.fulfillment_id for reservation in rows}
    going = [f for f in fulfillments_of(tx, order.order_id) if f.fulfillment_id in lost_in and not f.recall]
    unseen = {None, *(f.fulfillment_id for f in going)}
    lost = [reservation for reservation in rows if reservation.fulfillment_id in unseen]
    if not lost:
        return False
    note(tx, order, EventType.DISPLACED, at, units=sum(reservation.quantity for reservation in lost))
    taken_apart([reservation for reservation in lost if reservation.fulfillment_id is None])
    called_back(tx, order, going, at)
    return True


def called_back(tx: Session, order: Order, fulfillments: Sequence[Fulfillment], at: datetime) -> None:
    """What no warehouse has is stopped at once, and its units are planned anew; what one has, it is asked to stop."""
    asked, at_rest = requested_of(tx, order.order_id), []
    for f in fulfillments:
        f.version = order.version + 1
        if f.status == FulfillmentStatus.PLANNED and f.fulfillment_id not in asked:
            at_rest.append(f)
        else:
            recall_wanted(tx, order, f, at)
    taken_apart(units_in(tx, *(f.fulfillment_id for f in at_rest)))
    for f in at_rest:
        f.status = FulfillmentStatus.CANCELLED
    close_of_cancelled(tx, order, at)


def found(tx: Session, f: Fulfillment, units: Sequence[Reservation]) -> list[Reservation]:
    """The warehouse has what it was asked for: of `units`, of this fulfillment and read under the lock of their
    products, also those that had been displaced. They are what has become available since, or more than was known: then
    the shelf is to be counted. Gives them."""
    lost = [reservation for reservation in units if reservation.status == ReservationStatus.DISPLACED]
    if not lost:
        return []
    free = availability_at(tx, {(r.sku, r.location_id) for r in lost})
    set_aside: dict[Shelf, Delta] = defaultdict(Delta)
    more: dict[Shelf, Delta] = defaultdict(Delta)
    for r in lost:
        count = min(r.quantity, free[r.sku].get(r.location_id, 0))
        if count:
            free[r.sku][r.location_id] -= count
            set_aside[r.sku, r.location_id] += Delta(reserved=count)
        if rest := r.quantity - count:
            more[r.sku, r.location_id] += Delta(on_hand=rest, reserved=rest)
        r.status = ReservationStatus.HELD
    moves = [Move(StockMoveKind.RESERVED, f.order_id, shelf, delta) for shelf, delta in sorted(set_aside.items())]
    moves += [Move(StockMoveKind.FOUND, f.fulfillment_id, shelf, delta) for shelf, delta in sorted(more.items())]
    moved(tx, moves)
    asked_for(tx, more, "found")
    return lost
