"""A key that is bound to a place sees and acts there, and nowhere else."""

from typing import Any

import pytest

from starter import keys
from tests.starter.door import ADDRESS, Api

DELIVERY: dict[str, Any] = {"reference": "PO-1", "lines": [{"sku": "MUG-BLUE", "quantity": 3}]}


async def test_goods_arrive_at_its_own_place_alone(api: Api) -> None:
    nyc = api.key("stock:write", location="NYC")
    refused = await api.client.post("/v1/restocks", json=DELIVERY | {"location": "OAK"}, headers=nyc)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (403, "location")
    assert "NYC" in refused.json()["detail"]
    taken = await api.client.post("/v1/restocks", json=DELIVERY | {"location": "NYC"}, headers=nyc)
    assert taken.status_code == 201
    for header, places in ((nyc, {"NYC": 3}), ({}, {"OAK": 5, "NYC": 3})):
        [mugs] = (await api.client.get("/v1/stock?sku=MUG-BLUE", headers=header)).json()["stock"]
        assert {shelf["location"]: shelf["on_hand"] for shelf in mugs["locations"]} == places
        assert mugs["on_hand"] == sum(places.values())


async def test_it_puts_no_other_place_and_no_product(api: Api) -> None:
    nyc = api.key("stock:write", location="NYC")
    place = {"name": "New name", "address": ADDRESS, "warehouse": "east"}
    for path, body, status in (
        ("locations/OAK", place, 403),
        ("locations/NEW", place, 403),
        ("products/MUG-BLUE", {"name": "Cup", "weight_g": 1}, 403),
        ("locations/NYC", place, 200),
    ):
        answer = await api.client.put(f"/v1/{path}", json=body, headers=nyc)
        assert answer.status_code == status, answer.text
        assert status == 200 or "NYC" in answer.json()["detail"]


@pytest.mark.parametrize("scope", [scope for scope in keys.SCOPES if scope not in keys.OF_A_PLACE])
def test_no_key_of_a_place_may_do_what_is_of_none(api: Api, scope: keys.Scope) -> None:
    with pytest.raises(keys.NotOfAPlace, match=scope):
        api.key(scope, "store", location="NYC")


async def test_a_till_stands_at_one_location_and_only_its_own_keys_move_it(api: Api) -> None:
    async def put(till: str, location: str, header: dict[str, str]) -> int:
        answer = await api.client.put(f"/v1/tills/{till}", json={"location": location}, headers=header)
        return answer.status_code

    nyc = api.key("stock:write", location="NYC")
    assert await put("T-1", "NOWHERE", {}) == 422
    assert [await put("T-1", "OAK", {}), await put("T-1", "OAK", {})] == [201, 200]
    assert [await put("T-1", "NYC", nyc), await put("T-2", "OAK", nyc), await put("T-2", "NYC", nyc)] == [403, 403, 201]


@pytest.mark.parametrize("scope", [scope for scope in keys.SCOPES if scope not in keys.OF_A_TILL])
async def test_no_key_of_a_till_may_do_more_and_no_other_key_sells(api: Api, scope: keys.Scope) -> None:
    await api.client.put("/v1/tills/T-1", json={"location": "OAK"})
    with pytest.raises(keys.NotOfAPlace, match=scope):
        api.key("till", scope, till="T-1")
    with pytest.raises(keys.NotOfAPlace, match="till"):
        api.key("till", scope)
