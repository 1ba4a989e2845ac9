"""Why the figures of a shelf change: moves, with the figures that they make."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam as bind
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from infra.clock import wall_clock
from infra.database.tables import Count, CountLine, Product, Stock, StockMove
from infra.words import CountLineStatus, StockMoveKind

Shelf = tuple[str, str]
"""SKU and location."""


@dataclass(frozen=True)
class Delta:
    """By how many units each figure of a shelf changes."""

    on_hand: int = 0
    reserved: int = 0
    blocked: int = 0

    def __add__(self, other: "Delta") -> "Delta":
        return Delta(self.on_hand + other.on_hand, self.reserved + other.reserved, self.blocked + other.blocked)


FIGURES = tuple(field.name for field in fields(Delta))


MOVED = (
    update(Stock.__table__)  # type: ignore[arg-type]
    .where(Stock.sku == bind("b_sku"), Stock.location_id == bind("b_location"))
    .values({figure: getattr(Stock, figure) + bind(f"b_{figure}") for figure in FIGURES})
)
MOVES = insert(StockMove.__table__)  # type: ignore[arg-type]


class Move(NamedTuple):
    """Why a shelf's figures change. `at`: when it happened there, where somebody tells."""

    kind: StockMoveKind
    reference: str
    shelf: Shelf
    delta: Delta
    at: datetime | None = None


def move(
    tx: Session, kind: StockMoveKind, reference: str, changes: Mapping[Shelf, Delta], at: datetime | None = None
) -> set[Shelf]:
    return moved(tx, [Move(kind, reference, shelf, delta, at) for shelf, delta in sorted(changes.items())])


def moved(tx: Session, moves: Sequence[Move]) -> set[Shelf]:
    """Changes figures, with the reasons on record. The table's check guards the bounds, of all moves together. What is
    told of a time before an accepted count is in that count already, and is taken off again: gives those shelves."""
    taken_off = in_counts(tx, moves)
    moves = [*moves, *taken_off]
    changes: dict[Shelf, Delta] = defaultdict(Delta)
    for each in moves:
        changes[each.shelf] += each.delta
    tx.flush()
    connection = tx.connection()
    connection.execute(
        MOVED,
        [
            {"b_sku": sku, "b_location": location} | {f"b_{figure}": getattr(delta, figure) for figure in FIGURES}
            for (sku, location), delta in sorted(changes.items())
        ],
    )
    now = wall_clock()
    tx.execute(
        MOVES,
        [
            {
                "sku": each.shelf[0],
                "location_id": each.shelf[1],
                "kind": each.kind,
                **asdict(each.delta),
                "reference": each.reference,
                "occurred_at": each.at or now,
                "recorded_at": now,
            }
            for each in moves
        ],
    )
    return {each.shelf for each in taken_off}


def in_counts(tx: Session, moves: Iterable[Move]) -> list[Move]:
    """The opposites of those that accepted counts have seen: of the same instant as the count, and with its name. Units
    that a count left in the books, as they were packed, it never took off: with these they go."""
    # of two counts of one instant the one that is accepted later counts
    late = [
        (each, each.at + timedelta(microseconds=each.kind == StockMoveKind.COUNTED))
        for each in moves
        if each.at and each.delta.on_hand
    ]
    seen = counted_later(tx, [(each.shelf, at) for each, at in late]) if late else {}
    opposites = []
    for each, at in late:
        rest, set_aside = -each.delta.on_hand, max(0, -each.delta.reserved)
        for line in seen.get((each.shelf, at), ()):
            left_in = min(line.packed, set_aside)
            line.packed -= left_in
            if rest != left_in:
                delta = Delta(on_hand=rest - left_in)
                opposites.append(Move(StockMoveKind.COUNTED, line.count_id, each.shelf, delta, line.counted_at))
            rest = left_in
    return opposites


def last_counted(tx: Session, skus: Set[str]) -> dict[str, datetime | None]:
    """Of products that are at hand since they were locked no question is asked."""
    locked = [tx.identity_map.get(identity_key(Product, sku)) for sku in skus]
    last = {product.sku: product.counted_at for product in locked if isinstance(product, Product)}
    if others := skus - last.keys():
        last |= dict(tx.execute(select(Product.sku, Product.counted_at).where(Product.sku.in_(others))).all())
    return last


def counted_later(
    tx: Session, told_of: Sequence[tuple[Shelf, datetime]]
) -> dict[tuple[Shelf, datetime], list[CountLine]]:
    """Of what happened at a shelf at a time: the accepted counts that were made then or later, the first one first. The
    caller holds the products, which know when they were counted last."""
    last = last_counted(tx, {shelf[0] for shelf, _ in told_of})
    doubtful = [(shelf, at) for shelf, at in told_of if (counted := last[shelf[0]]) and at <= counted]
    if not doubtful:
        return {}
    counts = tx.execute(
        select(CountLine, Count.location_id)
        .join(Count)
        .where(CountLine.sku.in_({shelf[0] for shelf, _ in doubtful}), CountLine.status == CountLineStatus.ACCEPTED)
        .order_by(CountLine.counted_at, CountLine.count_id)
        .execution_options(populate_existing=True)
    ).all()
    found: dict[tuple[Shelf, datetime], list[CountLine]] = defaultdict(list)
    for shelf, at in doubtful:
        for line, location_id in counts:
            if (line.sku, location_id) == shelf and line.counted_at and line.counted_at >= at:
                found[shelf, at].append(line)
    return found
