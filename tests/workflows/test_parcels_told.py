"""Parcels of one order that move within an hour are told in one message, and each is told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from infra.database.tables import Deadline, Message, Relay
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from infra.words import DeadlineKind
from tests.fixtures_shop import NewDatabase
from tests.shop import PACE, Shop
from tests.workflows import stories

HOUR = timedelta(hours=1)
SETTINGS = {"ORDERS_PARCELS_TOLD_WITHIN": "1h", "ORDERS_CONTINUE_AT_EVERY_WAIT": "true"}


@pytest.fixture(scope="module")
def hourly(new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl) -> Iterator[Shop]:
    with Shop(new_database("hourly"), engine_server, sandbox, settings=SETTINGS) as shop:
        sandbox.pace(PACE)
        yield shop


def packed(shop: Shop, parcels: int, *missing: str) -> str:
    """An order to several addresses, a parcel to each; and of what is not there yet."""
    asked = shop.order({shop.product(OAK=parcels): parcels} | dict.fromkeys(missing, 1))
    [line, *later], home, order = asked["lines"], asked["shipping"]["address"], str(asked["order_id"])
    streets = [home | {"street1": f"{n} Gift Rd"} for n in range(1, parcels + 1)]
    asked["lines"] = [*(line | {"quantity": 1, "ship_to": street} for street in streets), *later]
    shop.sandbox.pace(None, order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    stories.customer_hears(shop, order, "confirmed")
    shop.happened(order, "requested", parcels)
    for n in range(1, parcels + 1):
        shop.warehouse(order, n).packs()
    shop.happened(order, "released", parcels, 60)
    return order


def handed_over(shop: Shop, order: str, *parcels: int) -> None:
    """The first is told at once, the others wait."""
    first, *others = parcels
    shop.warehouse(order, first).hands_over()
    stories.customer_hears(shop, order, "partly_shipped", f"{order}-{first}")
    for n in others:
        shop.warehouse(order, n).hands_over()
    shop.until(lambda: waiting(shop, order) == {f"{order}-{n}" for n in others}, "the others to wait", order)


def waiting(shop: Shop, order: str, kinds: str = "partly_shipped shipped") -> set[str]:
    with shop.database.sessions() as tx:
        mine = (Message.order_id == order, Message.kind.in_(kinds.split()), Message.due_at.is_not(None))
        return set(tx.scalars(select(Message.subject).where(*mine)))


def letters(shop: Shop, order: str) -> list[list[tuple[str, str]]]:
    """What each of the emails told."""
    shop.until(lambda: shop.books(order)["emails"] == shop.books(order)["sms"] == claims(shop, order), "both", order)
    with shop.database.sessions() as tx:
        mine = (Message.order_id == order, Message.channel == "email", Message.claimed_as.is_not(None))
        rows = tx.scalars(select(Message).where(*mine).order_by(Message.message_id)).all()
    by_claim: dict[str | None, list[tuple[str, str]]] = {}
    for row in rows:
        by_claim.setdefault(row.claimed_as, []).append((row.kind.value, row.subject.removeprefix(order)))
    return list(by_claim.values())


def claims(shop: Shop, order: str) -> int:
    with shop.database.sessions() as tx:
        mine = (Message.order_id == order, Message.channel == "email")
        return len(set(tx.scalars(select(Message.claimed_as).where(*mine))) - {None})


def open_deadlines(shop: Shop, order: str) -> int:
    with shop.database.sessions() as tx:
        mine = (Deadline.order_id == order, Deadline.kind == DeadlineKind.PARCELS_TOLD, Deadline.done_at.is_(None))
        return len(tx.scalars(select(Deadline.deadline_id).where(*mine)).all())


def test_the_first_is_told_at_once_and_the_others_in_one_message(hourly: Shop) -> None:
    shop = hourly
    order = packed(shop, 3)
    handed_over(shop, order, 1, 2, 3)
    before = [[("confirmed", "")], [("partly_shipped", "-1")]]
    assert letters(shop, order) == before
    shop.reset(order)
    shop.pass_time(order, HOUR / 2)
    shop.pass_time(order, HOUR / 2 + timedelta(minutes=1))
    stories.customer_hears(shop, order, "shipped", f"{order}-3")
    assert letters(shop, order) == [*before, [("partly_shipped", "-2"), ("shipped", "-3")]]
    assert open_deadlines(shop, order) == 0


def test_nothing_is_told_before_the_hour_is_over(hourly: Shop) -> None:
    shop = hourly
    order = packed(shop, 3)
    handed_over(shop, order, 1, 2)
    shop.pass_time(order, HOUR / 2)
    shop.warehouse(order, 3).hands_over()
    shop.until(lambda: len(waiting(shop, order)) == 2, "both to wait", order)
    with shop.database.sessions() as tx:
        mine = select(Message.due_at).where(Message.order_id == order, Message.due_at.is_not(None))
        assert len(set(tx.scalars(mine))) == 1, "the hour counts from the first"
    assert len(letters(shop, order)) == 2
    shop.pass_time(order, HOUR / 2 + timedelta(minutes=1))
    stories.customer_hears(shop, order, "shipped", f"{order}-3")
    assert letters(shop, order)[2:] == [[("partly_shipped", "-2"), ("shipped", "-3")]]


def test_what_waits_goes_with_whatever_is_told_before(hourly: Shop) -> None:
    shop = hourly
    order = packed(shop, 3)
    handed_over(shop, order, 1, 2)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order, 3).stops()
    stories.customer_hears(shop, order, "partly_shipped", f"{order}-2")
    [together] = [letter for letter in letters(shop, order) if ("partly_shipped", "-2") in letter]
    assert "partly_cancelled" in {kind for kind, _ in together}
    assert open_deadlines(shop, order) == 0


def test_what_waits_outlives_the_other_deadlines_of_the_order(hourly: Shop) -> None:
    shop, sku = hourly, hourly.product()
    order = packed(shop, 2, sku)
    handed_over(shop, order, 1, 2)
    shop.receive("OAK", {sku: 1})
    shop.happened(order, "requested", 3)
    assert (open_deadlines(shop, order), waiting(shop, order)) == (1, {f"{order}-2"})
    shop.pass_time(order, HOUR + timedelta(minutes=1))
    stories.customer_hears(shop, order, "partly_shipped", f"{order}-2")


def test_an_order_that_has_ended_meanwhile_still_tells(hourly: Shop) -> None:
    shop = hourly
    order = packed(shop, 3)
    handed_over(shop, order, 1, 2, 3)
    numbers = [stories.tracking_number(shop, f"{order}-{n}") for n in (1, 2, 3)]
    shop.sandbox.track(numbers[0], "delivered")
    stories.customer_hears(shop, order, "delivered", f"{order}-1")
    for n in (2, 3):
        shop.sandbox.track(numbers[n - 1], "delivered")
        shop.happened(order, "delivered", n)
    assert shop.ends(order) == "completed"
    assert waiting(shop, order, "delivered") == {f"{order}-2", f"{order}-3"}
    before = letters(shop, order)
    assert before[2] == [("partly_shipped", "-2"), ("shipped", "-3"), ("delivered", "-1")]
    an_hour_passes(shop, order)
    stories.customer_hears(shop, order, "delivered", f"{order}-3")
    shop.until(lambda: stories.heard_all(shop, order), "the relay's row to be read", order)
    assert shop.ends(order) == "completed"
    assert letters(shop, order) == [*before, [("delivered", "-2"), ("delivered", "-3")]]
    assert open_deadlines(shop, order) == 0


def an_hour_passes(shop: Shop, order: str) -> None:
    """In the tables: no run waits any more."""
    with shop.database.sessions.begin() as tx:
        for row in tx.scalars(select(Message).where(Message.order_id == order)):
            row.sent_at = row.sent_at and row.sent_at - HOUR
            row.due_at = row.due_at and row.due_at - HOUR
        for deadline in tx.scalars(select(Deadline).where(Deadline.order_id == order)):
            deadline.at -= HOUR
        mine = (Relay.subject_id == order, Relay.kind == "deadline", Relay.done_at.is_(None))
        for relay in tx.scalars(select(Relay).where(*mine)):
            relay.due_at -= HOUR
