"""Orders in the tables, for activities and facts that are tried without an engine."""

from activities import facts
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from activities.models import CancelReason
from activities.ports import Parcel
from infra.clock import wall_clock
from infra.database.tables import Product
from tests.fixtures_database import Database
from tests.stack import DOCK

SKU = "MUG"
BOX = Parcel(weight_g=800, length_mm=200, width_mm=150, height_mm=100)


def placed(
    database: Database, order_id: str, quantity: int = 1, *, in_stock: int = 0, customer_id: str | None = None
) -> None:
    """An order of mugs, 18.00 each and 5.00 for shipping; Oakland has so many."""
    with database.sessions.begin() as tx:
        tx.merge(Product(sku=SKU, name="Mug", weight_g=400, lead_time_days=7))
        address = {**DOCK, "street2": ""}
        facts.catalogue.location_put(
            tx, "OAK", name="OAK", kind="warehouse", priority=1, warehouse="default", address=address
        )
        if in_stock:
            facts.inventory.received(tx, reference="opening", location_id="OAK", lines=[(SKU, in_stock)])
        own = {"customer_id": customer_id or f"C-{order_id}", "notify": ["email"]}
        asked = AskedOrder.model_validate(example_order(order_id, {SKU: quantity}, **own))
        facts.placing.placed(tx, asked, order_id=order_id, idempotency_key=None)


def packed(database: Database, order_id: str) -> str:
    """Reserved, planned, asked of the warehouse and packed by it; gives the fulfillment."""
    now, fulfillment_id = wall_clock(), f"{order_id}-1"
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, order_id, now)
        facts.fulfillments.requested(tx, fulfillment_id, now)
        facts.packing.packed(tx, fulfillment_id, [BOX], now)
    return fulfillment_id


def located(database: Database, location_id: str, priority: int, *, stock: int) -> None:
    """Another place, with so many mugs."""
    with database.sessions.begin() as tx:
        where = {"name": location_id, "kind": "warehouse", "warehouse": "default"}
        facts.catalogue.location_put(tx, location_id, **where, priority=priority, address={**DOCK, "street2": ""})
        facts.inventory.received(tx, reference=f"opening {location_id}", location_id=location_id, lines=[(SKU, stock)])


def cancelled(database: Database, order_id: str) -> None:
    """By the customer; nothing has left, and what was set aside for it is back."""
    with database.sessions.begin() as tx:
        facts.cancellation.cancellation_decided(
            tx, order_id, None, reason=CancelReason.CUSTOMER, by="x", why="", at=wall_clock()
        )
        facts.reserving.released(tx, order_id, wall_clock())
