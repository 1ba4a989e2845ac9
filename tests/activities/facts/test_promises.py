"""For which day an order is promised, and what moves it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from activities import facts
from activities.facts import placing, promises
from activities.intake.delivery_times import DeliveryTimes
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from activities.ports import Rate
from infra.clock import wall_clock
from infra.database.tables import Customer, Deadline, Message, Order
from tests.activities.orders import SKU, packed, placed
from tests.fixtures_database import Database

TIMES = DeliveryTimes(1, {"*": {"*": 9, "fastest": 2}, "US": {"fastest": 4}, "DE": {"*": 6}})
ID = "P-1"


@pytest.mark.parametrize(
    ("service", "country", "days"),
    [("fastest", "US", 5), ("fastest", "DE", 7), ("cheapest", "US", 10), ("fastest", "FR", 3), ("cheapest", "FR", 10)],
)
def test_days_are_those_of_the_country_then_of_the_service(service: str, country: str, days: int) -> None:
    assert TIMES.days(service, country) == days


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_an_order_is_promised_from_the_day_it_is_where_the_customer_lives(zone: str) -> None:
    asked = AskedOrder.model_validate(example_order(ID, {SKU: 1}))
    at = datetime(2026, 11, 27, 22, 30, tzinfo=UTC)
    expected = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=10)
    assert promises.day_promised(asked, TIMES, at, zone) == expected


def test_the_farthest_destination_counts() -> None:
    order = example_order(ID, {SKU: 1}, total=4100) | {"total": 5900}
    far = order["shipping"]["address"] | {"country": "DE", "zip": "10115", "state": ""}
    order["lines"].append(order["lines"][0] | {"ship_to": far})
    order["total"] = 2 * 1800 + 500
    order["shipping"]["service"] = "fastest"
    at = datetime(2026, 11, 27, tzinfo=UTC)
    assert promises.day_promised(AskedOrder.model_validate(order), TIMES, at, "UTC") == date(2026, 12, 4)


def test_a_day_that_is_given_is_kept_as_it_is(database: Database) -> None:
    placed(database, "other", in_stock=1)
    asked = AskedOrder.model_validate(example_order(ID, {SKU: 1}) | {"promised_on": "2027-03-01"})
    with database.sessions.begin() as tx:
        placing.placed(tx, asked, order_id=ID, idempotency_key=None, times=TIMES)
    assert days(database) == (date(2027, 3, 1), date(2027, 3, 1))


def days(database: Database) -> tuple[date, date]:
    with database.sessions.begin() as tx:
        order = tx.get_one(Order, ID)
        return order.promised_on, order.first_promised_on


def due(database: Database) -> list[datetime]:
    with database.sessions.begin() as tx:
        mine = select(Deadline.at).where(Deadline.kind == "delivery_due", Deadline.done_at.is_(None))
        return list(tx.scalars(mine))


def expected(database: Database) -> list[tuple[str, str]]:
    with database.sessions.begin() as tx:
        return [(m.kind, m.data["expected"]) for m in tx.scalars(select(Message)) if "expected" in m.data]


def confirm(database: Database) -> date:
    """Placed by somebody in Auckland, and paid for."""
    placed(database, ID, in_stock=5)
    with database.sessions.begin() as tx:
        tx.get_one(Customer, f"C-{ID}").time_zone = "Pacific/Auckland"
    with database.sessions.begin() as tx:
        promises.confirmed(tx, facts.journal.locked_order(tx, ID), tx.get_one(Customer, f"C-{ID}"), first=True)
    return days(database)[0]


def midnight(day: date) -> datetime:
    after = day + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=ZoneInfo("Pacific/Auckland")).astimezone(UTC)


def test_confirmed_tells_the_day_and_it_passes_at_its_end_where_the_customer_lives(database: Database) -> None:
    day = confirm(database)
    assert expected(database) == [("confirmed", day.isoformat())]
    assert due(database) == [midnight(day)]


@pytest.mark.parametrize(("takes", "moves"), [(None, False), (1, False), (8, False), (30, True)])
def test_a_rate_moves_the_promise_later_and_never_earlier(database: Database, takes: int | None, moves: bool) -> None:
    day, now = confirm(database), wall_clock()
    fulfillment_id = packed(database, ID)
    rate = Rate(rate_id="r", carrier="usps", service="usps_priority", amount=790, currency="usd", days=takes)
    with database.sessions.begin() as tx:
        facts.labels.buying(tx, fulfillment_id, 1, rate, now)
    later = now.astimezone(ZoneInfo("Pacific/Auckland")).date() + timedelta(days=30)
    assert days(database) == (later if moves else day, day)
    assert due(database) == [midnight(later if moves else day)]
    assert expected(database)[1:] == ([("delayed", later.isoformat())] if moves else [])


def test_a_promise_that_passes_is_made_anew_and_told_once(database: Database) -> None:
    day = confirm(database)
    with database.sessions.begin() as tx:
        order = facts.journal.locked_order(tx, ID)
        early = midnight(day) - timedelta(seconds=1)
        assert promises.delivery_due(tx, order, ID, early) == midnight(day)
    anew = day + timedelta(days=1) + timedelta(days=9)
    with database.sessions.begin() as tx:
        order = facts.journal.locked_order(tx, ID)
        assert promises.delivery_due(tx, order, ID, midnight(day)) == midnight(anew)
        assert promises.delivery_due(tx, order, ID, midnight(day)) == midnight(anew)
    assert days(database) == (anew, day)
    assert expected(database)[1:] == [("delayed", anew.isoformat())]


def test_what_has_arrived_is_not_late(database: Database) -> None:
    day = confirm(database)
    with database.sessions.begin() as tx:
        order = facts.journal.locked_order(tx, ID)
        order.fulfillment_status = promises.ARRIVED[0]
        assert promises.delivery_due(tx, order, ID, midnight(day)) is None
    assert len(expected(database)) == 1


def test_units_that_wait_for_stock_move_the_order_with_them(database: Database) -> None:
    placed(database, ID, 2)
    with database.sessions.begin() as tx:
        promises.confirmed(tx, facts.journal.locked_order(tx, ID), tx.get_one(Customer, f"C-{ID}"), first=True)
    first = days(database)[0]
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, ID, wall_clock())
    comes = wall_clock().date() + timedelta(days=7)
    assert days(database) == (comes + timedelta(days=9), first)
    assert expected(database) == [("confirmed", first.isoformat()), ("backordered", comes.isoformat())]
