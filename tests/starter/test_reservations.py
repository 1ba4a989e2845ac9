"""A checkout sets units aside over HTTP, and they go back."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client

from activities import facts
from infra.database.tables import Claim, Relay
from infra.settings import Settings
from starter.sweeping import sweep
from tests.fixtures_database import Database
from tests.starter.checkouts import ask, claimed, fields, held, reserve, time_passes, waiting
from tests.starter.door import Api, running

# --- set aside --------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_units_are_set_aside_once_until_a_time(api: Api) -> None:
    first, again = await ask(api), await ask(api)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == (await api.client.get(first.headers["location"])).json()
    left = first.json()
    assert (left["status"], left["lines"][0]["held"]) == ("held", [{"location": "OAK", "quantity": 2}])
    [mugs] = (await api.client.get("/v1/stock?sku=MUG-BLUE")).json()["stock"]
    assert (mugs["reserved"], mugs["available"]) == (2, 3)
    assert held(api.database) == {("CART-1", None): 2}


async def test_the_same_name_for_something_else_is_refused(api: Api) -> None:
    others = api.key("orders:write")
    await ask(api)
    for answer in (await ask(api, lines=[{"sku": "MUG-BLUE", "quantity": 1}]), await ask(api, others)):
        assert fields(answer, 409) == ["reservation_id"]
    key = {"Idempotency-Key": "cart-7"}
    made = [await ask(api, key, reservation_id=None) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 200]
    assert made[0].json() == made[1].json()
    assert fields(await ask(api, key, reservation_id="CART-2"), 409) == ["Idempotency-Key"]
    of_others = await ask(api, others | key, reservation_id=None, lines=[{"sku": "MUG-BLUE", "quantity": 1}])
    assert of_others.status_code == 201, "each API key has its own"


async def test_what_is_short_is_refused_with_what_there_is_and_nothing_is_half_set_aside(api: Api) -> None:
    lines = [{"sku": "MUG-BLUE", "quantity": 4}, {"sku": "MUG-RED", "quantity": 1}, {"sku": "MUG-BLUE", "quantity": 3}]
    answer = await ask(api, lines=lines)
    assert fields(answer, 409) == ["lines[1].quantity", "lines[2].quantity"]
    assert [error["message"] for error in answer.json()["errors"]] == [
        "is more than is available, 0",
        "is more than is available, 1",
    ]
    assert fields(await ask(api, location="NYC"), 409) == ["lines[0].quantity"]
    assert held(api.database) == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": [{"sku": "TEAPOT", "quantity": 1}]}, "lines[0].sku"),
        ({"lines": [{"sku": "MUG-BLUE", "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "MUG-BLUE", "quantity": 10_001}]}, "lines"),
        ({"location": "MOON"}, "location"),
        ({"reservation_id": "res_1"}, "reservation_id"),
    ],
)
async def test_wrong_fields_are_named(api: Api, changes: dict[str, Any], field: str) -> None:
    assert fields(await ask(api, **changes), 422) == [field]


async def test_a_key_has_so_many_at_once(api: Api) -> None:
    settings = api.app.state.dependencies.settings
    few = settings.model_copy(update={"orders_reservations": 2, "orders_reserved_units": 4})
    api.app.state.dependencies.settings = few
    await claimed(api, 2)
    too_many = await ask(api, reservation_id="CART-2", lines=[{"sku": "MUG-BLUE", "quantity": 3}])
    assert (too_many.status_code, too_many.json()["detail"]) == (
        429,
        "this API key has 2 units in reservations, and may have 4 at once",
    )
    await claimed(api, 1, reservation_id="CART-2")
    too_many = await ask(api, reservation_id="CART-3", lines=[{"sku": "MUG-BLUE", "quantity": 1}])
    assert (too_many.status_code, too_many.json()["detail"]) == (
        429,
        "this API key has 2 reservations, and may have 2 at once",
    )
    assert (await ask(api, api.key("orders:write"), reservation_id="CART-4")).status_code == 201, (
        "others have their own"
    )
    time_passes(api.database)
    await claimed(api, 1, reservation_id="CART-3")


async def test_it_is_renewed_until_its_time_has_passed(api: Api) -> None:
    before = await claimed(api, 2)
    renewed = await api.client.post("/v1/reservations/CART-1/renew")
    assert renewed.status_code == 200
    assert renewed.json()["expires_at"] > before["expires_at"]
    time_passes(api.database)
    assert (await api.client.get("/v1/reservations/CART-1")).json()["status"] == "expired"
    assert fields(await api.client.post("/v1/reservations/CART-1/renew"), 409) == ["reservation_id"]


async def test_it_is_its_keys_own(api: Api) -> None:
    await claimed(api, 2)
    others = api.key("orders:write")
    for method, path in (("GET", ""), ("POST", "/renew"), ("DELETE", "")):
        answer = await api.client.request(method, f"/v1/reservations/CART-1{path}", headers=others)
        assert answer.status_code == 404
    assert (await ask(api, api.key("orders:write", channel="app"))).status_code == 403


# --- given back -------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_given_up_it_serves_who_waits(api: Api) -> None:
    await claimed(api, 5)
    await api.place()
    reserve(api.database)
    assert waiting(api.database) == 2
    for _ in range(2):
        answer = await api.client.delete("/v1/reservations/CART-1")
        assert (answer.status_code, answer.json()["status"]) == (200, "released")
    assert held(api.database) == {(None, "W-1001"): 2}
    assert waiting(api.database) == 0


async def test_who_finds_too_little_frees_what_has_passed(api: Api) -> None:
    """Of its own product alone, whose lock it has: the rest is the sweeper's."""
    with api.database.sessions.begin() as tx:
        facts.inventory.received(tx, reference="PO-2", location_id="NYC", lines=[("MUG-RED", 1)])
    both = [{"sku": "MUG-BLUE", "quantity": 5}, {"sku": "MUG-RED", "quantity": 1}]
    assert (await ask(api, lines=both)).status_code == 201
    assert fields(await ask(api, reservation_id="CART-2"), 409) == ["lines[0].quantity"]
    time_passes(api.database)
    await api.place()
    reserve(api.database)
    assert held(api.database) == {("CART-1", None): 1, (None, "W-1001"): 2}
    await claimed(api, 3, reservation_id="CART-2")
    sweep(api.app.state.dependencies)
    assert held(api.database) == {("CART-2", None): 3, (None, "W-1001"): 2}


@pytest.mark.both_databases
async def test_what_has_passed_serves_a_backorder_though_nobody_asks(
    settings: Settings, shop: Database, engine_away: Client
) -> None:
    async with running(settings, shop, engine_away) as api:
        await claimed(api, 5)
        await api.place()
        reserve(shop)
        assert waiting(shop) == 2
    time_passes(shop)
    async with running(settings, shop, engine_away, name="next"):  # looks at once
        while waiting(shop):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert held(shop) == {(None, "W-1001"): 2}
    with shop.sessions() as tx:
        assert "restocked" in tx.scalars(select(Relay.kind).where(Relay.subject_id == "W-1001")).all()
        assert tx.get_one(Claim, "CART-1").status == "expired"
