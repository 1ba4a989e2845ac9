"""Orders come in over HTTP: checked whole at the door, and stored once."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import func, select

from infra.database.tables import Customer, Order, OrderLine, Payment, Relay, UnitAmount
from starter.relay import RelayWorker
from tests.starter.door import Api, an_order

pytestmark = pytest.mark.both_databases


def count(api: Api, table: Any) -> int:
    with api.database.sessions() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


async def test_an_order_is_stored_whole_and_answered(api: Api) -> None:
    answer = await api.place()
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == "/v1/orders/W-1001"
    order = answer.json()
    assert (order["status"], order["payment_status"], order["fulfillment_status"]) == ("placed", "none", "unfulfilled")
    assert order["total"] == 4410
    assert order["customer"]["email"] == "ada@example.com"
    assert order["lines"][0] | {"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800} == order["lines"][0]
    assert [entry["event"] for entry in order["timeline"]] == ["placed"]
    with api.database.sessions() as tx:
        assert sum(s.total * s.quantity for s in tx.scalars(select(UnitAmount))) == 4410
        assert [row.kind for row in tx.scalars(select(Relay))] == ["start"]


async def test_the_same_order_again_is_the_same_order(api: Api) -> None:
    first, again = await api.place(), await api.place()
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["placed_at"] == first.json()["placed_at"]
    assert count(api, Order) == count(api, Relay) == count(api, Payment) == 1


async def test_the_same_id_with_other_content_is_refused_and_tells_nothing(api: Api) -> None:
    await api.place()
    other = await api.place(lines=[{"sku": "MUG-BLUE", "quantity": 1, "unit_price": 3600}])
    assert other.status_code == 409
    assert other.json()["errors"] == [{"field": "order_id", "message": "was used for another order"}]
    assert "Ada" not in other.text


async def test_an_idempotency_key_stands_for_one_order(api: Api) -> None:
    order = an_order()
    del order["order_id"]

    async def send(key: str, body: Any = order) -> Any:
        return await api.client.post("/v1/orders", json=body, headers={"Idempotency-Key": key})

    first, again = await send("cart-1"), await send("cart-1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["order_id"] == again.json()["order_id"]
    assert (await send("cart-2")).json()["order_id"] != first.json()["order_id"]
    other = await send("cart-1", an_order(order_id="W-2"))
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "Idempotency-Key")
    assert (await send("bad key with spaces")).status_code == 422


async def test_twenty_at_once_are_one_order(api: Api) -> None:
    answers = await asyncio.gather(*(api.place() for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert count(api, Order) == count(api, OrderLine) == count(api, Relay) == 1


async def test_a_new_customers_first_orders_at_once_are_one_customer(api: Api) -> None:
    answers = await asyncio.gather(*(api.place(order_id=f"W-{n}") for n in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert (count(api, Order), count(api, Customer)) == (8, 1)


async def test_a_thousand_lines_pass(api: Api) -> None:
    lines = [
        {"sku": "MUG-BLUE", "quantity": 1, "unit_price": 100, "options": {"engraving": f"No {n}"}} for n in range(1000)
    ]
    answer = await api.place(lines=lines, total=100_000 + 500 + 310)
    assert answer.status_code == 202
    assert len(answer.json()["lines"]) == 1000


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": 4411}, "total"),
        ({"currency": "xxx"}, "currency"),
        ({"currency": "isk"}, "currency"),
        ({"currency": "kwd"}, "currency"),
        (
            {
                "discount": 1,
                "total": 4409,
                "lines": [{"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800, "tax": 999}],
            },
            "tax",
        ),
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "MUG-BLUE", "quantity": 0, "unit_price": 1}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "MUG-BLUE", "quantity": 1.5, "unit_price": 1}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "../etc", "quantity": 2, "unit_price": 1800}]}, "lines[0].sku"),
        ({"lines": [{"sku": "NOPE", "quantity": 2, "unit_price": 1800}]}, "lines[0].sku"),
        ({"order_id": "a/b"}, "order_id"),
        ({"payment": {"method": "card"}}, "payment.payment_method"),
        ({"payment": {"method": "barter"}}, "payment.method"),
        ({"customer": {"name": "Ada"}}, "customer.email"),
        ({"customer": {"name": "Ada\x00", "email": "a@example.com"}}, "customer.name"),
        ({"customer": "Ada"}, "customer"),
        ({"payment": "card"}, "payment"),
        ({"shipping": []}, "shipping"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_a_bad_order_is_refused_naming_the_field(api: Api, changes: dict[str, Any], field: str) -> None:
    answer = await api.place(**changes)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert count(api, Order) == count(api, Relay) == 0


def of(price: int, currency: str, **more: Any) -> dict[str, Any]:
    line = {"sku": "MUG-BLUE", "quantity": 1, "unit_price": price}
    shipping = an_order()["shipping"] | {"price": 0}
    return {"lines": [line], "currency": currency, "shipping": shipping, "tax": 0, "total": price} | more


@pytest.mark.parametrize(
    ("price", "currency", "taken"),
    [
        (49, "usd", False),
        (50, "usd", True),
        (99_999_999, "usd", True),
        (100_000_000, "usd", False),
        (49, "jpy", False),
        (30, "gbp", True),
        (17_499, "huf", False),
        (999_999_999_999, "idr", True),
        (1, "php", True),
        (0, "usd", True),
    ],
)
async def test_what_no_card_can_be_charged_is_refused_at_the_door(
    api: Api, price: int, currency: str, taken: bool
) -> None:
    answer = await api.place(**of(price, currency))
    assert answer.status_code == (202 if taken else 422), answer.text
    assert taken or [error["field"] for error in answer.json()["errors"]] == ["total"]


async def test_what_is_paid_elsewhere_may_be_any_amount(api: Api) -> None:
    elsewhere = {"method": "external", "reference": "till-1"}
    assert (await api.place(**of(1, "usd", payment=elsewhere))).status_code == 202


async def test_a_refusal_never_says_what_a_person_typed(api: Api) -> None:
    secret = "Grünewaldstraße 17"
    address = an_order()["shipping"]["address"] | {"street1": secret * 20, "country": secret}
    answer = await api.place(
        shipping={"price": 500, "address": address},
        customer={"name": secret * 20, "email": secret, "phone": secret, "locale": secret, "notify": [secret]},
    )
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) >= 6
    assert "newald" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"total": ' + b"9" * 5000 + b"}", b"[]", b"7"]
)
async def test_a_body_that_cannot_be_read_is_a_problem(api: Api, body: bytes) -> None:
    answer = await api.client.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_over_a_megabyte_is_refused_whatever_its_length_says(api: Api) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 65536

    announced = await api.client.post("/v1/orders", content=b" " * (1024 * 1024 + 1))
    streamed = await api.client.post("/v1/orders", content=endless())
    assert announced.status_code == streamed.status_code == 413
    assert announced.headers["content-type"] == "application/problem+json"


async def test_prefer_wait_waits_for_the_payments_outcome(api: Api) -> None:
    async def wait(prefer: str, **asked: Any) -> Any:
        return await api.client.post("/v1/orders", json=an_order(**asked), headers={"Prefer": prefer})

    paid = await wait("wait=9", order_id="P-1", payment={"method": "external", "reference": "till 4"})
    assert paid.json()["payment_status"] == "captured"
    late = await wait("respond-async, wait=1", order_id="P-2")
    assert (late.status_code, late.headers["preference-applied"]) == (202, "wait=1")
    assert "preference-applied" not in (await wait("wait=soon", order_id="P-3")).headers


async def test_lists_are_paged_and_filtered(api: Api) -> None:
    for n in range(7):
        sku = "MUG-RED" if n % 3 == 0 else "MUG-BLUE"
        lines = [{"sku": sku, "quantity": 2, "unit_price": 1800}]
        await api.place(order_id=f"L-{n}", channel="phone" if n == 5 else "web", lines=lines)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (await api.client.get("/v1/orders", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [order["order_id"] for order in page["orders"]]
        if not (cursor := page["next"]):
            break
    assert seen == [f"L-{n}" for n in reversed(range(7))]

    async def ids(**wanted: str) -> list[str]:
        answer = await api.client.get("/v1/orders", params=wanted)
        assert answer.status_code == 200, answer.text
        return [order["order_id"] for order in answer.json()["orders"]]

    assert await ids(sku="MUG-RED") == ["L-6", "L-3", "L-0"]
    assert await ids(channel="phone") == ["L-5"]
    assert await ids(status="cancelled") == []
    assert len(await ids(customer="C-7")) == 7
    placed = (await api.client.get("/v1/orders/L-3")).json()["placed_at"]
    assert await ids(placed_after=placed) == ["L-6", "L-5", "L-4"]
    assert await ids(placed_before=placed) == ["L-2", "L-1", "L-0"]
    for bad in ("x", "é", "AAAA", "MjAyNg"):
        answer = await api.client.get("/v1/orders", params={"cursor": bad})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")
    assert (await api.client.get("/v1/orders", params={"placed_after": "0001-01-01T00:00:00+14:00"})).status_code == 422


async def test_a_page_costs_the_same_queries_whatever_it_holds(api: Api) -> None:
    from sqlalchemy import event

    async def queries(path: str) -> int:
        seen: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            seen.append(statement)

        event.listen(api.database.engine, "before_cursor_execute", note)
        await api.client.get(path)
        event.remove(api.database.engine, "before_cursor_execute", note)
        return len([one for one in seen if one.lstrip().startswith("SELECT")])

    await api.place(order_id="S-1")
    relay: RelayWorker = api.app.state.dependencies.relay
    while not relay.down:  # noqa: ASYNC110 - from then on it asks the engine alone
        await asyncio.sleep(0.01)
    small = await queries("/v1/orders/S-1")
    one = await queries("/v1/orders")
    lines = [{"sku": "MUG-BLUE", "quantity": 1, "unit_price": 100} for _ in range(50)]
    for n in range(10):
        await api.place(order_id=f"B-{n}", lines=lines, total=5810)
    assert await queries("/v1/orders/B-1") == small
    assert await queries("/v1/orders") == one


async def test_what_is_named_by_its_sku_is_not_looked_for_among_references(api: Api) -> None:
    from sqlalchemy import event

    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    mug = {"name": "Mug", "weight_g": 350, "references": ["mug one", "mug two"]}
    assert (await api.client.put("/v1/products/MUG-BLUE", json=mug)).status_code == 200
    event.listen(api.database.engine, "before_cursor_execute", note)
    lines = [{"sku": name, "quantity": 1, "unit_price": 1800} for name in ("mug one", "mug two")]
    for order, looks in (({}, 0), ({"order_id": "N-2", "lines": lines}, 1)):
        seen.clear()
        assert (await api.place(**order)).status_code == 202
        assert len([one for one in seen if "product_references" in one]) == looks
    event.remove(api.database.engine, "before_cursor_execute", note)


async def test_an_order_is_unchanged_while_its_tag_is(api: Api) -> None:
    tag = (await api.place()).headers["etag"]
    unchanged = await api.client.get("/v1/orders/W-1001", headers={"If-None-Match": f'"0", {tag}'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == tag
    assert (await api.client.get("/v1/orders/W-1001", headers={"If-None-Match": '"0"'})).status_code == 200
    assert (await api.client.get("/v1/orders/nobody")).status_code == 404


async def test_logs_and_numbers_hold_no_person(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    await api.place()
    numbers = await api.client.get("/metrics")
    assert 'orders_by_status{status="placed"} 1.0' in numbers.text
    assert 'orders_http_requests_total{method="POST",route="/v1/orders",status="202"} 1.0' in numbers.text
    out, err = capfd.readouterr()
    for shown in (numbers.text, out, err, json.dumps([])):
        for person in ("Ada", "ada@", "Clayton", "94117"):
            assert person not in shown
