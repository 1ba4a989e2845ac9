"""Units that are cancelled: which ones, what happens to the others, and what the customer hears."""

from typing import Any

import pytest
from sqlalchemy import select

from activities import facts
from activities.facts.bill import bill
from activities.facts.cancellation import Decided
from activities.facts.journal import locked_order
from activities.facts.line_cancellations import parts_left
from activities.models import CancelReason, Subject
from activities.resolutions import carried_out
from activities.views.check import breaches
from activities.views.snapshot import of_fulfillment
from infra.clock import wall_clock
from infra.database.tables import (
    Backorder,
    Change,
    Fulfillment,
    Hold,
    LineCancellation,
    Message,
    Order,
    Reservation,
    Stock,
)
from infra.hold_kinds import HoldKind
from infra.holds import Action
from tests.activities import orders
from tests.fixtures_database import Database

ORDER, PLACE = "W-1", "W-1-1"


def cancel(database: Database, quantity: int, order_id: str = ORDER) -> str:
    """Asked and decided; gives the decision."""
    with database.sessions.begin() as tx:
        wanted = [{"line": 1, "quantity": quantity}]
        change = facts.cancellation.cancellation_asked(
            tx, order_id, reason=CancelReason.CUSTOMER, by="x", why="", lines=wanted
        )
        facts.cancellation.cancellation_decided(
            tx, order_id, change.change_id, reason=CancelReason.CUSTOMER, by="x", why="", at=wall_clock()
        )
    with database.sessions() as tx:
        return str(tx.scalars(select(Change.decision).order_by(Change.change_id.desc())).first())


def reserve(database: Database, order_id: str = ORDER) -> None:
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, order_id, wall_clock())


def request(database: Database) -> None:
    reserve(database)
    with database.sessions.begin() as tx:
        facts.fulfillments.requested(tx, PLACE, wall_clock())


def rows(database: Database) -> list[Any]:
    columns = (LineCancellation.first_unit, LineCancellation.quantity, LineCancellation.status)
    with database.sessions() as tx:
        assert [*breaches(tx)] == []
        found = tx.execute(select(*columns, LineCancellation.fulfillment_id).order_by(LineCancellation.n))
        return [tuple(row) for row in found]


def held(database: Database) -> list[Any]:
    columns = (Reservation.first_unit, Reservation.quantity, Reservation.fulfillment_id)
    with database.sessions() as tx:
        mine = select(*columns).where(Reservation.status == "held", Reservation.order_id == ORDER)
        return [tuple(row) for row in tx.execute(mine.order_by(Reservation.first_unit))]


def figures(database: Database) -> tuple[int, int]:
    with database.sessions() as tx:
        return tuple(tx.execute(select(Stock.on_hand, Stock.reserved)).one())  # type: ignore[return-value]


def messages_of(database: Database) -> list[tuple[str, str]]:
    mine = (Message.channel == "email", Message.order_id == ORDER)
    with database.sessions() as tx:
        rows = select(Message.kind, Message.subject).where(*mine).order_by(Message.message_id)
        return [(str(kind), subject.partition(" ")[0]) for kind, subject in tx.execute(rows)]


@pytest.mark.both_databases
def test_before_it_is_reserved_a_unit_is_cancelled_at_once(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    assert cancel(database, 1) == "accepted"
    assert rows(database) == [(2, 1, "done", None)]
    reserve(database)
    assert held(database) == [(0, 2, PLACE)]
    assert figures(database) == (3, 2)
    assert messages_of(database) == [("partly_cancelled", "request")]


def test_what_is_waited_for_is_given_up_first(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=2)
    reserve(database)
    assert cancel(database, 1) == "accepted"
    assert rows(database) == [(2, 1, "done", None)]
    assert held(database) == [(0, 2, PLACE)]
    with database.sessions() as tx:
        assert tx.scalars(select(Backorder.status)).all() == ["cancelled"]


def test_a_planned_unit_goes_to_who_waits_longest(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    reserve(database)
    orders.placed(database, "W-2")
    reserve(database, "W-2")
    assert cancel(database, 1) == "accepted"
    assert rows(database) == [(2, 1, "done", None)]
    with database.sessions() as tx:
        assert tx.get_one(Fulfillment, PLACE).amount == bill(tx, tx.get_one(Order, ORDER)).to_capture
        assert tx.scalars(select(Reservation.quantity).where(Reservation.order_id == "W-2")).all() == [1]
    assert figures(database) == (3, 3)


@pytest.mark.both_databases
def test_of_a_warehouse_units_are_asked_and_the_others_planned_anew(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    request(database)
    assert cancel(database, 1) == "accepted"
    assert rows(database) == [(2, 1, "asked", PLACE)]
    assert held(database) == [(0, 2, PLACE), (2, 1, PLACE)]
    assert messages_of(database) == [], "nobody knows yet"
    reserve(database)
    with database.sessions.begin() as tx:
        assert bill(tx, tx.get_one(Order, ORDER)).to_capture == 3 * 1800 + 500, "it may be refused"
        assert facts.recall.recall_confirmed(tx, PLACE, wall_clock())
    assert rows(database) == [(2, 1, "done", PLACE)]
    assert held(database) == [(0, 2, None)]
    with database.sessions.begin() as tx:
        order = of_fulfillment(tx, PLACE).order
        assert order, "a step hears that its place has stopped: the run is to know that the others are not planned"
        assert order.unplanned
    reserve(database)
    assert held(database) == [(0, 2, f"{ORDER}-2")]
    assert figures(database) == (3, 2)
    assert messages_of(database) == [("partly_cancelled", "request")]


def test_what_had_left_is_not_cancelled_and_may_be_returned(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    orders.packed(database, ORDER)
    assert cancel(database, 1) == "accepted"
    with database.sessions.begin() as tx:
        facts.handing_over.released(tx, PLACE, wall_clock())
        facts.handing_over.handed_over(tx, PLACE, wall_clock())
    assert rows(database) == [(2, 1, "refused", PLACE)]
    assert ("cancellation_refused", "request") in messages_of(database)
    assert cancel(database, 1) == "refused"


def test_a_unit_that_the_shelf_did_not_have_is_the_one_that_is_cancelled(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    request(database)
    cancel(database, 1)
    with database.sessions.begin() as tx:
        facts.short_pick.short_picked(tx, PLACE, [(orders.SKU, 1)], wall_clock())
    assert rows(database) == [(2, 1, "done", PLACE)]
    assert held(database) == [(0, 2, PLACE)]
    with database.sessions.begin() as tx:
        assert facts.planning.open_units(tx, locked_order(tx, ORDER)) == []


def test_all_that_is_left_is_the_order(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=2)
    reserve(database)
    assert cancel(database, 2) == "accepted"
    assert cancel(database, 1) == "accepted"
    with database.sessions.begin() as tx:
        order = locked_order(tx, ORDER)
        assert (order.cancellation, order.cancel_reason) == ("accepted", "customer")
        assert parts_left(tx, order) == []
    assert [status for _, _, status, _ in rows(database)] == ["done", "done", "done"]
    assert figures(database) == (2, 0)


def test_more_than_is_left_by_then_is_cancelled_as_far_as_it_is(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=2)
    orders.packed(database, ORDER)
    with database.sessions.begin() as tx:
        tx.get_one(Fulfillment, PLACE).recall = "refused"  # type: ignore[assignment]
    assert cancel(database, 2) == "accepted"
    assert rows(database) == [(2, 1, "done", None)], "the others go on"


def test_a_fulfillment_that_was_refused_is_planned_anew_without_what_is_cancelled(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    request(database)
    with database.sessions.begin() as tx:
        facts.effects.begin(tx, ORDER, f"request:{PLACE}")
        facts.recall.refused(tx, PLACE, "full", wall_clock())
    assert cancel(database, 1) == "accepted"
    assert rows(database) == [(2, 1, "done", None)]
    with database.sessions() as tx:
        assert tx.get_one(Fulfillment, PLACE).status == "cancelled"
    reserve(database)
    assert held(database) == [(0, 2, f"{ORDER}-2")], "the warehouse knows the first with three in it"


def test_a_place_that_refused_is_avoided_for_its_units(database: Database) -> None:
    orders.placed(database, ORDER, 2, in_stock=3)
    request(database)
    with database.sessions.begin() as tx:
        facts.recall.refused(tx, PLACE, "full", wall_clock())
        facts.recall.planned_elsewhere(tx, PLACE, "full", wall_clock())
    reserve(database)
    with database.sessions() as tx:
        assert tx.execute(select(Backorder.quantity, Backorder.status)).all() == [(2, "waiting")]
        assert tx.get_one(Fulfillment, PLACE).refusal == "full"
    orders.located(database, "RNO", 2, stock=1)
    with database.sessions() as tx:
        rows = select(Reservation.location_id, Reservation.quantity).where(Reservation.status == "held")
        assert tx.execute(rows).all() == [("RNO", 1)]
        assert [*breaches(tx)] == []


def test_a_silent_place_stops_before_its_units_are_planned_elsewhere(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    orders.located(database, "RNO", 2, stock=3)
    request(database)
    with database.sessions.begin() as tx:
        facts.recall.planned_elsewhere(tx, PLACE, "silent", wall_clock())
    cancel(database, 1)
    assert rows(database) == [(2, 1, "asked", PLACE)]
    reserve(database)
    assert held(database) == [(0, 2, PLACE), (2, 1, PLACE)], "it has them until it says that it has stopped"
    with database.sessions.begin() as tx:
        facts.recall.recall_confirmed(tx, PLACE, wall_clock())
    reserve(database)
    assert held(database) == [(0, 2, f"{ORDER}-2")]
    with database.sessions() as tx:
        assert tx.get_one(Fulfillment, f"{ORDER}-2").location_id == "RNO"
    assert rows(database) == [(2, 1, "done", PLACE)]


def test_the_cancel_of_a_silent_places_hold_stops_its_fulfillment_alone(database: Database) -> None:
    orders.placed(database, ORDER, 3, in_stock=2)
    request(database)
    about, kind, at = Subject.fulfillment(PLACE), HoldKind.REQUEST_UNANSWERED, wall_clock()
    with database.sessions.begin() as tx:
        hold = tx.get_one(Hold, facts.holds.opened(tx, ORDER, kind, about, at))
        carried_out(tx, hold, Action.CANCEL, Decided("eve", "", None), at)
    assert rows(database) == [(0, 2, "asked", PLACE)]
    with database.sessions.begin() as tx:
        facts.recall.recall_confirmed(tx, PLACE, at)
    assert rows(database) == [(0, 2, "done", PLACE)]
    with database.sessions() as tx:
        assert tx.scalars(select(Backorder.status)).all() == ["allocated"], "what came back goes to who waits"
        assert tx.get_one(Order, ORDER).cancellation is None


@pytest.mark.parametrize("policy", ["ship_complete", "ship_partial"])
def test_units_that_go_missing_hold_up_what_is_to_leave_together(database: Database, policy: str) -> None:
    orders.placed(database, ORDER, 3, in_stock=3)
    request(database)
    with database.sessions.begin() as tx:
        tx.get_one(Order, ORDER).backorder = policy  # type: ignore[assignment]
        facts.short_pick.short_picked(tx, PLACE, [(orders.SKU, 1)], wall_clock())
    reserve(database)
    with database.sessions() as tx:
        assert tx.get_one(Fulfillment, PLACE).recall == ("asked" if policy == "ship_complete" else None)
    if policy == "ship_partial":
        return
    with database.sessions.begin() as tx:
        facts.recall.recall_confirmed(tx, PLACE, wall_clock())
    reserve(database)
    assert held(database) == [(0, 2, None)], "reserved, and not planned"
    with database.sessions.begin() as tx:
        facts.inventory.received(tx, reference="PO-2", location_id="OAK", lines=[(orders.SKU, 1)])
    reserve(database)
    assert [fulfillment for _, _, fulfillment in held(database)] == [f"{ORDER}-2"] * 2
    assert rows(database) == []
