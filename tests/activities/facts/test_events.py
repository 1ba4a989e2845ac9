"""Events are the order's own story: numbered by its version, and written once, with where the order stands then."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.journal import locked_order, note
from activities.models import Action, HoldKind, Subject
from activities.views.snapshot import snapshot
from infra.clock import wall_clock
from infra.database.tables import Event, Fulfillment, Hold, Order
from infra.words import EventType, FulfillmentStatus
from starter.http.responses import shown
from starter.keys import Caller
from tests.activities import orders
from tests.fixtures_database import Database

ORDER = "W-1"
FULFILLMENT = f"{ORDER}-1"
CALLER = Caller("test", frozenset({"orders:read"}), "k")


@pytest.fixture
def order(database: Database) -> str:
    orders.placed(database, ORDER, 1, in_stock=1)
    return ORDER


def events(tx: Session) -> list[Event]:
    return list(tx.scalars(select(Event).where(Event.order_id == ORDER).order_by(Event.event_no)))


def held(tx: Session) -> None:
    facts.holds.opened(tx, ORDER, HoldKind.STOPPED, Subject.order(ORDER), wall_clock())


@pytest.mark.both_databases
def test_each_event_raises_the_version_by_one_and_carries_it(database: Database, order: str) -> None:
    orders.packed(database, order)
    with database.sessions() as tx:
        found, now = events(tx), tx.get_one(Order, order)
    assert [e.type for e in found] == [EventType.PLACED, EventType.PLANNED, EventType.REQUESTED, EventType.PACKED]
    assert [e.sequence for e in found] == [1, 2, 3, 4]
    assert now.version == 4
    assert [(e.subject_kind, e.subject_id) for e in found[:2]] == [("order", ORDER), ("fulfillment", FULFILLMENT)]
    assert all(e.event_id.startswith("evt_") and e.published_no is None for e in found)


@pytest.mark.both_databases
def test_events_tell_the_statuses_that_their_transaction_left(database: Database, order: str) -> None:
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, ORDER, wall_clock())
        held(tx)
        facts.holds.closed(tx, f"{ORDER}-h1", wall_clock(), by="x", why="")
        held(tx)
    with database.sessions() as tx:
        found, now = events(tx), tx.get_one(Order, order)
    of_that_one = found[1:]
    assert [e.type for e in of_that_one] == ["planned", "held", "hold_closed", "held"]
    assert {(e.status, e.payment_status, e.fulfillment_status) for e in of_that_one} == {
        (now.status, now.payment_status, now.fulfillment_status)
    }
    assert (found[0].status, now.status) == ("placed", "on_hold")


def test_all_of_a_transaction_is_written_at_its_end_in_one_statement_each(database: Database, order: str) -> None:
    statements: list[str] = []

    @listens_for(database.engine, "before_cursor_execute")
    def listen(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, ORDER, wall_clock())
        facts.fulfillments.requested(tx, FULFILLMENT, wall_clock())
        held(tx)
        assert not [s for s in statements if s.startswith(("UPDATE orders", "INSERT INTO events"))]
    assert [s[:11] for s in statements if s.startswith(("UPDATE orders", "INSERT INTO events"))] == [
        "UPDATE orde",
        "INSERT INTO",
    ]
    assert len([s for s in statements if "FROM orders" in s and "WHERE orders.order_id" in s]) == 1


def test_a_fact_without_an_event_raises_the_version_too(database: Database, order: str) -> None:
    with database.sessions.begin() as tx:
        held(tx)
    with database.sessions.begin() as tx:
        before = tx.get_one(Order, order).version
        facts.holds.resolution_asked(tx, tx.scalars(select(Hold)).one(), action=Action.RETRY, by="x", why="y")
    with database.sessions() as tx:
        assert tx.get_one(Order, order).version == before + 1
        assert events(tx)[-1].sequence == before


def test_what_is_rolled_back_has_not_happened_even_where_the_session_goes_on(database: Database, order: str) -> None:
    with database.sessions() as tx:
        note(tx, locked_order(tx, order), EventType.RATED, wall_clock())
        tx.rollback()
        note(tx, locked_order(tx, order), EventType.NOT_UNDERSTOOD, wall_clock())
        tx.commit()
        assert [e.type for e in events(tx)] == ["placed", "not_understood"]


@pytest.mark.parametrize("read", [lambda tx: snapshot(tx, ORDER).order, lambda tx: shown(tx, ORDER, CALLER)])
def test_who_is_told_within_the_transaction_hears_what_it_did(
    database: Database, order: str, read: Callable[[Session], object]
) -> None:
    with database.sessions.begin() as tx:
        held(tx)
        seen = read(tx)
    with database.sessions() as tx:
        now = tx.get_one(Order, order)
    assert (seen.version, seen.status) == (now.version, "on_hold")  # type: ignore[attr-defined]


def test_what_changed_is_newer_than_what_was_loaded_before(database: Database, order: str) -> None:
    """However many events the transaction had: `load` sends what is newer than the version of the last one."""
    loaded = []
    for step in (
        lambda tx: facts.reserving.reserved(tx, ORDER, wall_clock()),
        lambda tx: facts.fulfillments.requested(tx, FULFILLMENT, wall_clock()),
        lambda tx: facts.packing.packed(tx, FULFILLMENT, [orders.BOX], wall_clock()),
    ):
        with database.sessions.begin() as tx:
            loaded.append(tx.get_one(Order, order).version)
            held(tx)
            step(tx)
        with database.sessions.begin() as tx:
            f = tx.get_one(Fulfillment, FULFILLMENT)
            assert loaded[-1] < f.version <= tx.get_one(Order, order).version
            hold_id = tx.scalars(select(Hold.hold_id).where(Hold.closed_at.is_(None))).one()
            facts.holds.closed(tx, hold_id, wall_clock(), by="x", why="")
    assert all(earlier < later for earlier, later in pairwise(loaded))
    assert f.status == FulfillmentStatus.PACKED
