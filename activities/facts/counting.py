"""Units are counted: asked for, entered by counters who do not see the books, compared, accepted or counted anew.

A count is a difference to what the moves say for the instant at which it was made: what happened since stays.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts import holds, inventory
from activities.facts.displacing import freed
from activities.facts.stock_moves import Delta, Move, in_counts, moved
from activities.models import Subject
from infra.clock import wall_clock
from infra.database.tables import Count, CountLine, CountSession, Hold, Product, Stock, StockMove
from infra.stock_holds import COUNT, StockHoldKind
from infra.words import CountLineStatus, CountStatus, StockMoveKind


class Entered(NamedTuple):
    sku: str
    quantity: int
    counted_at: datetime


def locked(tx: Session, count_id: str) -> Count | None:
    return tx.get(Count, count_id, with_for_update=True)


def lines_of(tx: Session, count: Count, *statuses: CountLineStatus) -> dict[str, CountLine]:
    mine = (CountLine.count_id == count.count_id, CountLine.status.in_(statuses or tuple(CountLineStatus)))
    rows = tx.scalars(select(CountLine).where(*mine).order_by(CountLine.sku).execution_options(populate_existing=True))
    return {row.sku: row for row in rows}


def sessions_of(tx: Session, count: Count) -> list[CountSession]:
    """Of this round."""
    mine = (CountSession.count_id == count.count_id, CountSession.round == count.round)
    return list(tx.scalars(select(CountSession).where(*mine).order_by(CountSession.session)))


def entered(tx: Session, count: Count, session: str, lines: Sequence[Entered], *, by: str, submit: bool) -> bool:
    """What a counter has so far, whole; with `submit` it is in, and stays. False: it was in already, and the caller
    compares."""
    row = tx.get(CountSession, (count.count_id, count.round, session))
    if row is not None and row.submitted_at is not None:
        return False
    row = row or CountSession(count_id=count.count_id, round=count.round, session=session, recorded_at=wall_clock())
    row.lines = [
        {"sku": each.sku, "quantity": each.quantity, "counted_at": each.counted_at.isoformat()} for each in lines
    ]
    row.by, row.submitted_at = by, wall_clock() if submit else None
    tx.add(row)
    tx.flush()
    return True


def submitted(tx: Session, count: Count, *, by: str) -> None:
    """All sessions are in, and each asked product is counted in some: the caller has looked. What is within tolerance
    is accepted, the rest a person decides."""
    asked = lines_of(tx, count, CountLineStatus.ASKED)
    inventory.lock(tx, asked)
    found, last = Counter[str](), dict[str, datetime]()
    for session in sessions_of(tx, count):
        for entry in session.lines:
            sku, at = entry["sku"], datetime.fromisoformat(entry["counted_at"])
            found[sku] += entry["quantity"]
            last[sku] = max(at, last.get(sku, at))
    for sku, line in asked.items():
        line.counted, line.counted_at = found[sku], last[sku]
    tx.flush()
    for sku, expected in as_of(tx, count, asked).items():
        asked[sku].expected = expected
        asked[sku].status = CountLineStatus.REVIEW
    accept(tx, count, [line for line in asked.values() if tolerated(count, line)], by="tolerance")


def tolerated(count: Count, line: CountLine) -> bool:
    counted, expected = line.counted or 0, line.expected or 0
    return abs(counted - expected) <= max(count.tolerance_units, abs(expected) * count.tolerance_percent // 100)


def decided(tx: Session, count: Count, accepted: Sequence[str], recounted: Sequence[str], *, by: str) -> None:
    """Of lines in review: the books follow, or they are counted once more, in another round."""
    lines = lines_of(tx, count, CountLineStatus.REVIEW)
    inventory.lock(tx, accepted)
    if recounted:
        count.round += 1
    for sku in recounted:
        line = lines[sku]
        line.status, line.counted, line.counted_at, line.expected = CountLineStatus.ASKED, None, None, None
    accept(tx, count, [lines[sku] for sku in accepted], by=by)


def as_of(tx: Session, count: Count, skus: Iterable[str]) -> dict[str, int]:
    """What the moves say for the instant at which each was counted."""
    names = list(skus)
    rows = tx.execute(
        select(CountLine.sku, func.coalesce(func.sum(StockMove.on_hand), 0))
        .outerjoin(
            StockMove,
            (StockMove.sku == CountLine.sku)
            & (StockMove.location_id == count.location_id)
            & (StockMove.occurred_at <= CountLine.counted_at),
        )
        .where(CountLine.count_id == count.count_id, CountLine.sku.in_(names))
        .group_by(CountLine.sku)
    )
    return {sku: int(units) for sku, units in rows}


def accept(tx: Session, count: Count, lines: Sequence[CountLine], *, by: str) -> None:
    """The books follow, whoever has the units; what is packed is protected. The caller holds the products."""
    tx.flush()
    expected = as_of(tx, count, [line.sku for line in lines])
    differ = {line.sku: line.counted - expected[line.sku] for line in lines if line.counted is not None}
    known = booked(tx, count, differ)
    moves = {
        line.sku: Move(
            StockMoveKind.COUNTED, count.count_id, (line.sku, count.location_id), Delta(on_hand=units), line.counted_at
        )
        for line in lines
        if (units := differ[line.sku])
    }
    seen_later = {each.shelf for each in in_counts(tx, moves.values())}
    fewer = {each.shelf: -each.delta.on_hand for each in moves.values() if each.shelf not in seen_later}
    fewer = {shelf: units for shelf, units in fewer.items() if units > 0}
    packed = freed(tx, count.count_id, fewer) if fewer else {}
    for line in lines:
        line.expected, line.packed = expected[line.sku], packed.get((line.sku, count.location_id), 0)
        if line.packed:
            moves[line.sku] = moves[line.sku]._replace(delta=Delta(on_hand=differ[line.sku] + line.packed))
    if moves:
        moved(tx, list(moves.values()))
        inventory.serve(tx, [each.shelf for each in moves.values() if each.delta.on_hand > 0])
    for line in lines:
        line.status, line.decided_by = CountLineStatus.ACCEPTED, by
        product = known[line.sku]
        product.counted_at = max(filter(None, (product.counted_at, line.counted_at)))
    if packed:
        held(tx, count)
    tx.flush()
    concluded(tx, count)


def booked(tx: Session, count: Count, skus: Mapping[str, int]) -> dict[str, Product]:
    """Their products, and a row of figures for what was never at this location."""
    products = {product.sku: product for product in tx.scalars(select(Product).where(Product.sku.in_(skus)))}
    here = select(Stock.sku).where(Stock.location_id == count.location_id, Stock.sku.in_(skus))
    new = skus.keys() - set(tx.scalars(here))
    tx.add_all(Stock(sku=sku, location_id=count.location_id, on_hand=0, reserved=0, blocked=0) for sku in sorted(new))
    tx.flush()
    return products


def held(tx: Session, count: Count) -> None:
    about = Subject(COUNT, count.count_id)
    if holds.open_about(tx, StockHoldKind.COUNTED_BELOW_PACKED, about):
        return
    n = (tx.scalar(select(func.count()).where(Hold.subject_kind == COUNT, Hold.subject_id == about.id)) or 0) + 1
    holds.record(tx, f"{about.id}-h{n}", StockHoldKind.COUNTED_BELOW_PACKED, about, wall_clock())


def concluded(tx: Session, count: Count) -> None:
    statuses = {line.status for line in lines_of(tx, count).values()}
    if statuses == {CountLineStatus.ACCEPTED}:
        count.status, count.closed_at = CountStatus.CLOSED, wall_clock()
    elif CountLineStatus.ASKED in statuses:
        count.status = CountStatus.OPEN
    else:
        count.status = CountStatus.REVIEW
