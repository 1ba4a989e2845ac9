"""Where goods get only with a customs declaration, none is sent: refused at the door, by the field's name."""

from typing import Any

import pytest

from activities.facts import catalogue
from tests.starter.door import ADDRESS, Api, an_order

pytestmark = pytest.mark.both_databases

HOME = an_order()["shipping"]["address"]
TORONTO = HOME | {"country": "CA", "state": "ON", "city": "Toronto", "zip": "M5V 2T6"}
BERLIN = HOME | {"country": "DE", "state": "", "city": "Berlin", "zip": "10115"}
PARIS = HOME | {"country": "FR", "state": "", "city": "Paris", "zip": "75001"}
BERN = HOME | {"country": "CH", "state": "", "city": "Bern", "zip": "3011"}


async def refused(api: Api, **changes: Any) -> list[str]:
    """The fields that say where it goes, and nothing else."""
    answer = await api.place(**changes)
    errors = answer.json().get("errors", [])
    assert (answer.status_code, all("customs" in error["message"] for error in errors)) in ((202, True), (422, True))
    return [error["field"] for error in errors]


def shipped_to(address: Any) -> Any:
    return {"price": 500, "address": address}


async def test_abroad_is_refused_by_name(api: Api) -> None:
    line = an_order()["lines"][0]
    assert await refused(api, shipping=shipped_to(TORONTO)) == ["shipping.address.country"]
    assert await refused(api, lines=[line | {"ship_to": TORONTO}]) == ["lines[0].ship_to.country"]
    lines = [line | {"sku": "NOPE"}]
    unknown = await api.place(shipping=shipped_to(TORONTO), lines=lines)
    assert [error["field"] for error in unknown.json()["errors"]] == ["lines[0].sku", "shipping.address.country"]
    assert await refused(api, shipping=shipped_to(TORONTO), lines=[line | {"ship_to": HOME}]) == []


async def test_what_any_location_serves_is_not_abroad(api: Api) -> None:
    there = ADDRESS | {"country": "DE", "state": "", "city": "Berlin", "zip": "10115"}
    with api.database.sessions.begin() as tx:
        catalogue.location_put(tx, "BER", name="BER", kind="warehouse", priority=9, warehouse="default", address=there)
    for n, address in enumerate((HOME, BERLIN, PARIS)):
        assert await refused(api, order_id=f"W-{n}", shipping=shipped_to(address)) == []
    assert await refused(api, order_id="W-9", shipping=shipped_to(BERN)) == ["shipping.address.country"]


async def test_an_address_is_not_corrected_to_another_country(api: Api) -> None:
    await api.place()
    answer = await api.client.post("/v1/orders/W-1001/shipping-address", json=TORONTO)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["country"])
