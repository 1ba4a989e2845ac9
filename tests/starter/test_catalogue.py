"""Customers, products, locations and stock, put and read over HTTP."""

import asyncio
from typing import Any

import pytest

from tests.starter.door import ADDRESS, Api

pytestmark = pytest.mark.both_databases

ADA = {"name": "Ada Park", "email": "ada@example.com"}


async def put(api: Api, path: str, body: Any) -> Any:
    return await api.client.put(path, json=body)


async def test_what_is_put_is_new_once(api: Api) -> None:
    location = {"name": "Reno", "warehouse": "east", "address": ADDRESS}
    for path, body in (
        ("/v1/customers/C-1", ADA | {"credit_limit": 100_000, "terms_days": 30, "time_zone": "Europe/Oslo"}),
        ("/v1/products/CUP", {"name": "Cup", "weight_g": 200}),
        ("/v1/locations/RNO", location),
    ):
        answers = await asyncio.gather(*(put(api, path, body) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201], answers[0].text


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/customers/C-1", ADA | {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("/v1/customers/C-1", ADA | {"notify": ["sms"]}, "phone"),
        ("/v1/customers/C-1", ADA | {"email": "nobody"}, "email"),
        ("/v1/customers/C-1", ADA | {"credit_limit": -1}, "credit_limit"),
        ("/v1/customers/C 1", ADA, "customer_id"),
        ("/v1/customers/guest-W-1001", ADA, "customer_id"),
        ("/v1/customers/C-1", ADA | {"phone": "415 555 0199"}, "phone"),
        ("/v1/products/CUP", {"name": "", "weight_g": 1}, "name"),
        ("/v1/products/CUP", {"name": "Cup", "weight_g": 1, "colour": "red"}, "colour"),
        ("/v1/locations/RNO", {"name": "Reno", "warehouse": "west", "address": ADDRESS}, "warehouse"),
        ("/v1/locations/RNO", {"name": "Reno", "address": {}}, "address.city"),
        ("/v1/locations/RNO", {"name": "Reno", "address": "1 Dock Rd"}, "address"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, path: str, body: Any, field: str) -> None:
    answer = await put(api, path, body)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_terms_are_the_operators_to_give(api: Api) -> None:
    shop = api.key("orders:read", "orders:write")
    terms = ADA | {"terms_days": 30}
    assert (await api.client.put("/v1/customers/C-1", json=terms, headers=shop)).status_code == 403
    assert (await api.client.put("/v1/customers/C-1", json=ADA, headers=shop)).status_code == 201
    assert (await put(api, "/v1/customers/C-1", terms)).status_code == 200
    kept = await api.client.put("/v1/customers/C-1", json=ADA, headers=shop)
    assert (kept.status_code, kept.json()["terms_days"]) == (200, 30)
    assert (await api.client.put("/v1/customers/C-1", json=terms, headers=shop)).status_code == 200
    taken = ADA | {"terms_days": None}
    assert (await api.client.put("/v1/customers/C-1", json=taken, headers=shop)).status_code == 403
    assert (await put(api, "/v1/customers/C-1", ADA)).json()["terms_days"] is None


async def test_terms_given_while_a_shop_puts_the_customer_stay(api: Api) -> None:
    shop = api.key("orders:read", "orders:write")
    await put(api, "/v1/customers/C-1", ADA)
    renamed = [api.client.put("/v1/customers/C-1", json=ADA, headers=shop) for _ in range(8)]
    answers = await asyncio.gather(*renamed[:4], put(api, "/v1/customers/C-1", ADA | {"terms_days": 30}), *renamed[4:])
    assert {answer.status_code for answer in answers} == {200}
    assert (await api.client.put("/v1/customers/C-1", json=ADA, headers=shop)).json()["terms_days"] == 30


async def test_orders_begin_with_what_is_known_of_their_customer(api: Api) -> None:
    known = {"email": "ada@example.com", "phone": "+1 415 555 0199", "locale": "de_AT", "notify": ["sms", "email"]}
    assert (await put(api, "/v1/customers/C-1", {"name": "Ada Park"} | known)).status_code == 201
    first = (await api.place(order_id="C-A", customer={"customer_id": "C-1"})).json()["customer"]
    assert first == {
        "customer_id": "C-1",
        "name": "Ada Park",
        "email": "ada@example.com",
        "phone": "+14155550199",
        "locale": "de-AT",
        "notify": ["email", "sms"],
        "unreachable": {},
    }
    own = {"customer_id": "C-1", "email": "office@example.com", "locale": "en", "notify": []}
    second = (await api.place(order_id="C-B", customer=own)).json()["customer"]
    assert second == first | {"email": "office@example.com", "locale": "en", "notify": []}
    assert (await api.place(order_id="C-C", customer={"customer_id": "C-1"})).json()["customer"] == first
    again = await api.place(order_id="C-A", customer={"customer_id": "C-1"})
    assert again.status_code == 200


async def test_a_customer_whom_nobody_knows_must_be_told_of(api: Api) -> None:
    for customer, field in (
        ({"customer_id": "C-9"}, "customer.name"),
        ({"customer_id": "C-9", "name": "Ada"}, "customer.email"),
        ({"customer_id": "C-9", "name": "Ada", "email": "ada@example.com", "notify": ["sms"]}, "customer.phone"),
    ):
        answer = await api.place(customer=customer)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert (await api.place(customer={"customer_id": "C-9", "name": "Ada", "notify": []})).status_code == 202


async def test_guests_and_orders_without_ids_have_names_of_their_own(api: Api) -> None:
    order = (await api.place(order_id=None, customer=ADA)).json()
    assert order["order_id"].startswith("ord_")
    assert order["customer"]["customer_id"] == f"guest-{order['order_id']}"
    reserved = ADA | {"customer_id": "guest-W-1001"}
    answer = await api.place(customer=reserved)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "customer.customer_id")


def delivery(reference: str = "PO-1", **changes: Any) -> dict[str, Any]:
    return {"reference": reference, "location": "OAK", "lines": [{"sku": "MUG-RED", "quantity": 40}]} | changes


async def test_a_restock_counts_once(api: Api) -> None:
    answers = await asyncio.gather(*(api.client.post("/v1/restocks", json=delivery()) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    (found,) = (await api.client.get("/v1/stock", params={"sku": "MUG-RED"})).json()["stock"]
    assert (found["on_hand"], found["available"], found["waiting"]) == (40, 40, 0)
    assert found["locations"] == [{"location": "OAK", "on_hand": 40, "reserved": 0, "blocked": 0, "available": 40}]
    other = await api.client.post("/v1/restocks", json=delivery(lines=[{"sku": "MUG-RED", "quantity": 1}]))
    assert other.status_code == 409
    vague = await api.client.post("/v1/restocks", json=delivery("PO-2", received_at="2026-11-02T09:00:00"))
    assert (vague.status_code, vague.json()["errors"][0]["field"]) == (422, "received_at")


async def test_a_delivery_is_the_same_however_its_lines_are_written(api: Api) -> None:
    red, blue = {"sku": "MUG-RED", "quantity": 4}, {"sku": "MUG-BLUE", "quantity": 2}
    half = {"sku": "MUG-RED", "quantity": 2}
    for lines, status in (([red, blue], 201), ([blue, red], 200), ([half, blue, half], 200), ([red], 409)):
        answer = await api.client.post("/v1/restocks", json=delivery("PO/17 #2", lines=lines))
        assert answer.status_code == status, answer.text
    assert "PO/17" not in answer.text


TASSE = "Tasse rot, groß"


async def test_a_product_is_found_by_what_other_systems_call_it(api: Api) -> None:
    cup = {"name": "Cup", "weight_g": 200, "references": [TASSE, "4006381/33"]}
    assert (await put(api, "/v1/products/CUP", cup)).status_code == 201
    lines = [{"sku": TASSE, "quantity": 3}, {"sku": "CUP", "quantity": 2}]
    assert (await api.client.post("/v1/restocks", json=delivery(lines=lines))).status_code == 201
    again = delivery(lines=[{"sku": "CUP", "quantity": 5}])
    assert (await api.client.post("/v1/restocks", json=again)).status_code == 200
    (found,) = (await api.client.get("/v1/stock", params={"sku": "4006381/33"})).json()["stock"]
    assert (found["sku"], found["on_hand"]) == ("CUP", 5)
    lines = [{"sku": TASSE, "quantity": 2, "unit_price": 1800}, {"sku": "MUG-RED", "quantity": 1, "unit_price": 0}]
    order = await api.place(reference="#1001/A", lines=lines)
    assert (order.status_code, [line["sku"] for line in order.json()["lines"]]) == (202, ["CUP", "MUG-RED"])
    assert (await api.place(reference="#1001/A", lines=lines)).status_code == 200
    assert (await api.place(reference="#1001/B", lines=lines)).status_code == 409


async def test_a_reference_means_one_product(api: Api) -> None:
    async def named(sku: str, *references: str) -> list[str]:
        answer = await put(api, f"/v1/products/{sku}", {"name": "Cup", "weight_g": 1, "references": references})
        return [error["field"] for error in answer.json().get("errors", [])]

    assert await named("CUP", TASSE, "CUP", TASSE) == []
    assert await named("CUP-2", "cup two", TASSE) == ["references[1]"]
    assert await named("CUP-2", "MUG-RED") == ["references[0]"]
    assert await named("CUP", "CUP-2") == []
    assert await named("CUP-2", "cup two") == ["sku"]
    assert await named("CUP") == []
    assert await named("CUP-2", TASSE) == []
    answers = await asyncio.gather(*(named(f"CUP-{n}", "the same") for n in range(3, 9)))
    assert sorted(answers) == [[]] + [["references[0]"]] * 5


async def test_orders_are_found_by_another_systems_number(api: Api) -> None:
    for order_id, reference in (("R-1", "#1001/A"), ("R-2", None), ("R-3", "#1001/A")):
        order = await api.place(order_id=order_id, reference=reference)
        assert order.json()["reference"] == reference
    found = (await api.client.get("/v1/orders", params={"reference": "#1001/A"})).json()["orders"]
    assert [(order["order_id"], order["reference"]) for order in found] == [("R-3", "#1001/A"), ("R-1", "#1001/A")]
    assert found[0]["version"] == (await api.client.get("/v1/orders/R-3")).json()["version"]


async def test_a_restock_of_the_unknown_names_it(api: Api) -> None:
    lines = [{"sku": "MUG-RED", "quantity": 1}, {"sku": "NOPE", "quantity": 1}]
    answer = await api.client.post("/v1/restocks", json=delivery(location="MOON", lines=lines))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["location", "lines[1].sku"]
    many = [{"sku": "MUG-RED", "quantity": 1_000_000}] * 2_000
    answer = await api.client.post("/v1/restocks", json=delivery(lines=[*many[:1999], *many[:1]]))
    assert answer.status_code == 201
    answer = await api.client.post("/v1/restocks", json=delivery("PO-2"))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "lines[0].quantity")


async def test_stock_of_several_skus(api: Api) -> None:
    answer = await api.client.get("/v1/stock", params={"sku": ["MUG-RED", "MUG-BLUE"]})
    assert [(one["sku"], one["on_hand"]) for one in answer.json()["stock"]] == [("MUG-RED", 0), ("MUG-BLUE", 5)]
    assert (await api.client.get("/v1/stock", params={"sku": "NOPE"})).status_code == 404
    all_of_them = (await api.client.get("/v1/stock")).json()["stock"]
    assert [one["sku"] for one in all_of_them] == sorted(one["sku"] for one in all_of_them)
    assert {"MUG-RED", "MUG-BLUE"} <= {one["sku"] for one in all_of_them}
