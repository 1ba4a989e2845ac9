"""Units that are gone although an order has them: who gives way, and what each order makes of it (docs/data.md, walk
2)."""

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from activities import facts
from activities.facts.stock_moves import Delta, Shelf, move
from activities.views.check import breaches
from activities.views.snapshot import whole
from infra.clock import wall_clock
from infra.database.tables import (
    Backorder,
    Fulfillment,
    LineCancellation,
    Message,
    Order,
    OrderLine,
    Relay,
    Reservation,
    Stock,
)
from infra.database.tables import StockMove as Row
from infra.words import CancelReason, Recall, StockMoveKind
from tests.activities import orders
from tests.activities.facts.test_claims import MANY, claim
from tests.activities.facts.test_reserving import kept_waiting
from tests.fixtures_database import Database

OAK, RNO = (orders.SKU, "OAK"), (orders.SKU, "RNO")
W, F = "W-1", "W-1-1"
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def reserved(database: Database) -> Database:
    """An order of two mugs, both of Oakland's; no warehouse was asked."""
    orders.placed(database, W, 2, in_stock=2)
    orders.located(database, "RNO", 2, stock=0)
    reserve(database)
    return database


@pytest.fixture
def requested(reserved: Database) -> Database:
    with reserved.sessions.begin() as tx:
        facts.fulfillments.requested(tx, F, wall_clock())
    return reserved


def reserve(database: Database, order_id: str = W) -> None:
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, order_id, wall_clock())


def sold(database: Database, count: int, shelf: Shelf = OAK, reference: str = "S-1") -> int:
    """At a till: gone, whoever had them. How many there were not."""
    with database.sessions.begin() as tx:
        facts.inventory.lock(tx, [shelf[0]])
        lacking = facts.displacing.freed(tx, reference, {shelf: count}).get(shelf, 0)
        move(tx, StockMoveKind.SHIPPED, reference, {shelf: Delta(on_hand=lacking - count)})
    return lacking


def stock(database: Database) -> dict[str, tuple[int, int]]:
    with database.sessions() as tx:
        assert [*breaches(tx)] == []
        return {shelf.location_id: (shelf.on_hand, shelf.reserved) for shelf in tx.scalars(select(Stock))}


def units(database: Database, order_id: str = W) -> list[tuple[int, int, str, str | None]]:
    """First unit, quantity, status and fulfillment of what is set aside, or was."""
    columns = (Reservation.first_unit, Reservation.quantity, Reservation.status, Reservation.fulfillment_id)
    with database.sessions() as tx:
        rows = select(*columns).where(Reservation.order_id == order_id)
        return [tuple(row) for row in tx.execute(rows.order_by(Reservation.first_unit, Reservation.reservation_id))]  # type: ignore[misc]


def unplanned(database: Database) -> bool:
    """What the order's run hears, whatever version it knows."""
    with database.sessions.begin() as tx:
        known = whole(tx, tx.get_one(Order, W), since=10_000)
        assert known.order
        return known.order.unplanned


def moved(database: Database, *kinds: StockMoveKind) -> list[tuple[str, int, int, str]]:
    with database.sessions() as tx:
        rows = select(Row.kind, Row.on_hand, Row.reserved, Row.reference).where(Row.kind.in_(kinds))
        return [tuple(row) for row in tx.execute(rows.order_by(Row.move_id))]  # type: ignore[misc]


@pytest.mark.both_databases
def test_of_an_order_nobody_was_asked_for_the_last_units_go_and_are_reserved_anew(reserved: Database) -> None:
    with reserved.sessions.begin() as tx:
        facts.inventory.received(tx, reference="PO", location_id="RNO", lines=[(orders.SKU, 1)])
    assert sold(reserved, 1) == 0
    assert units(reserved) == [(0, 1, "held", F), (1, 1, "displaced", F)]
    assert moved(reserved, StockMoveKind.DISPLACED) == [("displaced", 0, -1, W)]
    assert (stock(reserved)["OAK"], unplanned(reserved)) == ((1, 1), True)
    with reserved.sessions() as tx:
        assert [row.subject_id for row in tx.scalars(select(Relay).where(Relay.kind == "news"))] == [W]
    for _ in range(2):
        reserve(reserved)
    assert units(reserved) == [(0, 1, "held", "W-1-2"), (1, 1, "released", F), (1, 1, "held", "W-1-3")]
    assert (stock(reserved), unplanned(reserved)) == ({"OAK": (1, 1), "RNO": (1, 1)}, False)


@pytest.mark.both_databases
def test_checkouts_make_way_before_orders(reserved: Database) -> None:
    """Those beyond their time first, then the newest: as many units as somebody has in hand. The rest of such a claim
    goes back."""
    late, soon = wall_clock(), wall_clock() + timedelta(hours=1)
    with reserved.sessions.begin() as tx:
        facts.inventory.received(tx, reference="PO", location_id="OAK", lines=[(orders.SKU, 5)])
        for name, until, count in (("C-1", late, 1), ("C-2", soon, 2), ("C-3", soon, 2)):
            facts.checkout.claimed(tx, claim(name, until, quantity=count), MANY)
    for count, left in ((1, {"C-2": 2, "C-3": 2}), (1, {"C-2": 2, "C-3": 1})):
        assert sold(reserved, count) == 0
        assert claimed(reserved) == left
    with reserved.sessions.begin() as tx:
        facts.claims.sweep(tx)
    assert (claimed(reserved), stock(reserved)["OAK"]) == ({"C-2": 2}, (5, 4))
    assert sold(reserved, 4) == 0
    assert claimed(reserved) == {}
    assert units(reserved) == [(0, 1, "held", F), (1, 1, "displaced", F)]


def claimed(database: Database) -> dict[str | None, int]:
    with database.sessions() as tx:
        rows = tx.execute(select(Reservation.claim_id, Reservation.quantity).where(Reservation.order_id.is_(None)))
        return dict(rows.all())


@pytest.mark.both_databases
def test_what_a_warehouse_was_asked_for_is_stopped_before_it_is_planned_anew(requested: Database) -> None:
    assert sold(requested, 1) == 0
    reserve(requested)
    with requested.sessions() as tx:
        assert tx.get_one(Fulfillment, F).recall == Recall.ASKED
    assert units(requested) == [(0, 1, "held", F), (1, 1, "displaced", F)], "until it has stopped, they are its own"
    assert not unplanned(requested)
    with requested.sessions.begin() as tx:
        facts.recall.recall_confirmed(tx, F, wall_clock())
    assert units(requested) == [(0, 1, "held", None), (1, 1, "released", F)]
    assert (stock(requested)["OAK"], unplanned(requested)) == ((1, 1), True)
    reserve(requested)
    assert units(requested)[0] == (0, 1, "held", "W-1-2")
    with requested.sessions() as tx:
        waits = tx.scalars(select(Backorder)).one()
        assert (waits.first_unit, waits.quantity, waits.placed_at) == (1, 1, tx.get_one(Order, W).placed_at)
        assert "backordered" in tx.scalars(select(Message.kind)).all()
        assert not tx.scalars(select(LineCancellation)).all()
    assert stock(requested)["OAK"] == (1, 1)


@pytest.mark.both_databases
@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("restocked", [False, True])
def test_a_warehouse_that_packed_them_has_found_them(requested: Database, looked: bool, restocked: bool) -> None:
    """Or has taken what came since."""
    assert sold(requested, 1) == 0
    if looked:
        reserve(requested)
    with requested.sessions.begin() as tx:
        if restocked:
            facts.inventory.received(tx, reference="PO", location_id="OAK", lines=[(orders.SKU, 1)])
        facts.packing.packed(tx, F, [orders.BOX], wall_clock())
    assert units(requested) == [(0, 1, "held", F), (1, 1, "held", F)]
    assert (stock(requested)["OAK"], unplanned(requested)) == ((2, 2), False)
    assert moved(requested, StockMoveKind.FOUND) == ([] if restocked else [("found", 1, 1, F)])
    with requested.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, F, wall_clock())
    assert stock(requested)["OAK"] == (0, 0)


@pytest.mark.both_databases
@pytest.mark.parametrize("how", ["handed over", "not stopped"])
def test_what_left_or_could_not_be_stopped_was_there(requested: Database, how: str) -> None:
    assert sold(requested, 2) == 0
    reserve(requested)
    with requested.sessions.begin() as tx:
        happens = facts.handing_over.handed_over if how == "handed over" else facts.recall.recall_refused
        happens(tx, F, wall_clock())
        assert tx.get_one(Fulfillment, F).recall == Recall.REFUSED
    assert moved(requested, StockMoveKind.FOUND) == [("found", 2, 2, F)]
    assert stock(requested)["OAK"] == ((0, 0) if how == "handed over" else (2, 2))
    assert sold(requested, 1) == 1, "what it could not stop is as good as packed"


@pytest.mark.both_databases
@pytest.mark.parametrize("first", ["short pick", "packing"])
@pytest.mark.parametrize("again", [False, True])
def test_a_warehouse_that_misses_them_loses_nothing_more(requested: Database, first: str, again: bool) -> None:
    """Whether it tells by a short pick, by what it packed, or by both, in any order."""
    other = {"short pick": "packing", "packing": "short pick"}[first]
    assert sold(requested, 1) == 0
    for news in (first, other) if again else (first,):
        with requested.sessions.begin() as tx:
            if news == "packing":
                facts.packing.packed(tx, F, [orders.BOX], wall_clock(), [Counter({orders.SKU: 1})])
            else:
                facts.short_pick.short_picked(tx, F, [(orders.SKU, 1)], wall_clock())
    assert units(requested) == [(0, 1, "held", F), (1, 1, "released", F)]
    missed = [(on_hand, reserved) for _, on_hand, reserved, _ in moved(requested, StockMoveKind.SHORT_PICKED)]
    assert (missed, stock(requested)["OAK"]) == ([(-1, 0)], (1, 1))
    assert moved(requested, StockMoveKind.FOUND) == [("found", 1, 0, F)], "it was off the books already"
    assert unplanned(requested)


@pytest.mark.both_databases
def test_an_order_that_is_cancelled_meanwhile_gives_back_what_it_still_has(requested: Database) -> None:
    assert sold(requested, 1) == 0
    with requested.sessions.begin() as tx:
        facts.cancellation.cancellation_decided(
            tx, W, None, reason=CancelReason.CUSTOMER, by="x", why="", at=wall_clock()
        )
    with requested.sessions.begin() as tx:
        facts.recall.recall_confirmed(tx, F, wall_clock())
    with requested.sessions.begin() as tx:
        facts.reserving.released(tx, W, wall_clock())
    assert {status for _, _, status, _ in units(requested)} == {"released"}
    assert stock(requested)["OAK"] == (1, 0)
    with requested.sessions() as tx:
        assert {row.status for row in tx.scalars(select(LineCancellation))} == {"done"}
        assert tx.get_one(Order, W).status == "cancelled"


def test_the_newest_unpacked_order_gives_way_after_what_nobody_has(database: Database) -> None:
    """Available, blocked, the newest placed; what is packed is never taken, and the rest is not there."""
    for n in (1, 2, 3):
        orders.placed(database, f"N-{n}", 2, in_stock=8 if n == 1 else 0)
        with database.sessions.begin() as tx:
            for table in (Order, OrderLine):
                placed_at = NOW.replace(hour=9 + n % 3)
                tx.execute(update(table).where(table.order_id == f"N-{n}").values(placed_at=placed_at))
        if n == 1:
            orders.packed(database, "N-1")
        else:
            reserve(database, f"N-{n}")
    with database.sessions.begin() as tx:
        facts.inventory.block(tx, "damaged", {OAK: 1})
    taken: list[tuple[list[str], int]] = []
    for count in (1, 1, 1, 3, 2):
        lacking = sold(database, count)
        taken.append(([status for n in (2, 3) for _, _, status, _ in units(database, f"N-{n}")], lacking))
    assert taken == [
        (["held", "held"], 0),
        (["held", "held"], 0),
        (["held", "displaced", "held"], 0),
        (["displaced", "displaced", "displaced"], 0),
        (["displaced", "displaced", "displaced"], 2),
    ]
    assert [status for _, _, status, _ in units(database, "N-1")] == ["held"]
    assert stock(database)["OAK"] == (2, 2)


@pytest.mark.both_databases
@pytest.mark.parametrize("first", ["sale", "packing"])
def test_a_till_and_a_warehouse_that_packs_meet_at_the_product(requested: Database, first: str) -> None:
    """Whoever comes second finds what the first has done."""
    lacking: list[int] = []

    def sale() -> None:
        lacking.append(sold(requested, 2))

    def packing() -> None:
        with requested.sessions.begin() as tx:
            facts.packing.packed(tx, F, [orders.BOX], wall_clock())

    beside = threading.Thread(target=packing if first == "sale" else sale)
    with requested.sessions.begin() as tx:
        if first == "sale":
            facts.inventory.lock(tx, [orders.SKU])
            lacking.append(facts.displacing.freed(tx, "S-1", {OAK: 2}).get(OAK, 0))
            move(tx, StockMoveKind.SHIPPED, "S-1", {OAK: Delta(on_hand=-2)})
        else:
            facts.packing.packed(tx, F, [orders.BOX], wall_clock())
        beside.start()
        while beside.is_alive() and not kept_waiting(requested):
            pass
    beside.join()
    assert lacking == ([0] if first == "sale" else [2])
    assert stock(requested)["OAK"] == (2, 2)
    assert moved(requested, StockMoveKind.FOUND) == ([("found", 2, 2, F)] if first == "sale" else [])
    assert statuses(units(requested)) == {"held"}


def statuses(rows: Iterable[tuple[int, int, str, str | None]]) -> set[str]:
    return {status for _, _, status, _ in rows}
