"""Paid as it is handed over: nothing leaves before, and no more is taken than leaves."""

from collections.abc import Mapping

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from activities import facts
from activities.facts import hand_overs
from activities.facts.hand_overs import AtCounter, Paid
from activities.facts.requests import WrongFields
from activities.pickup_codes import PickupCodes
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Charge, HandOver, Hold, MoneyMove, Order
from tests.activities.orders import SKU
from tests.activities.pickups import F, P, packs, pickup, ready, shelf, stocked, take
from tests.fixtures_database import Database

CODES = PickupCodes([SecretStr("a" * 24)])
LATER = {"method": "external", "reference": "at the store", "due": "at_hand_over"}


@pytest.fixture
def waits(database: Database) -> Database:
    """Three mugs, ready and not paid for."""
    stocked(database, OAK=3)
    pickup(database, P, (SKU, 3), payment=LATER)
    packs(database)
    ready(database)
    return database


def hands_over(database: Database, paid: Paid | None = None, units: Mapping[str, int] | None = None) -> bool:
    with database.sessions.begin() as tx:
        asked = AtCounter("kim", code=CODES.code(F, 1), units=units, paid=paid)
        return hand_overs.handed_over(tx, F, asked, CODES, wall_clock())


def payment_status(database: Database) -> str:
    with database.sessions() as tx:
        return tx.get_one(Order, P).payment_status


def test_it_is_ready_without_money_and_handed_over_with_it_alone(waits: Database) -> None:
    assert payment_status(waits) == "none"
    with pytest.raises(WrongFields, match="paid is missing: 5400 is to be paid"):
        hands_over(waits)
    with pytest.raises(WrongFields, match=r"paid\.amount must be 5400"):
        hands_over(waits, Paid("till 4/17", 5399))
    assert shelf(waits) == {"OAK": (3, 3)}
    assert hands_over(waits, Paid("till 4/17", 5400))
    with waits.sessions() as tx:
        assert tx.get_one(Order, P).status == "completed"
        assert tx.scalars(select(HandOver.paid_as)).all() == ["till 4/17"]
        assert tx.execute(select(MoneyMove.kind, MoneyMove.amount)).all() == [("captured", 5400)]
        assert [*breaches(tx)] == []
    assert payment_status(waits) == "captured"


@pytest.mark.both_databases
def test_of_a_part_its_part_is_paid(waits: Database) -> None:
    assert hands_over(waits, Paid("till 4/17", 3600), {SKU: 2})
    assert payment_status(waits) == "partially_captured"
    assert hands_over(waits, Paid("till 4/18", 1800))
    with waits.sessions() as tx:
        assert sorted(tx.scalars(select(Charge.amount))) == [1800, 3600]
        assert tx.get_one(Order, P).status == "completed"
        assert [*breaches(tx)] == []


def test_what_nobody_came_for_is_owed_to_nobody(waits: Database) -> None:
    hands_over(waits, Paid("till 4/17", 1800), {SKU: 1})
    with waits.sessions.begin() as tx:
        facts.recall.recall_confirmed(tx, F, wall_clock())
    with waits.sessions() as tx:
        assert tx.scalars(select(Hold.kind)).all() == []
        assert tx.get_one(Order, P).status == "completed"
        assert [*breaches(tx)] == []


def test_a_stores_own_system_that_hands_over_has_taken_the_money(waits: Database) -> None:
    assert take(waits)
    with waits.sessions() as tx:
        assert tx.scalars(select(HandOver.paid_as)).all() == ["kim"]
        assert [*breaches(tx)] == []


def test_what_is_paid_already_is_not_paid_again(database: Database) -> None:
    stocked(database, OAK=1)
    pickup(database, P, (SKU, 1), payment={"method": "external", "reference": "voucher"})
    packs(database)
    ready(database)
    with pytest.raises(WrongFields, match=r"paid\.amount must be 0"):
        hands_over(database, Paid("till 4/17", 1800))
    assert hands_over(database)
