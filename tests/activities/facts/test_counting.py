"""A count is a difference to the moves of its instant: what happened since stays, and what is told later of before is
in it already."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from activities import facts
from activities.facts import count_requests, counting
from activities.facts.count_requests import Tolerance
from activities.facts.counting import Entered
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Count, CountLine, Hold, Reservation, Stock, StockMove
from infra.words import StockMoveKind
from tests.activities import orders
from tests.fixtures_database import Database

OAK = (orders.SKU, "OAK")


def figures(database: Database) -> tuple[int, int]:
    with database.sessions() as tx:
        assert [*breaches(tx)] == []
        shelf = tx.get_one(Stock, OAK)
        return shelf.on_hand, shelf.reserved


def counted(database: Database, units: int, at: datetime, count_id: str = "C-1", *, decide: bool = True) -> CountLine:
    """Asked, entered by two counters, submitted, and accepted."""
    with database.sessions.begin() as tx:
        count = count_requests.opened(tx, "OAK", [orders.SKU], Tolerance(), count_id=count_id, cause="cycle", by="x")
        counting.entered(tx, count, "ada", [Entered(orders.SKU, units // 2, at)], by="x", submit=True)
        counting.entered(tx, count, "bob", [Entered(orders.SKU, units - units // 2, at)], by="x", submit=True)
        counting.submitted(tx, count, by="x")
    with database.sessions.begin() as tx:
        if decide and tx.get_one(Count, count_id).status == "review":
            counting.decided(tx, tx.get_one(Count, count_id), [orders.SKU], [], by="boss")
        return tx.get_one(CountLine, (count_id, orders.SKU))


def receive(database: Database, units: int, reference: str, at: datetime | None = None) -> None:
    with database.sessions.begin() as tx:
        facts.inventory.received(tx, reference=reference, location_id="OAK", lines=[(orders.SKU, units)], at=at)


def ago(minutes: int) -> datetime:
    return wall_clock().replace(microsecond=0) - timedelta(minutes=minutes)


@pytest.fixture
def yesterday(database: Database) -> Database:
    """Five mugs, since yesterday."""
    orders.placed(database, "W-1", 2)
    receive(database, 5, "opening", ago(60 * 24))
    return database


@pytest.mark.both_databases
def test_what_happens_between_counting_and_accepting_stays(yesterday: Database) -> None:
    line = counted(yesterday, 4, ago(5), decide=False)
    assert (line.expected, line.status) == (5, "review")
    receive(yesterday, 10, "PO-1")
    with yesterday.sessions.begin() as tx:
        counting.decided(tx, tx.get_one(Count, "C-1"), [orders.SKU], [], by="boss")
    assert figures(yesterday) == (14, 0)
    with yesterday.sessions() as tx:
        booked = tx.execute(
            select(StockMove.on_hand, StockMove.reference).where(StockMove.kind == StockMoveKind.COUNTED)
        )
        assert booked.all() == [(-1, "C-1")]
        assert tx.get_one(Count, "C-1").status == "closed"


@pytest.mark.both_databases
def test_what_left_before_the_count_and_is_told_after_it_changes_nothing_more(yesterday: Database) -> None:
    """A hand-over and a receipt, and a count of an earlier time."""
    f = orders.packed(yesterday, "W-1")
    assert counted(yesterday, 3, ago(5)).expected == 5
    with yesterday.sessions() as tx:
        assert [h.kind for h in tx.scalars(select(Hold))] == []
    assert figures(yesterday) == (3, 2)
    with yesterday.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, f, ago(0))
    assert figures(yesterday) == (1, 0), "told as of now, it is a move"
    receive(yesterday, 7, "late", ago(10))
    assert figures(yesterday) == (1, 0), "it was counted already"
    receive(yesterday, 7, "since")
    assert counted(yesterday, 9, ago(20), "C-0").status == "accepted"
    assert figures(yesterday) == (8, 0), "the later count knows better"
    with yesterday.sessions() as tx:
        moves = select(StockMove.on_hand).where(StockMove.kind == StockMoveKind.COUNTED).order_by(StockMove.move_id)
        assert tx.scalars(moves).all() == [-2, -7, 4, -4]


@pytest.mark.both_databases
def test_a_hand_over_of_before_the_count_frees_what_the_books_held_for_it(yesterday: Database) -> None:
    """Its news are late: five were there, two had left when three were counted, and somebody waits."""
    f = orders.packed(yesterday, "W-1")
    left = ago(0)
    orders.placed(yesterday, "W-2", 3)
    line = counted(yesterday, 3, left + timedelta(seconds=59))
    assert (line.counted, figures(yesterday)) == (3, (3, 2))
    with yesterday.sessions.begin() as tx:
        facts.reserving.reserved(tx, "W-2", wall_clock())
    assert figures(yesterday) == (3, 3)
    with yesterday.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, f, left)
    assert figures(yesterday) == (3, 3), "and all three are the other order's"


@pytest.mark.both_databases
def test_fewer_than_are_set_aside_displaces_the_newest_unpacked(yesterday: Database) -> None:
    orders.placed(yesterday, "W-2", 3)
    orders.packed(yesterday, "W-1")
    with yesterday.sessions.begin() as tx:
        facts.reserving.reserved(tx, "W-2", wall_clock())
    assert counted(yesterday, 3, ago(0)).packed == 0
    assert figures(yesterday) == (3, 3)
    with yesterday.sessions() as tx:
        rows = tx.execute(
            select(Reservation.order_id, Reservation.quantity, Reservation.status).order_by(
                Reservation.order_id, Reservation.first_unit
            )
        )
        assert rows.all() == [("W-1", 2, "held"), ("W-2", 1, "held"), ("W-2", 2, "displaced")]


@pytest.mark.both_databases
def test_fewer_than_are_packed_is_a_persons_and_nothing_packed_is_lost(yesterday: Database) -> None:
    orders.packed(yesterday, "W-1")
    line = counted(yesterday, 1, ago(0))
    assert (line.status, line.packed) == ("accepted", 1)
    assert figures(yesterday) == (2, 2)
    with yesterday.sessions() as tx:
        hold = tx.scalars(select(Hold)).one()
        assert (hold.kind, hold.subject_kind, hold.subject_id, hold.order_id) == (
            "counted_below_packed",
            "count",
            "C-1",
            None,
        )


@pytest.mark.both_databases
def test_what_was_packed_and_not_counted_goes_with_the_news_that_it_had_left(yesterday: Database) -> None:
    """Both are with the carrier as one unit of others is counted, then none; of the hand-over is told afterwards."""
    f, left = orders.packed(yesterday, "W-1"), wall_clock()
    assert counted(yesterday, 1, left + timedelta(seconds=1)).packed == 1
    assert counted(yesterday, 0, left + timedelta(seconds=2), "C-2").packed == 2
    assert figures(yesterday) == (2, 2)
    with yesterday.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, f, left)
    assert figures(yesterday) == (0, 0), "no unit is there that nobody saw"
    with yesterday.sessions.begin() as tx:
        assert [line.packed for line in tx.scalars(select(CountLine).order_by(CountLine.count_id))] == [0, 0]
        then = {count_id: counting.as_of(tx, tx.get_one(Count, count_id), [orders.SKU]) for count_id in ("C-1", "C-2")}
        assert then == {"C-1": {orders.SKU: 1}, "C-2": {orders.SKU: 0}}


@pytest.mark.both_databases
def test_more_than_the_books_have_goes_to_who_waits(yesterday: Database) -> None:
    orders.placed(yesterday, "W-2", 5)
    with yesterday.sessions.begin() as tx:
        facts.reserving.reserved(tx, "W-1", wall_clock())
        facts.reserving.reserved(tx, "W-2", wall_clock())
    assert figures(yesterday) == (5, 5)
    counted(yesterday, 6, ago(0))
    assert figures(yesterday) == (6, 6)


def test_what_the_books_were_wrong_about_is_asked_for_once(yesterday: Database) -> None:
    for _ in range(2):
        with yesterday.sessions.begin() as tx:
            count_requests.asked_for(tx, [OAK], "found")
    with yesterday.sessions() as tx:
        assert [(count.location_id, count.cause) for count in tx.scalars(select(Count))] == [("OAK", "found")]
