"""Claims: units that checkouts have set aside, for a time. Whose time has passed, they give way to whoever asks.

Units of claims are moved under the locks of their products, and a claim's own row is locked after these. Renewal locks
that row alone: so whoever frees claims looks at each once more.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, delete, select, tuple_
from sqlalchemy.orm import Session

from activities.facts import inventory
from activities.facts.stock_moves import Delta, Move, Shelf, moved
from infra.clock import wall_clock
from infra.database.tables import Claim, Reservation
from infra.words import ClaimStatus, StockMoveKind

AT_ONCE = 50
"""Products, in one transaction."""


class Units(NamedTuple):
    """That a claim held at one location."""

    claim_id: str
    sku: str
    location_id: str
    quantity: int


def freed(tx: Session, skus: Collection[str]) -> bool:
    """What claims hold of these products, and their time has passed, goes to whoever waits longest, or is available.
    The caller holds the products' locks. Whether there was any."""
    of_claims = select(Reservation.claim_id).where(Reservation.claim_id.is_not(None), Reservation.sku.in_(skus))
    late = tx.scalars(locking(Claim.claim_id.in_(of_claims), Claim.expires_at <= wall_clock())).all()
    for claim in late:
        if claim.status == ClaimStatus.HELD:
            claim.status = ClaimStatus.EXPIRED
    if late:
        mine = Reservation.claim_id.in_([claim.claim_id for claim in late])
        given_back(tx, taken_off(tx, mine, Reservation.sku.in_(skus)))
    return bool(late)


def locking(*which: ColumnElement[bool]) -> Select[Claim]:
    """In one order, whoever asks: two products may be in the same claims."""
    rows = select(Claim).where(*which).order_by(Claim.claim_id).with_for_update(of=Claim, key_share=True)
    return rows.execution_options(populate_existing=True)


def taken_off(tx: Session, *which: ColumnElement[bool]) -> list[Units]:
    """What claims hold of these is their own no more: the caller says whose it is now."""
    rows = delete(Reservation).where(Reservation.claim_id.is_not(None), *which)
    tx.flush()
    columns = (Reservation.claim_id, Reservation.sku, Reservation.location_id, Reservation.quantity)
    gone = tx.execute(rows.returning(*columns).execution_options(synchronize_session=False))
    return [Units(claim_id or "", sku, location_id, count) for claim_id, sku, location_id, count in gone]


def given_back(tx: Session, units: Sequence[Units]) -> None:
    if units:
        moved(tx, [Move(StockMoveKind.RELEASED, of, (sku, at), Delta(reserved=-n)) for of, sku, at, n in units])
        inventory.serve(tx, {(each.sku, each.location_id) for each in units})


def displaced(tx: Session, wanted: Mapping[Shelf, int]) -> list[Units]:
    """Claims make way for who has the units in hand, the newest first: so many that the caller, who holds the products,
    is to count no more. Such a claim has passed: what is left of it goes back, and its order hears what is missing."""
    theirs = (Reservation.claim_id.is_not(None), tuple_(Reservation.sku, Reservation.location_id).in_(wanted))
    known = tx.scalars(locking(Claim.claim_id.in_(select(Reservation.claim_id).where(*theirs)))).all()
    newest = sorted(known, key=lambda claim: (claim.recorded_at, claim.claim_id), reverse=True)
    rows = tx.scalars(select(Reservation).where(*theirs).execution_options(populate_existing=True)).all()
    left, gone = dict(wanted), []
    for claim in newest:
        for row in (row for row in rows if row.claim_id == claim.claim_id):
            shelf = (row.sku, row.location_id)
            if count := min(left[shelf], row.quantity):
                left[shelf] -= count
                claim.status, claim.expires_at = ClaimStatus.EXPIRED, wall_clock()
                lowered(tx, row, count)
                gone.append(Units(claim.claim_id, *shelf, count))
    tx.flush()
    return gone


def lowered(tx: Session, row: Reservation, count: int) -> None:
    if count == row.quantity:
        tx.delete(row)
    else:
        row.quantity -= count


def over(tx: Session) -> list[str]:
    """Some of the products of which claims hold units beyond their time."""
    theirs = select(Reservation.sku).join(Claim, Claim.claim_id == Reservation.claim_id)
    held = Reservation.claim_id.is_not(None)  # along an index of these alone: of claims that are over there are many
    late = theirs.where(held, Claim.expires_at <= wall_clock()).distinct().order_by(Reservation.sku).limit(AT_ONCE)
    return list(tx.scalars(late))


def sweep(tx: Session) -> bool:
    """Frees them, though nobody asks. Whether there may be more."""
    skus = over(tx)
    inventory.lock(tx, skus)
    return bool(skus) and freed(tx, skus)
