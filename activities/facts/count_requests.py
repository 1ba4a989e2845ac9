"""Products of a location are to be counted: because somebody asks, or because the books were found to be wrong."""

from collections import defaultdict
from collections.abc import Iterable
from secrets import token_hex
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.stock_moves import Shelf
from infra.clock import wall_clock
from infra.database.tables import Count, CountLine
from infra.words import CountLineStatus, CountStatus


class Tolerance(NamedTuple):
    """A line that differs by no more than the larger of both is accepted at once."""

    units: int = 0
    percent: int = 0


def opened(
    tx: Session, location_id: str, skus: Iterable[str], tolerance: Tolerance, *, count_id: str, cause: str, by: str
) -> Count:
    """The caller has seen that there is none of this id."""
    count = Count(
        count_id=count_id,
        location_id=location_id,
        cause=cause,
        round=1,
        tolerance_units=tolerance.units,
        tolerance_percent=tolerance.percent,
        status=CountStatus.OPEN,
        asked_by=by,
        recorded_at=wall_clock(),
    )
    tx.add(count)
    tx.flush()
    tx.add_all(
        CountLine(count_id=count_id, sku=sku, status=CountLineStatus.ASKED, packed=0) for sku in sorted(set(skus))
    )
    return count


def asked_for(tx: Session, places: Iterable[Shelf], cause: str) -> None:
    """The books were wrong about these, as is known now: they are to be counted, unless they are to be anyway. The
    caller holds the products."""
    wanted = set(places)
    if not wanted:
        return
    of_skus = (CountLine.sku.in_({sku for sku, _ in wanted}), CountLine.status == CountLineStatus.ASKED)
    known = tx.execute(select(CountLine.sku, Count.location_id).join(Count).where(*of_skus)).all()
    by_place: dict[str, list[str]] = defaultdict(list)
    for sku, location_id in sorted(wanted - {(sku, location_id) for sku, location_id in known}):
        by_place[location_id].append(sku)
    for location_id, skus in by_place.items():
        opened(tx, location_id, skus, Tolerance(), count_id=f"cnt_{token_hex(8)}", cause=cause, by=cause)
