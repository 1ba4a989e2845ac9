"""Goods leave over the counter: sold at a till, which is a fact whatever stock says."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import insert
from sqlalchemy.orm import Session

from activities.facts import inventory
from activities.facts.count_requests import asked_for
from activities.facts.displacing import freed
from activities.facts.journal import note
from activities.facts.statuses import derive
from activities.facts.stock_moves import Delta, Move, Shelf, counted_later, moved
from activities.intake.allocation import cost
from activities.intake.order import AskedOrder
from activities.models import FulfillmentStatus
from infra.database.inserting import insert_new
from infra.database.tables import Fulfillment, Order, Reservation, Sale, Stock, Till
from infra.words import EventType, ReservationStatus, ShippingMethod, StockMoveKind


def sold(tx: Session, order: Order, asked: AskedOrder, skus: Mapping[str, str]) -> None:
    """Units are with the customer, from where the till is: the order's first fulfillment. Of what stock does not know
    there, more was found."""
    place = tx.get_one(Till, asked.till).location_id
    at = order.placed_at
    tx.add(Sale(order_id=order.order_id, till_id=asked.till, location_id=place, shift=asked.shift, sold_at=at))
    prices = asked.unit_amounts()
    gone = [
        (number, skus.get(line.sku, line.sku), line.quantity)
        for number, line in enumerate(asked.lines, start=1)
        if asked.at_counter(line)
    ]
    f = Fulfillment(
        fulfillment_id=f"{order.order_id}-1",
        order_id=order.order_id,
        n=1,
        method=ShippingMethod.COUNTER,
        location_id=place,
        status=FulfillmentStatus.PICKED_UP,
        amount=sum(cost(prices[number - 1], 0, quantity) for number, _, quantity in gone),
        released=False,
        version=order.version + 1,
        delivered_at=at,
    )
    tx.add(f)
    tx.flush()
    units: Counter[Shelf] = Counter()
    for _, sku, quantity in gone:
        units[sku, place] += quantity
    taken(tx, order, units)
    tx.execute(
        insert(Reservation),
        [
            {
                "order_id": order.order_id,
                "line_no": number,
                "sku": sku,
                "first_unit": 0,
                "quantity": quantity,
                "location_id": place,
                "fulfillment_id": f.fulfillment_id,
                "status": ReservationStatus.CONSUMED,
            }
            for number, sku, quantity in gone
        ],
    )
    shift = {"shift": asked.shift} if asked.shift else {}
    note(tx, order, EventType.SOLD, at, fulfillment_id=f.fulfillment_id, till=asked.till, **shift)
    derive(tx, order)


def taken(tx: Session, order: Order, units: Mapping[Shelf, int]) -> None:
    """What is available goes first, then what is blocked, then what others have reserved, and no warehouse has packed;
    what stock does not know of was there all the same."""
    inventory.lock(tx, {sku for sku, _ in units})
    shelved(tx, units)
    at = order.placed_at
    counted = {shelf for shelf, _ in counted_later(tx, [(shelf, at) for shelf in units])}  # who has them is settled
    lacking = freed(tx, order.order_id, {shelf: count for shelf, count in units.items() if shelf not in counted})
    moves = [
        Move(StockMoveKind.FOUND, order.order_id, shelf, Delta(on_hand=count), at) for shelf, count in lacking.items()
    ]
    moves += [
        Move(StockMoveKind.SOLD, order.order_id, shelf, Delta(on_hand=-count), at) for shelf, count in units.items()
    ]
    moved(tx, moves)
    asked_for(tx, lacking, "found")


def shelved(tx: Session, places: Iterable[Shelf]) -> None:
    """Also where nothing of it was known to be."""
    empty = {"on_hand": 0, "reserved": 0, "blocked": 0}
    tx.execute(insert_new(tx, Stock), [{"sku": sku, "location_id": place, **empty} for sku, place in sorted(places)])
