"""An order's units: reserved, waiting, given up."""

from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from activities.facts import displacing, inventory, planning, promises, taking
from activities.facts.cancellation import cancellation_settled
from activities.facts.cancelled_messages import money_of
from activities.facts.holds import close_with_order
from activities.facts.journal import fulfillments_of, locked_order, note, tell
from activities.facts.line_cancellations import (
    Part,
    Where,
    Wish,
    cancelled,
    parts_left,
    wishes,
)
from activities.facts.pickup_asking import Lacking, asked, is_asked
from activities.facts.statuses import derive
from activities.models import LEFT, CancelReason, FulfillmentStatus
from infra.database.tables import Backorder, LineCancellation, Order, OrderLine, Product
from infra.words import (
    BackorderPolicy,
    BackorderStatus,
    EventType,
    LineCancellationStatus,
    MessageKind,
    ShippingMethod,
    StockMoveKind,
)


def reserved(tx: Session, order_id: str, at: datetime) -> bool:
    """Sets aside what the order still lacks, queues for the rest, and plans fulfillments. Safe to repeat. Whether a
    warehouse may have spoken of them already."""
    order = locked_order(tx, order_id)
    products = inventory.lock_all_of(tx, order_id)
    wanted, displaced = planning.lacking(tx, order)
    if displaced and displacing.looked_at(tx, order, at):
        wanted = planning.open_units(tx, order)
    if wanted:
        # there, or nowhere: the customer chose the place
        only = order.pickup_location if order.shipping_method == ShippingMethod.PICKUP else None
        taken, missing = taking.picked(tx, wanted, only)
        taking.take(tx, StockMoveKind.RESERVED, order_id, taken, order_id=order_id)
        if missing and only and is_asked(order):
            asked(tx, order, [Lacking(u.line_no, u.sku, u.first_unit, u.quantity) for u in missing], at)
        elif missing and order.backorder == BackorderPolicy.CANCEL_UNAVAILABLE:
            drop(tx, order, missing, at)
        elif missing:
            queue(tx, order, missing, products, at)
            if order.backorder == BackorderPolicy.SHIP_COMPLETE:
                withheld(tx, order, at)
    else:
        promises.kept(tx, order, at)
    news_waits = planning.planned(tx, order, at)
    derive(tx, order)
    return news_waits


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


def withheld(tx: Session, order: Order, at: datetime) -> None:
    """`ship_complete`, and units went missing after all was planned: what was not released to leave waits for them."""
    over = (*LEFT, FulfillmentStatus.READY_FOR_PICKUP, FulfillmentStatus.CANCELLED)
    going = [f for f in fulfillments_of(tx, order.order_id) if f.status not in over and not (f.recall or f.released)]
    displacing.called_back(tx, order, going, at)


def drop(tx: Session, order: Order, missing: list[planning.Units], at: datetime) -> None:
    """`cancel_unavailable`: what no location has is not waited for."""
    parts = [Part(units.line_no, units.first_unit, units.quantity, Where.NOWHERE) for units in missing]
    cancelled(tx, order, parts, Wish(CancelReason.STOCK), at)
    tx.flush()
    ordered = select(func.sum(OrderLine.quantity)).where(OrderLine.order_id == order.order_id)
    wanted = tx.scalars(ordered).one()
    done = (LineCancellation.order_id == order.order_id, LineCancellation.status == LineCancellationStatus.DONE)
    gone = tx.scalars(select(func.sum(LineCancellation.quantity)).where(*done)).one()
    if wanted > gone:
        tell(tx, order, MessageKind.PARTLY_CANCELLED, f"unavailable {gone}")
    else:
        order.cancel_reason = CancelReason.STOCK
        rows = wishes(tx, order.order_id, LineCancellationStatus.DONE)
        tell(tx, order, MessageKind.CANCELLED, "", **money_of(tx, order, rows))


def released(tx: Session, order_id: str, at: datetime) -> None:
    """Undo of `reserved`: the order leaves every queue and gives back what no warehouse has."""
    order = locked_order(tx, order_id)
    left = [part for part in parts_left(tx, order) if part.where <= Where.PLANNED]
    cancelled(tx, order, left, Wish(order.cancel_reason or CancelReason.OPERATOR, whole=True), at)
    cancellation_settled(tx, order, at)
    close_with_order(tx, order, at)
    derive(tx, order)
