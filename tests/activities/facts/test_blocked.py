"""Units that are there and not to be sold; and when units came and went."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from activities import facts
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Backorder, Stock, StockMove
from infra.words import BackorderStatus, StockMoveKind
from tests.activities import orders
from tests.fixtures_database import Database

SHELF = (orders.SKU, "OAK")


def figures(database: Database) -> tuple[int, int, int, int]:
    with database.sessions() as tx:
        shelf = tx.get_one(Stock, SHELF)
        assert [*breaches(tx)] == []
        return shelf.on_hand, shelf.reserved, shelf.blocked, shelf.available


@pytest.mark.both_databases
def test_blocked_units_are_nobodys_until_they_are_unblocked(database: Database) -> None:
    orders.placed(database, "B-1", 3, in_stock=5)
    with database.sessions.begin() as tx:
        assert facts.inventory.block(tx, "damaged", {SHELF: 3, (orders.SKU, "RNO"): 1}) == {SHELF: 3}
        facts.reserving.reserved(tx, "B-1", wall_clock())
    assert figures(database) == (5, 2, 3, 0)
    with database.sessions.begin() as tx:
        waits = tx.scalars(select(Backorder)).one()
        assert (waits.quantity, waits.status) == (1, BackorderStatus.WAITING)
        assert facts.inventory.block(tx, "damaged", {SHELF: 9}) == {}, "what is reserved is the order's"
        assert facts.inventory.unblock(tx, "repaired", {SHELF: 9}) == {SHELF: 3}
    assert figures(database) == (5, 3, 0, 2)
    with database.sessions() as tx:
        assert tx.scalars(select(Backorder.status)).one() == BackorderStatus.ALLOCATED
        moves = tx.execute(select(StockMove.kind, StockMove.blocked, StockMove.reference).where(StockMove.blocked != 0))
        assert moves.all() == [
            (StockMoveKind.BLOCKED, 3, "damaged"),
            (StockMoveKind.UNBLOCKED, -3, "repaired"),
        ]


@pytest.mark.both_databases
@pytest.mark.parametrize(("reserved", "blocked"), [(1, 2), (0, -1), (-1, 0), (3, 0)])
def test_more_set_aside_than_is_there_is_refused(database: Database, reserved: int, blocked: int) -> None:
    orders.placed(database, "B-1", in_stock=2)
    with database.sessions() as tx, pytest.raises(IntegrityError, match="set_aside_within_on_hand"):
        tx.execute(update(Stock).values(reserved=reserved, blocked=blocked))


def test_a_move_knows_when_it_happened(database: Database) -> None:
    arrived, left = wall_clock() - timedelta(hours=3), wall_clock().replace(microsecond=0) + timedelta(minutes=1)
    orders.placed(database, "B-1", in_stock=1)
    with database.sessions.begin() as tx:
        facts.inventory.received(tx, reference="PO-1", location_id="OAK", lines=[(orders.SKU, 2)], at=arrived)
    fulfillment_id = orders.packed(database, "B-1")
    with database.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, fulfillment_id, left)
    with database.sessions() as tx:
        when = {move.kind: move.occurred_at for move in tx.scalars(select(StockMove).order_by(StockMove.move_id))}
        (reserved,) = tx.scalars(select(StockMove).where(StockMove.kind == StockMoveKind.RESERVED))
        assert (when[StockMoveKind.RECEIVED], when[StockMoveKind.SHIPPED]) == (arrived, left)
        assert reserved.occurred_at == reserved.recorded_at
