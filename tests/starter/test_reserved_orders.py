"""An order has what its checkout has set aside."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from activities import facts
from activities.facts import trimming
from activities.intake.order import AskedOrder
from infra.clock import wall_clock
from infra.database.tables import Claim, Location, Order, Reservation, StockMove
from starter.placing import place
from tests.fixtures_database import Database
from tests.starter.checkouts import ask, claimed, fields, held, mugs, reserve, time_passes, waiting
from tests.starter.door import Api, an_order

# --- an order's -------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_an_order_takes_it_over_and_reserves_only_what_is_missing(api: Api) -> None:
    await claimed(api, 3)
    moves = moved(api.database)
    answer = await api.place(**mugs(4), reservation_id="CART-1")
    assert answer.status_code == 202, answer.text
    assert held(api.database) == {(None, "W-1001"): 3}
    assert moved(api.database) == moves, "no figure has changed"
    reserve(api.database)
    assert sum(held(api.database).values()) == 4
    assert (await api.client.get("/v1/reservations/CART-1")).json()["order_id"] == "W-1001"
    assert fields(await api.client.delete("/v1/reservations/CART-1"), 409) == ["reservation_id"]
    again = await api.place(**mugs(4), reservation_id="CART-1")
    assert again.status_code == 200


async def test_what_the_order_does_not_want_goes_back(api: Api) -> None:
    lines = [{"sku": "MUG-BLUE", "quantity": 2}, {"sku": "MUG-BLUE", "quantity": 3}]
    assert (await ask(api, lines=lines)).status_code == 201
    await api.place(order_id="W-2", **mugs(1))
    reserve(api.database, "W-2")
    assert waiting(api.database) == 1
    await api.place(**mugs(1, 2), reservation_id="CART-1")
    assert held(api.database) == {(None, "W-1001"): 3, (None, "W-2"): 1}
    with api.database.sessions() as tx:
        units = select(Reservation.line_no, Reservation.quantity).where(Reservation.order_id == "W-1001")
        assert sorted(map(tuple, tx.execute(units))) == [(1, 1), (2, 2)]


async def test_only_who_made_it_uses_it_and_only_once(api: Api) -> None:
    shop_key = api.key("orders:write", channel="web")
    for name in ("CART-1", "CART-2", "CART-3"):
        answer = await ask(api, shop_key, reservation_id=name, lines=[{"sku": "MUG-BLUE", "quantity": 1}])
        assert answer.status_code == 201
    await api.client.delete("/v1/reservations/CART-2", headers=shop_key)

    async def order(number: int, name: str, key: dict[str, str] | None, **changes: Any) -> httpx.Response:
        body = an_order(order_id=f"W-{number}", reservation_id=name, **mugs(1), **changes)
        return await api.client.post("/v1/orders", json=body, headers=key)

    assert (await order(1, "CART-1", shop_key)).status_code == 202
    made_by_admin = await claimed(api, 1, reservation_id="CART-4", channel="app")
    refused = [
        await order(2, "CART-1", shop_key),  # used
        await order(2, "CART-2", shop_key),  # given up
        await order(2, "CART-3", api.key("orders:write")),  # another key's
        await order(2, made_by_admin["reservation_id"], None),  # for another channel
        await order(2, "CART-9", shop_key),  # nobody's
    ]
    assert [fields(answer, 422) for answer in refused] == [["reservation_id"]] * 5
    with api.database.sessions() as tx:
        assert tx.get(Order, "W-2") is None
    assert held(api.database) == {(None, "W-1"): 1, ("CART-3", None): 1, ("CART-4", None): 1}


@pytest.mark.both_databases
async def test_an_order_that_comes_late_has_its_units_or_hears_what_is_missing(api: Api) -> None:
    """As after a payment's confirmation on the bank's own page."""
    await claimed(api, 3)
    await claimed(api, 2, reservation_id="CART-2")
    time_passes(api.database, "CART-1", "CART-2")
    await claimed(api, 2, reservation_id="CART-3")  # frees both
    answer = await api.place(order_id="W-2", **mugs(3), reservation_id="CART-1")
    assert answer.status_code == 202
    assert held(api.database) == {("CART-3", None): 2, (None, "W-2"): 3}
    answer = await api.place(**mugs(2), reservation_id="CART-2")
    assert fields(answer, 409) == ["lines[0].quantity"]
    assert answer.json()["errors"][0]["message"] == "is more than is available, 0; the reservation has passed"
    with api.database.sessions() as tx:
        assert tx.get(Order, "W-1001") is None
        assert tx.get_one(Claim, "CART-2").order_id is None
    assert (await api.place(**mugs(2))).status_code == 202, "without it what becomes of the rest is the order's policy"


async def test_what_is_picked_up_is_set_aside_where_it_is_picked_up(api: Api) -> None:
    with api.database.sessions.begin() as tx:
        tx.get_one(Location, "NYC").pickup = True
        facts.inventory.received(tx, reference="PO-2", location_id="NYC", lines=[("MUG-BLUE", 1)])
    await claimed(api, 2)
    shipping = {"method": "pickup", "location": "NYC", "price": 500}
    short = await api.place(**mugs(2), shipping=shipping, reservation_id="CART-1")
    assert fields(short, 409) == ["lines[0].quantity"]
    assert held(api.database) == {("CART-1", None): 2}
    placed = await api.place(**mugs(1), shipping=shipping, reservation_id="CART-1")
    assert placed.status_code == 202, placed.text
    with api.database.sessions() as tx:
        [row] = tx.scalars(select(Reservation))
        assert (row.order_id, row.location_id, row.quantity) == ("W-1001", "NYC", 1)


async def test_passed_and_still_there_it_is_the_orders(api: Api) -> None:
    await claimed(api, 5)
    time_passes(api.database)
    assert (await api.place(**mugs(5), reservation_id="CART-1")).status_code == 202
    assert held(api.database) == {(None, "W-1001"): 5}


@pytest.mark.both_databases
async def test_who_dies_between_claim_and_order_has_lost_nothing(api: Api) -> None:
    """Before the commit: the claim is as it was, and the order can be sent again. After it: it is the same order."""
    await claimed(api, 2)
    with api.database.sessions() as tx:
        made_by = tx.get_one(Claim, "CART-1").made_by
        asked = AskedOrder.model_validate(an_order(reservation_id="CART-1"))
        assert place(tx, asked, placed_by=made_by).new
        tx.flush()
        tx.rollback()  # as the database does for who dies
    assert held(api.database) == {("CART-1", None): 2}
    answers = [await api.place(reservation_id="CART-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]
    assert held(api.database) == {(None, "W-1001"): 2}


async def test_what_is_over_is_forgotten_a_day_later(api: Api) -> None:
    await claimed(api, 1)
    await claimed(api, 1, reservation_id="CART-2")
    await claimed(api, 1, reservation_id="CART-3")
    await api.client.delete("/v1/reservations/CART-1")
    await api.place(**mugs(1), reservation_id="CART-2")
    time_passes(api.database, "CART-1", "CART-2", "CART-3")
    tomorrow = wall_clock() + timedelta(days=1)
    for dry_run, left in ((True, 3), (False, 1)):
        gone = [*trimming.claims_trimmed(api.database.sessions, tomorrow - trimming.CLAIMS_KEPT, dry_run=dry_run)]
        assert gone == [{"claims": 2}]
        with api.database.sessions() as tx:
            assert tx.scalar(select(func.count()).select_from(Claim)) == left, "what holds units stays"


def moved(database: Database) -> int:
    with database.sessions() as tx:
        return tx.scalar(select(func.count()).select_from(StockMove)) or 0
