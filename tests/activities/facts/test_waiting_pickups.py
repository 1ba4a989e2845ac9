"""What waits to be picked up: reminded, extended, taken by somebody else, or given up; and who was first."""

from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from activities import facts
from activities.facts import pickups, waiting_pickups
from activities.facts.journal import locked_order
from activities.facts.requests import NothingLeft
from activities.pickup_codes import PickupCodes
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Deadline, Event, Fulfillment, Hold, LineCancellation, Message, Refund
from tests.activities.orders import SKU
from tests.activities.pickups import WINDOW, F, P, packs, pickup, ready, shelf, stocked, take
from tests.fixtures_database import Database
from tests.starter import stages

LATER = WINDOW + timedelta(seconds=1)


@pytest.fixture
def waits(database: Database) -> Database:
    """Three mugs, paid for and ready."""
    stocked(database, OAK=3)
    pickup(database, P, (SKU, 3))
    stages.authorized(database, P)
    packs(database)
    stages.captured(database, P)
    ready(database)
    return database


def time_is(database: Database, later: timedelta) -> None:
    with database.sessions.begin() as tx:
        facts.passing.passed(tx, P, wall_clock() + later)


def fulfillment(database: Database) -> Fulfillment:
    with database.sessions() as tx:
        return tx.get_one(Fulfillment, F)


def shelved(database: Database) -> bool:
    with database.sessions.begin() as tx:
        return facts.recall.recall_confirmed(tx, F, wall_clock())


def refunds(database: Database) -> list[int]:
    with database.sessions() as tx:
        return list(tx.scalars(select(Refund.amount)))


def wishes(database: Database) -> list[tuple[int, int, str]]:
    with database.sessions() as tx:
        rows = select(LineCancellation).order_by(LineCancellation.first_unit)
        return [(row.first_unit, row.quantity, row.status) for row in tx.scalars(rows)]


def mails(database: Database, kind: str) -> list[dict[str, object]]:
    with database.sessions() as tx:
        return list(tx.scalars(select(Message.data).where(Message.kind == kind).order_by(Message.message_id)))


def due(database: Database) -> dict[str, datetime]:
    with database.sessions() as tx:
        mine = select(Deadline.kind, Deadline.at).where(Deadline.subject_id == F, Deadline.done_at.is_(None))
        return dict(tx.execute(mine).all())


def test_it_is_reminded_two_days_before_and_shelved_before_the_money_goes_back(waits: Database) -> None:
    until = fulfillment(waits).pickup_until
    assert until
    assert due(waits) == {"pickup_reminder": until - timedelta(days=2), "pickup_expiry": until}
    time_is(waits, WINDOW - timedelta(days=3))
    assert mails(waits, "pickup_reminder") == []
    time_is(waits, WINDOW - timedelta(days=1))
    [reminder] = mails(waits, "pickup_reminder")
    assert reminder["code_n"] == 1
    time_is(waits, LATER)
    assert wishes(waits) == [(0, 3, "asked")]
    assert (shelf(waits), refunds(waits)) == ({"OAK": (3, 3)}, [])
    assert shelved(waits)
    assert wishes(waits) == [(0, 3, "done")]
    assert (shelf(waits), refunds(waits)) == ({"OAK": (3, 0)}, [5400])
    [over] = mails(waits, "pickup_expired")
    assert (over["items"], over["refunded"]) == ("3 × Mug", 5400)
    assert fulfillment(waits).status == "cancelled"


def test_what_was_not_taken_of_it_expires_alone(waits: Database) -> None:
    take(waits, units={SKU: 2})
    time_is(waits, LATER)
    assert wishes(waits) == [(2, 1, "asked")]
    shelved(waits)
    assert (shelf(waits), refunds(waits)) == ({"OAK": (1, 0)}, [1800])
    f = fulfillment(waits)
    assert (f.status, f.amount) == ("picked_up", 3600)
    with waits.sessions() as tx:
        assert [*breaches(tx)] == []


def test_taken_after_the_decision_and_before_the_store_answers_it_was_taken(waits: Database) -> None:
    time_is(waits, LATER)
    assert take(waits)
    assert wishes(waits) == [(0, 3, "refused")]
    assert (shelf(waits), refunds(waits)) == ({"OAK": (0, 0)}, [])
    f = fulfillment(waits)
    assert (f.status, f.recall) == ("picked_up", "refused")
    assert not shelved(waits)


def test_a_part_of_it_taken_then_is_not_given_back_and_the_rest_is(waits: Database) -> None:
    time_is(waits, LATER)
    assert take(waits, units={SKU: 2})
    assert wishes(waits) == [(0, 2, "refused"), (2, 1, "asked")]
    shelved(waits)
    assert wishes(waits) == [(0, 2, "refused"), (2, 1, "done")]
    assert (shelf(waits), refunds(waits)) == ({"OAK": (1, 0)}, [1800])
    with waits.sessions() as tx:
        assert [*breaches(tx)] == []


@pytest.mark.parametrize("first", [{}, {SKU: 2}])
def test_told_only_when_it_was_somebody_elses_again_it_is_a_persons(waits: Database, first: dict[str, int]) -> None:
    if first:
        take(waits, units=first)
    time_is(waits, LATER)
    shelved(waits)
    before = shelf(waits), refunds(waits)
    assert take(waits)
    assert (shelf(waits), refunds(waits)) == before
    with waits.sessions() as tx:
        assert tx.scalars(select(Hold.kind)).all() == ["left_though_cancelled"]


def test_it_is_extended_once_and_reminded_anew(waits: Database) -> None:
    until = fulfillment(waits).pickup_until
    assert until
    time_is(waits, WINDOW - timedelta(days=1))
    with waits.sessions.begin() as tx:
        waiting_pickups.extended(tx, F, WINDOW, wall_clock(), by="kim")
    assert due(waits) == {
        "pickup_reminder": until + WINDOW - timedelta(days=2),
        "pickup_expiry": until + WINDOW,
    }
    with waits.sessions.begin() as tx, pytest.raises(NothingLeft, match="once only"):
        waiting_pickups.extended(tx, F, WINDOW, wall_clock(), by="kim")
    time_is(waits, LATER)
    assert wishes(waits) == []
    time_is(waits, WINDOW + LATER)
    assert len(mails(waits, "pickup_reminder")) == 2
    assert wishes(waits) == [(0, 3, "asked")]
    with waits.sessions.begin() as tx, pytest.raises(NothingLeft, match="its time is over"):
        waiting_pickups.extended(tx, F, WINDOW, wall_clock(), by="kim")


def test_somebody_else_comes_with_another_code(waits: Database) -> None:
    codes = PickupCodes([SecretStr("a" * 24)])
    with waits.sessions.begin() as tx:
        waiting_pickups.person_given(tx, P, "Bo Berg", wall_clock(), by="ada")
    with waits.sessions.begin() as tx:
        assert not pickups.opens(tx, F, codes.code(F, 1), codes, wall_clock(), by="kim")
        assert pickups.opens(tx, F, codes.code(F, 2), codes, wall_clock(), by="kim")
        assert "Bo Berg" not in str(tx.scalars(select(Event.data)).all())
        assert locked_order(tx, P)
    [sent] = mails(waits, "pickup_code")
    assert sent["code_n"] == 2
    take(waits)
    with waits.sessions.begin() as tx, pytest.raises(NothingLeft, match="nothing of it"):
        waiting_pickups.person_given(tx, P, "Cy Carl", wall_clock(), by="ada")


def test_the_notice_goes_out_as_often_as_somebody_asks(waits: Database) -> None:
    for _ in range(2):
        with waits.sessions.begin() as tx:
            waiting_pickups.sent_again(tx, F, wall_clock(), by="kim")
    with waits.sessions() as tx:
        subjects = tx.scalars(select(Message.subject).where(Message.kind == "ready_for_pickup")).all()
    assert subjects == [F, f"{F}/again 1", f"{F}/again 2"]
