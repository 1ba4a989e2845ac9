"""Pickups in the tables, for facts that are tried without an engine: in Oakland, unless it is said otherwise."""

from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from activities import facts
from activities.facts import pickups
from activities.facts.pickups import Taken
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from infra.clock import wall_clock
from infra.database.tables import Fulfillment, Product, Stock
from infra.words import HandOverProof
from tests.activities.orders import SKU
from tests.fixtures_database import Database
from tests.stack import DOCK

P = "P-1"
F = f"{P}-1"
WINDOW = timedelta(days=7)


def pickup(database: Database, order_id: str, *lines: tuple[str, int], **changes: Any) -> None:
    """Placed, and reserved as far as the store has it."""
    units: list[dict[str, Any]] = [{"sku": sku, "quantity": n, "unit_price": 1800} for sku, n in lines]
    shipping = {"method": "pickup", "location": "OAK", "price": 0}
    asked = example_order(order_id, {SKU: 1}, notify=["email"]) | {"lines": units, "shipping": shipping}
    asked |= {"total": sum(line["quantity"] * 1800 for line in units)} | changes
    with database.sessions.begin() as tx:
        facts.placing.placed(tx, AskedOrder.model_validate(asked), order_id=order_id, idempotency_key=None)
        facts.reserving.reserved(tx, order_id, wall_clock())


def stocked(database: Database, sku: str = SKU, **units: int) -> None:
    with database.sessions.begin() as tx:
        tx.merge(Product(sku=sku, name=sku.title(), weight_g=400, lead_time_days=7))
        for place, count in units.items():
            where = {"name": place, "kind": "warehouse", "priority": 1, "warehouse": "default", "pickup": True}
            facts.catalogue.location_put(tx, place, **where, address={**DOCK, "street2": ""})
            if count:
                reference = f"opening {sku} {place}"
                facts.inventory.received(tx, reference=reference, location_id=place, lines=[(sku, count)])


def packs(database: Database, fulfillment_id: str = F, *contents: dict[str, int]) -> bool:
    with database.sessions.begin() as tx:
        facts.fulfillments.requested(tx, fulfillment_id, wall_clock())
        return facts.packing.packed(tx, fulfillment_id, [], wall_clock(), [Counter(each) for each in contents])


def ready(database: Database, fulfillment_id: str = F) -> str:
    with database.sessions.begin() as tx:
        pickups.ready(tx, fulfillment_id, wall_clock(), WINDOW)
        return tx.get_one(Fulfillment, fulfillment_id).status


def take(database: Database, **how: Any) -> bool:
    with database.sessions.begin() as tx:
        return pickups.picked_up(tx, F, Taken(HandOverProof.STAFF, "kim", **how), wall_clock())


def shelf(database: Database, sku: str = SKU) -> dict[str, tuple[int, int]]:
    with database.sessions() as tx:
        rows = tx.scalars(select(Stock).where(Stock.sku == sku))
        return {row.location_id: (row.on_hand, row.reserved) for row in rows}
