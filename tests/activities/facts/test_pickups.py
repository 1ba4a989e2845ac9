"""What is to be picked up: when it is ready, what opens it, and how it is handed over."""

import threading
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from activities import facts
from activities.facts import pickups
from activities.facts.stock_moves import Delta, move
from activities.models import WantedLine
from activities.pickup_codes import PickupCodes
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Backorder, Fulfillment, LineCancellation, Message, Reservation
from infra.words import CancelReason, StockMoveKind
from tests.activities.facts.test_reserving import kept_waiting
from tests.activities.orders import SKU
from tests.activities.pickups import F, P, packs, pickup, ready, shelf, stocked, take
from tests.fixtures_database import Database

# --- ready asks for this order's own units alone: four orders that Magento could not declare ready --------------------


def test_the_last_unit_of_the_shelf_is_ready(database: Database) -> None:
    """Nothing is available there, since it is this order's."""
    stocked(database, OAK=1)
    pickup(database, P, (SKU, 1))
    packs(database)
    assert shelf(database) == {"OAK": (1, 1)}
    assert ready(database) == "ready_for_pickup"


def test_what_is_left_of_an_order_of_which_a_part_was_given_back_is_ready(database: Database) -> None:
    stocked(database, OAK=3)
    pickup(database, P, (SKU, 3))
    with database.sessions.begin() as tx:
        asked = facts.cancellation_requests.asked(
            tx, facts.journal.locked_order(tx, P), by="x", lines=[WantedLine(line=1, quantity=1)]
        )
        assert asked.change
        now = wall_clock()
        facts.cancellation.cancellation_decided(
            tx, P, asked.change.change_id, reason=CancelReason.CUSTOMER, by="x", why="", at=now
        )
    pickup(database, "P-2", (SKU, 1))  # which takes what has become available
    packs(database, F, {SKU: 2})
    assert ready(database) == "ready_for_pickup"


def test_a_bundle_of_several_skus_and_lines_is_ready(database: Database) -> None:
    stocked(database, OAK=3)
    stocked(database, "LID", OAK=2)
    pickup(database, P, (SKU, 2), ("LID", 2), (SKU, 1))
    packs(database, F, {SKU: 3, "LID": 2})
    assert ready(database) == "ready_for_pickup"
    assert shelf(database, "LID") == {"OAK": (2, 2)}


def test_what_a_sister_store_has_or_lacks_says_nothing(database: Database) -> None:
    stocked(database, OAK=1, RNO=0)
    stocked(database, "LID", OAK=1, RNO=5)
    pickup(database, P, (SKU, 1), ("LID", 1))
    packs(database)
    assert ready(database) == "ready_for_pickup"
    assert shelf(database, "LID") == {"OAK": (1, 1), "RNO": (5, 0)}


# --- ready, found in part, cut ----------------------------------------------------------------------------------------


def test_ready_pressed_twice_is_one_fact_and_one_message(database: Database) -> None:
    stocked(database, OAK=1)
    pickup(database, P, (SKU, 1))
    assert packs(database)
    ready(database)
    assert not packs(database)
    ready(database)
    with database.sessions() as tx:
        mine = select(Message.data).where(Message.order_id == P, Message.kind == "ready_for_pickup")
        [data] = tx.scalars(mine).all()
    assert (data["code_n"], data["items"], data["place"]) == (1, "1 × Mug", "OAK")


def test_of_units_that_the_store_cannot_find_the_customer_is_asked(database: Database) -> None:
    """The two are ready; the third is in no queue and in no other store until they choose."""
    stocked(database, OAK=3, RNO=5)
    pickup(database, P, (SKU, 3))
    packs(database, F, {SKU: 2})
    assert ready(database) == "ready_for_pickup"
    assert shelf(database) == {"OAK": (2, 2), "RNO": (5, 0)}
    with database.sessions() as tx:
        assert tx.scalars(select(Backorder.status)).all() == ["asked"]
        sent: dict[str, Any] = dict(tx.execute(select(Message.kind, Message.data)).all())
    assert sent["ready_for_pickup"]["items"] == "2 × Mug"
    assert sent["pickup_choice"]["items"] == "1 × Mug"


def test_who_wants_no_waiting_is_not_asked(database: Database) -> None:
    stocked(database, OAK=3)
    pickup(database, P, (SKU, 3), backorder="cancel_unavailable")
    packs(database, F, {SKU: 2})
    with database.sessions() as tx:
        assert tx.scalars(select(LineCancellation.reason)).all() == ["stock"]
        sent = tx.scalars(select(Message.data).where(Message.kind == "partly_cancelled")).all()
        assert [data["items"] for data in sent] == ["1 × Mug"]


def test_an_item_cut_after_ready_is_in_no_list_any_more(database: Database) -> None:
    stocked(database, OAK=2)
    pickup(database, P, (SKU, 2))
    packs(database)
    ready(database)
    with database.sessions.begin() as tx:
        assert facts.short_pick.short_picked(tx, F, [(SKU, 1)], wall_clock())
        f = tx.get_one(Fulfillment, F)
        assert pickups.units_in(tx, f) == {SKU: 1}
        assert (f.status, f.amount) == ("ready_for_pickup", 1800)
    assert shelf(database) == {"OAK": (1, 1)}


def test_more_than_was_asked_for_in_the_bag_is_the_stores_own_matter(database: Database) -> None:
    stocked(database, OAK=2)
    pickup(database, P, (SKU, 1))
    assert packs(database, F, {SKU: 2})
    assert ready(database) == "ready_for_pickup"


@pytest.mark.both_databases
def test_a_till_and_a_store_that_refuses_meet_at_the_product(database: Database) -> None:
    """The till has sold the unit that the store says it has not: it is counted once."""
    stocked(database, OAK=1)
    pickup(database, P, (SKU, 1))
    with database.sessions.begin() as tx:
        facts.fulfillments.requested(tx, F, wall_clock())

    def refuses() -> None:
        with database.sessions.begin() as tx:
            facts.recall.refused(tx, F, "not_found", wall_clock())

    store = threading.Thread(target=refuses)
    with database.sessions.begin() as tx:
        facts.inventory.lock(tx, [SKU])
        assert facts.displacing.freed(tx, "S-1", {(SKU, "OAK"): 1}) == {}
        move(tx, StockMoveKind.SHIPPED, "S-1", {(SKU, "OAK"): Delta(on_hand=-1)})
        store.start()
        while store.is_alive() and not kept_waiting(database):
            pass
    store.join()
    assert shelf(database) == {"OAK": (0, 0)}
    with database.sessions() as tx:
        assert tx.scalars(select(Backorder.status)).all() == ["asked"]
        assert [*breaches(tx)] == []


# --- handed over ------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_two_of_three_leave_and_the_third_waits(database: Database) -> None:
    stocked(database, OAK=3)
    pickup(database, P, (SKU, 3))
    packs(database)
    ready(database)
    assert take(database, units={SKU: 2}, reference="a")
    assert not take(database, units={SKU: 2}, reference="a")
    with database.sessions() as tx:
        rows = tx.scalars(select(Reservation).order_by(Reservation.first_unit)).all()
        assert [(r.first_unit, r.quantity, r.status) for r in rows] == [(0, 2, "consumed"), (2, 1, "held")]
        assert [*breaches(tx)] == []
    assert shelf(database) == {"OAK": (1, 1)}
    assert take(database)
    assert shelf(database) == {"OAK": (0, 0)}
    assert not take(database)


def test_a_code_is_of_its_pickup_its_number_and_its_key() -> None:
    codes = PickupCodes([SecretStr("a" * 24)])
    code = codes.code(F, 1)
    assert len(code) == 8
    assert code.isdigit()
    assert len({code, codes.code(F, 2), codes.code(f"{P}-2", 1), PickupCodes([SecretStr("b" * 24)]).code(F, 1)}) == 4
    assert codes.fits(code, F, 1)
    assert not codes.fits(code, F, 2)
    assert not codes.fits("", F, 1)
    assert not codes.fits("١٢٣٤٥٦٧٨", F, 1)


def test_codes_of_the_key_before_open_while_two_are_good() -> None:
    old, new = SecretStr("a" * 24), SecretStr("b" * 24)
    both, before = PickupCodes([new, old]), PickupCodes([old])
    assert both.fits(before.code(F, 1), F, 1)
    assert both.code(F, 1) == PickupCodes([new]).code(F, 1)
