"""A day of sales that a till made offline, in a file: each is taken once, however often and however cut it comes."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from infra.database.tables import Order
from tests.starter.door import Api
from tests.starter.test_sales import TILL, a_sale, sell

pytestmark = pytest.mark.both_databases
PATH = f"/v1/tills/{TILL}/sales"


@pytest.fixture
async def shop(api: Api) -> Api:
    (await api.client.put(f"/v1/tills/{TILL}", json={"location": "OAK"})).raise_for_status()
    return api


def day(count: int) -> list[dict[str, Any]]:
    """As a till writes them: without channel and till."""
    sales = [a_sale(f"R-{n}", 1) for n in range(count)]
    return [{name: value for name, value in sale.items() if name not in ("channel", "till")} for sale in sales]


async def send(api: Api, content: str, **headers: str) -> Any:
    kind = {"Content-Type": "application/x-ndjson"}
    return await api.client.post(PATH, content=content.encode(), headers=kind | headers)


def orders(api: Api) -> int:
    with api.database.sessions() as tx:
        return tx.scalar(select(func.count()).select_from(Order)) or 0


async def test_a_file_is_taken_once_wherever_it_was_cut(shop: Api) -> None:
    await sell(shop, a_sale("R-3", 1))  # was taken before the line broke
    text = "\n".join(json.dumps(sale) for sale in day(12))
    seen: set[str] = set()
    for cut in (300, 1000, len(text) - 5, len(text), len(text)):
        answer = await send(shop, text[:cut])
        assert answer.status_code == 200, answer.text
        sales = answer.json()["sales"]
        assert [sale["n"] for sale in sales if sale["result"] == "refused"] in ([], [len(sales)]), "the cut one alone"
        taken = {sale["order_id"] for sale in sales if sale["result"] == "taken"}
        assert not taken & seen
        seen |= taken
    assert (answer.json()["taken"], answer.json()["known"], len(seen), orders(shop)) == (0, 12, 11, 12)


async def test_each_sale_is_answered_by_itself(shop: Api) -> None:
    good, other, bad = day(3)
    await sell(shop, a_sale("R-1", 2))
    bad["lines"][0]["sku"] = "NOPE"
    strange = good | {"order_id": "R-9", "till": "NYC-1"}
    answer = await shop.client.post(PATH, json={"sales": [bad, other, good, strange, 7, good]})
    results = [(sale["result"], [error["field"] for error in sale["errors"]]) for sale in answer.json()["sales"]]
    assert results == [
        ("refused", ["lines[0].sku"]),
        ("refused", ["order_id"]),
        ("taken", []),
        ("refused", ["till"]),
        ("refused", ["sale"]),
        ("known", []),
    ]
    assert orders(shop) == 2


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        (PATH, b"[]", 400),
        (PATH, b"{", 400),
        (PATH, b"{}", 422),
        (PATH, b'{"sales": 1}', 422),
        (PATH, b'{"sales": [], "more": 1}', 422),
        ("/v1/tills/X-1/sales", b'{"sales": []}', 404),
        (PATH, b'{"sales": []}', 200),
    ],
)
async def test_what_is_no_file_is_refused_whole(shop: Api, path: str, content: bytes, status: int) -> None:
    assert (await shop.client.post(path, content=content)).status_code == status


async def test_only_the_tills_own_keys_send_it(shop: Api) -> None:
    for key, status in (
        (shop.key("till", location="NYC"), 403),
        (shop.key("orders:write"), 403),
        (shop.key("till", till=TILL), 200),
    ):
        assert (await send(shop, json.dumps(day(1)[0]), **key)).status_code == status
