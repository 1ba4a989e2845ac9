"""What a customer is told, and when: each thing once, and what is true."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from activities import facts
from infra.clock import wall_clock
from infra.database.tables import LineCancellation, Message, Order
from infra.words import Cancellation
from tests.activities import orders
from tests.fixtures_database import Database

ORDER = "W-1"


def messages_of(database: Database) -> list[tuple[str, str]]:
    with database.sessions() as tx:
        rows = select(Message.kind, Message.subject).where(Message.channel == "email").order_by(Message.message_id)
        return [(kind, subject) for kind, subject in tx.execute(rows)]


def test_units_that_go_missing_later_are_told_of_with_their_new_date(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=2)
    now = wall_clock()
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, ORDER, now)
        facts.fulfillments.requested(tx, f"{ORDER}-1", now)
    later = now + timedelta(days=30)
    with database.sessions.begin() as tx:
        facts.short_pick.short_picked(tx, f"{ORDER}-1", [(orders.SKU, 1)], later)
        facts.reserving.reserved(tx, ORDER, later)
    expected = (later + timedelta(days=7)).date().isoformat()
    assert messages_of(database) == [("backordered", ""), ("delayed", expected)]


@pytest.mark.parametrize("rest", ["waits", "is cancelled"])
def test_a_part_that_leaves_is_no_whole_order(database: Database, rest: str) -> None:
    orders.placed(database, ORDER, 3, in_stock=2)
    fulfillment = orders.packed(database, ORDER)
    with database.sessions.begin() as tx:
        if rest == "is cancelled":
            tx.get_one(Order, ORDER).cancellation = Cancellation.PARTLY
        facts.handing_over.released(tx, fulfillment, wall_clock())
        facts.handing_over.handed_over(tx, fulfillment, wall_clock())
    kind = "partly_shipped" if rest == "waits" else "shipped"
    assert messages_of(database) == [("backordered", ""), (kind, fulfillment)]


def test_an_order_that_its_warehouse_stops_is_cancelled_as_a_whole(database: Database) -> None:
    orders.placed(database, ORDER, 1, in_stock=1)
    fulfillment = orders.packed(database, ORDER)
    with database.sessions.begin() as tx:
        facts.recall.recall_confirmed(tx, fulfillment, wall_clock())
        assert tx.execute(select(LineCancellation.quantity, LineCancellation.status)).all() == [(1, "done")]
    assert messages_of(database) == [("cancelled", "")]
