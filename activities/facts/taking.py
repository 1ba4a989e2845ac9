"""Units are found and set aside: for an order, or for a checkout."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from activities.facts import claims, inventory, planning
from activities.facts.planning import Units
from activities.facts.stock_moves import Delta, Shelf, move
from infra.words import ReservationStatus, StockMoveKind


def picked(
    tx: Session, wanted: list[Units], location_id: str | None = None
) -> tuple[list[tuple[str, Units]], list[Units]]:
    """Which location gives which units (only this one, where it is named), and what none has. Where too little is
    there, claims whose time has passed give way. The caller holds the products' locks."""
    taken, missing = planning.pick(wanted, available(tx, wanted, location_id))
    if missing and claims.freed(tx, {units.sku for units in missing}):
        taken, missing = planning.pick(wanted, available(tx, wanted, location_id))
    return taken, missing


def available(tx: Session, wanted: Iterable[Units], location_id: str | None) -> dict[str, dict[str, int]]:
    places = inventory.availability(tx, list({units.sku for units in wanted}))
    return places if location_id is None else {location_id: places.get(location_id, {})}


def take(tx: Session, kind: StockMoveKind, reference: str, taken: Sequence[tuple[str, Units]], **whose: str) -> None:
    """`whose`: an `order_id`, or a `claim_id`."""
    moved: dict[Shelf, Delta] = defaultdict(Delta)
    for location_id, units in taken:
        moved[units.sku, location_id] += Delta(reserved=units.quantity)
    if moved:
        move(tx, kind, reference, moved)
    hold(tx, taken, **whose)


def hold(tx: Session, taken: Iterable[tuple[str, Units]], **whose: str) -> None:
    """No figure changes: what is counted as reserved is theirs."""
    rows = [
        {
            "line_no": units.line_no,
            "sku": units.sku,
            "first_unit": units.first_unit,
            "quantity": units.quantity,
            "location_id": location_id,
            "status": ReservationStatus.HELD,
            **whose,
        }
        for location_id, units in taken
    ]
    if rows:
        tx.execute(inventory.RESERVATIONS, rows)
