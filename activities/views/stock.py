"""Where the units of a SKU are, and how many are waited for."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.orm import Session

from activities.views.base import View
from infra.database.tables import Backorder, Location, Product, Stock, StockMove
from infra.words import BackorderStatus, StockMoveKind

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
    next: str | None
    """The cursor of the next page; none: this is the last one."""


class Level(StrEnum):
    AVAILABLE = "available"
    OUT = "out"
    """Nothing is available."""


class StockMoveView(View):
    move: int
    sku: str
    location: str
    kind: StockMoveKind
    on_hand: int
    """By how many units each figure changed."""
    reserved: int
    blocked: int
    reference: str
    occurred_at: datetime
    """At the shelf, as it was told."""
    recorded_at: datetime


class StockMovePage(View):
    """The newest first."""

    moves: list[StockMoveView]
    next: str | None


def page(
    tx: Session, *, location: str | None, level: Level | None, cursor: str | None, limit: int
) -> tuple[list[StockView], str | None]:
    """Products by SKU: with what is at all locations, or at one; of all, those with something available, or without."""
    here = exists().where(Stock.sku == Product.sku, *([Stock.location_id == location] if location else []))
    some = here.where(Stock.available > 0)
    which = [Product.sku > cursor] if cursor else []
    which += [here] if location and level is None else []
    which += [{Level.AVAILABLE: some, Level.OUT: ~some}[level]] if level else []
    skus = tx.scalars(select(Product.sku).where(*which).order_by(Product.sku).limit(limit + 1)).all()
    found = of_skus(tx, skus[:limit])
    shown = [seen_from(one, location) for one in found] if location else found
    return shown, skus[limit - 1] if len(skus) > limit else None


def moves(tx: Session, sku: str, *, location: str | None, cursor: int | None, limit: int) -> StockMovePage:
    which = [StockMove.sku == sku, *([StockMove.location_id == location] if location else [])]
    if last := tx.get(StockMove, cursor) if cursor else None:
        which.append(tuple_(StockMove.occurred_at, StockMove.move_id) < tuple_(last.occurred_at, last.move_id))
    rows = tx.scalars(
        select(StockMove)
        .where(*which)
        .order_by(StockMove.occurred_at.desc(), StockMove.move_id.desc())
        .limit(limit + 1)
    ).all()
    shown = [
        StockMoveView(
            move=row.move_id,
            location=row.location_id,
            **{name: getattr(row, name) for name in StockMoveView.model_fields if name not in ("move", "location")},
        )
        for row in rows[:limit]
    ]
    return StockMovePage(moves=shown, next=str(shown[-1].move) if len(rows) > limit else None)


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
