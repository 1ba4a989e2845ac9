"""Where the units of a SKU are, and how many are waited for."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.views.base import View
from infra.database.tables import Backorder, Location, Product, Stock
from infra.words import BackorderStatus

FIGURES = ("on_hand", "reserved", "blocked", "available")


class ShelfView(View):
    location: str
    on_hand: int
    reserved: int
    blocked: int
    """There, and not to be sold."""
    available: int


class StockView(View):
    sku: str
    on_hand: int
    reserved: int
    blocked: int
    """There, and not to be sold."""
    available: int
    waiting: int
    """Units that placed orders wait for."""
    locations: list[ShelfView]


class StockAnswer(View):
    stock: list[StockView]


def of_skus(tx: Session, skus: Sequence[str]) -> list[StockView]:
    """Those of `skus` that exist, in the order asked. Three queries."""
    known = set(tx.scalars(select(Product.sku).where(Product.sku.in_(skus))))
    locations: dict[str, list[ShelfView]] = defaultdict(list)
    for shelf in tx.scalars(
        select(Stock).join(Location).where(Stock.sku.in_(known)).order_by(Location.priority, Location.location_id)
    ):
        figures = {name: getattr(shelf, name) for name in FIGURES}
        locations[shelf.sku].append(ShelfView(location=shelf.location_id, **figures))
    waiting = {
        sku: int(units)
        for sku, units in tx.execute(
            select(Backorder.sku, func.sum(Backorder.quantity))
            .where(Backorder.sku.in_(known), Backorder.status == BackorderStatus.WAITING)
            .group_by(Backorder.sku)
        )
    }
    return [of_one(sku, locations[sku], waiting.get(sku, 0)) for sku in dict.fromkeys(skus) if sku in known]


def of_one(sku: str, locations: list[ShelfView], waiting: int) -> StockView:
    return StockView(
        sku=sku,
        **{name: sum(getattr(shelf, name) for shelf in locations) for name in FIGURES},
        waiting=waiting,
        locations=locations,
    )


def seen_from(stock: StockView, location_id: str) -> StockView:
    """By who is bound to one place."""
    return of_one(stock.sku, [shelf for shelf in stock.locations if shelf.location == location_id], stock.waiting)
