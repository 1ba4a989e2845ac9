"""An order's units: reserved, waiting, given up."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam as bind
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from activities.facts import inventory, planning, promises
from activities.facts.cancellation import about_money, cancellation_settled
from activities.facts.holds import close_with_order
from activities.facts.journal import locked_order, note, tell
from activities.facts.statuses import derive
from activities.models import CancelReason, FulfillmentStatus
from infra.database.tables import (
    Backorder,
    Fulfillment,
    Order,
    OrderLine,
    Product,
    Reservation,
)
from infra.words import BackorderPolicy, BackorderStatus, EventType, MessageKind, ReservationStatus, StockMoveKind


def reserved(tx: Session, order_id: str, at: datetime) -> bool:
    """Sets aside what the order still lacks, queues for the rest, and plans fulfillments. Safe to repeat. Whether a
    warehouse may have spoken of them already."""
    order = locked_order(tx, order_id)
    products = inventory.lock_all_of(tx, order_id)
    wanted = planning.open_units(tx, order)
    if wanted:
        taken, missing = planning.pick(wanted, inventory.availability(tx, list({units.sku for units in wanted})))
        take(tx, order, taken)
        if missing and order.backorder == BackorderPolicy.CANCEL_UNAVAILABLE:
            drop(tx, order, missing, at)
        elif missing:
            queue(tx, order, missing, products, at)
    else:
        promises.kept(tx, order, at)
    news_waits = planning.planned(tx, order, at)
    derive(tx, order)
    return news_waits


def take(tx: Session, order: Order, taken: list[tuple[str, planning.Units]]) -> None:
    if not taken:
        return
    moved: dict[tuple[str, str], int] = defaultdict(int)
    for location_id, units in taken:
        moved[units.sku, location_id] += units.quantity
    inventory.move(tx, StockMoveKind.RESERVED, order.order_id, {key: (0, quantity) for key, quantity in moved.items()})
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
                "status": ReservationStatus.HELD,
            }
            for location_id, units in taken
        ],
    )


def queue(tx: Session, order: Order, missing: list[planning.Units], products: dict[str, Product], at: datetime) -> None:
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
                "status": BackorderStatus.WAITING,
                "promised_on": promised[units.sku],
                "placed_at": order.placed_at,
            }
            for units in missing
        ],
    )
    count = sum(units.quantity for units in missing)
    note(tx, order, EventType.BACKORDERED, at, units=count, promised_on=max(promised.values()).isoformat())
    promises.promised(tx, order)


def drop(tx: Session, order: Order, missing: list[planning.Units], at: datetime) -> None:
    """`cancel_unavailable`: what no location has is not waited for."""
    cancel_units(tx, order.order_id, [(units.line_no, units.quantity) for units in missing])
    count = sum(units.quantity for units in missing)
    note(tx, order, EventType.UNAVAILABLE_CANCELLED, at, units=count)
    lines = select(func.sum(OrderLine.quantity), func.sum(OrderLine.cancelled))
    wanted, gone = tx.execute(lines.where(OrderLine.order_id == order.order_id)).one()
    if wanted > gone:
        tell(tx, order, MessageKind.PARTLY_CANCELLED, f"unavailable {gone}")
    else:
        order.cancel_reason = CancelReason.STOCK
        tell(tx, order, MessageKind.CANCELLED, "", **about_money(tx, order, []))


def cancel_units(tx: Session, order_id: str, units: Iterable[tuple[int, int]]) -> None:
    """So many of each line will never be sent: one statement, however many lines."""
    dropped = [{"b_line": line_no, "b_quantity": quantity} for line_no, quantity in units]
    if dropped:
        tx.flush()
        tx.connection().execute(
            update(OrderLine.__table__)  # type: ignore[arg-type]
            .where(OrderLine.order_id == order_id, OrderLine.line_no == bind("b_line"))
            .values(cancelled=OrderLine.cancelled + bind("b_quantity")),
            dropped,
        )


def released(tx: Session, order_id: str, at: datetime) -> None:
    """Undo of `reserved`: the order leaves every queue and gives back what is in no fulfillment under way."""
    order = locked_order(tx, order_id)
    inventory.lock_all_of(tx, order_id)
    idle = list(
        tx.scalars(
            select(Reservation)
            .outerjoin(Fulfillment)
            .where(
                Reservation.order_id == order_id,
                Reservation.status == ReservationStatus.HELD,
                (Reservation.fulfillment_id.is_(None)) | (Fulfillment.status == FulfillmentStatus.PLANNED),
            )
        )
    )
    waiting = list(
        tx.scalars(select(Backorder).where(Backorder.order_id == order_id, Backorder.status == BackorderStatus.WAITING))
    )
    for backorder in waiting:
        backorder.status = BackorderStatus.CANCELLED
    if waiting:
        promises.kept(tx, order, at)
    cancel_units(tx, order_id, [(backorder.line_no, backorder.quantity) for backorder in waiting])
    for fulfillment in tx.scalars(
        select(Fulfillment).where(Fulfillment.order_id == order_id, Fulfillment.status == FulfillmentStatus.PLANNED)
    ):
        fulfillment.status, fulfillment.version = FulfillmentStatus.CANCELLED, order.version + 1
    inventory.give_back(tx, order, idle)
    loose = planning.open_units(tx, order)
    cancel_units(tx, order_id, [(units.line_no, units.quantity) for units in loose])
    if idle or waiting:
        count = sum(r.quantity for r in idle) + sum(b.quantity for b in waiting)
        note(tx, order, EventType.STOCK_RELEASED, at, units=count)
    cancellation_settled(tx, order, at, given_up=bool(idle or waiting or loose))
    close_with_order(tx, order, at)
    derive(tx, order)
