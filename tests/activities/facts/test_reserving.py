"""A reservation and a restock of the same units at the same moment, on a database that lets both run."""

import threading
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from activities import facts
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Backorder, Reservation
from tests.activities import orders
from tests.fixtures_database import Database

ORDER, WANTED = "R-1", 10


@pytest.fixture
def waiting(database: Database) -> Database:
    """An order that waits for all its units."""
    orders.placed(database, ORDER, WANTED)
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, ORDER, wall_clock())
    return database


@pytest.mark.both_databases
def test_units_that_arrive_beside_a_reservation_are_counted_once(waiting: Database) -> None:
    def restock() -> None:
        with waiting.sessions.begin() as tx:
            facts.inventory.received(tx, reference="PO-1", location_id="OAK", lines=[(orders.SKU, 2 * WANTED)])

    beside = threading.Thread(target=restock)

    def meanwhile(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """Between two reads of the reservation: the restock is done, or waits for it to end."""
        if "FROM reservations" in statement and beside.ident is None:
            beside.start()
            while beside.is_alive() and not kept_waiting(waiting):
                pass

    with waiting.sessions.begin() as tx:
        event.listen(waiting.engine, "after_cursor_execute", meanwhile)
        facts.reserving.reserved(tx, ORDER, wall_clock())
        event.remove(waiting.engine, "after_cursor_execute", meanwhile)
    beside.join()
    with waiting.sessions() as tx:
        held = tx.scalar(select(func.sum(Reservation.quantity)).where(Reservation.status == "held"))
        queued = tx.scalar(select(func.count()).select_from(Backorder).where(Backorder.status == "waiting"))
        assert (held, queued) == (WANTED, 0)
        assert [*breaches(tx)] == []


def kept_waiting(database: Database) -> bool:
    if database.engine.dialect.name == "sqlite":
        return True  # one writer at a time
    with database.engine.connect() as tx:
        locks = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(tx.scalar(locks))
