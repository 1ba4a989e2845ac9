"""Why the figures of a shelf change: moves, with the figures that they make."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam as bind
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from infra.clock import wall_clock
from infra.database.tables import Stock, StockMove
from infra.words import StockMoveKind

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
) -> None:
    moved(tx, [Move(kind, reference, shelf, delta, at) for shelf, delta in sorted(changes.items())])


def moved(tx: Session, moves: Sequence[Move]) -> None:
    """Changes figures, with the reasons on record. The table's check guards the bounds, of all moves together."""
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
