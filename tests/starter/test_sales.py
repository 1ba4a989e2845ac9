"""What tills sell: a fact, taken once, whatever stock says."""

import random
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from activities import facts
from activities.facts import inventory
from activities.intake.order import AskedOrder
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import (
    Backorder,
    Contact,
    Customer,
    Message,
    MoneyMove,
    Order,
    Relay,
    Reservation,
    Stock,
    StockMove,
)
from starter.placing import place
from starter.transactions import written
from tests.starter.door import Api, an_order

ONE_MUG: dict[str, Any] = {"lines": [{"sku": "MUG-BLUE", "quantity": 1, "unit_price": 1800}], "total": 2610}
pytestmark = pytest.mark.both_databases
TILL, CASH = "OAK-1", {"method": "external", "reference": "drawer", "kind": "cash"}


def a_sale(order_id: str = "R-1", quantity: int = 2, **changes: Any) -> dict[str, Any]:
    """Blue mugs at 18.00 in cash, carried away."""
    return {
        "order_id": order_id,
        "channel": "pos",
        "till": TILL,
        "shift": "morning",
        "sold_at": "2026-11-27T10:00:00+01:00",
        "currency": "usd",
        "lines": [{"sku": "MUG-BLUE", "quantity": quantity, "unit_price": 1800}],
        "total": 1800 * quantity,
        "payment": CASH,
    } | changes


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Api]:
    """With a till in Oakland."""
    (await api.client.put(f"/v1/tills/{TILL}", json={"location": "OAK"})).raise_for_status()
    yield api
    with api.database.sessions() as tx:
        assert list(breaches(tx)) == []


async def sell(api: Api, body: dict[str, Any], **headers: str) -> Any:
    return await api.client.post("/v1/orders", json=body, headers=headers)


def count(api: Api, table: Any) -> int:
    with api.database.sessions() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


def shelf(api: Api, sku: str = "MUG-BLUE", place: str = "OAK") -> tuple[int, int, int]:
    with api.database.sessions() as tx:
        row = tx.get_one(Stock, (sku, place))
        return row.on_hand, row.reserved, row.blocked


async def test_a_walk_in_sale_is_done_when_it_is_answered(shop: Api) -> None:
    answer = await sell(shop, a_sale())
    assert answer.status_code == 202, answer.text
    order = answer.json()
    states = [order[f"{kind}status"] for kind in ("", "payment_", "fulfillment_")]
    assert states == ["completed", "captured", "delivered"]
    assert (order["customer"], order["placed_at"][:16]) == (None, "2026-11-27T09:00")
    assert order["sale"] | {"till": TILL, "location": "OAK", "shift": "morning"} == order["sale"]
    [fulfillment] = order["fulfillments"]
    assert (fulfillment["method"], fulfillment["status"], fulfillment["destination"]) == ("counter", "picked_up", None)
    assert shelf(shop) == (3, 0, 0)
    assert [count(shop, table) for table in (Contact, Customer, Message, Relay)] == [0, 0, 0, 0], "nothing is due"
    with shop.database.sessions() as tx:
        [move] = tx.scalars(select(StockMove).where(StockMove.kind == "sold"))
        assert (move.on_hand, move.reference, move.occurred_at.isoformat()) == (-2, "R-1", "2026-11-27T09:00:00+00:00")
        [money] = tx.scalars(select(MoneyMove))
        assert (money.kind, money.amount, money.charge_id, money.payment_id) == ("captured", 3600, "R-1-c1", None)


async def test_the_same_id_is_the_same_sale_whatever_happened_to_its_answer(shop: Api) -> None:
    answers = [await sell(shop, a_sale()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 200, 200]
    assert shelf(shop) == (3, 0, 0)
    other = await sell(shop, a_sale(quantity=1))
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "order_id")


async def test_a_hundred_sales_are_a_hundred_however_often_two_tills_send_them(shop: Api) -> None:
    """Each ten times, in any order, by two tills with four connections each, as after answers that were lost."""
    await shop.client.put("/v1/tills/OAK-2", json={"location": "OAK"})
    tills = ("OAK-1", "OAK-2")
    sales = [AskedOrder.model_validate(a_sale(f"R-{n}", 1, till=tills[n % 2])) for n in range(100)]
    posts = sales * 10
    random.Random(7).shuffle(posts)
    places = [lambda tx, sale=sale: place(tx, sale).new for sale in posts]
    with ThreadPoolExecutor(8) as connections:
        new = list(connections.map(lambda work: written(shop.database.sessions, work), places))
    assert (sum(new), count(shop, Order), count(shop, MoneyMove)) == (100, 100, 100)
    assert shelf(shop) == (0, 0, 0)
    with shop.database.sessions() as tx:
        moves = tx.execute(select(StockMove.kind, func.sum(StockMove.on_hand)).group_by(StockMove.kind)).all()
        assert dict(moves) == {"received": 5, "found": 95, "sold": -100}, "never refused for stock"


async def test_sixty_four_buyers_and_a_till_meet_at_one_shelf(shop: Api) -> None:
    """Of five mugs: whatever the till takes, each buyer's is reserved, displaced or waited for, and none deadlocks."""
    buyers = [AskedOrder.model_validate(an_order(order_id=f"W-{n}", **ONE_MUG)) for n in range(64)]
    sales = [AskedOrder.model_validate(a_sale(f"R-{n}", 1)) for n in range(8)]
    with shop.database.sessions.begin() as tx:
        for order in buyers:
            place(tx, order)
    work = [*buyers, *sales]
    random.Random(7).shuffle(work)

    def once(asked: AskedOrder) -> None:
        with shop.database.sessions.begin() as tx:
            if asked.till:
                place(tx, asked)
            else:
                facts.reserving.reserved(tx, str(asked.order_id), wall_clock())

    with ThreadPoolExecutor(16) as at_once:
        list(at_once.map(once, work))
    with shop.database.sessions() as tx:
        rows = select(Reservation.status, func.sum(Reservation.quantity)).group_by(Reservation.status)
        units = {str(status): int(count) for status, count in tx.execute(rows)}
        waiting = int(tx.scalar(select(func.sum(Backorder.quantity))) or 0)
    assert units["consumed"] == 8
    assert units.get("held", 0) + units.get("displaced", 0) + waiting == 64
    on_hand, reserved, _ = shelf(shop)
    assert reserved == units.get("held", 0) <= on_hand


async def test_what_is_not_for_sale_is_sold_all_the_same(shop: Api) -> None:
    with shop.database.sessions.begin() as tx:
        inventory.block(tx, "doubt", {("MUG-BLUE", "OAK"): 4})
    assert (await sell(shop, a_sale(quantity=3))).status_code == 202
    assert shelf(shop) == (2, 0, 2)
    never_there = a_sale("R-2", 1, lines=[{"sku": "MUG-RED", "quantity": 1, "unit_price": 1800}])
    assert (await sell(shop, never_there)).status_code == 202
    assert shelf(shop, "MUG-RED") == (0, 0, 0)


async def test_a_mixed_sale_leaves_what_is_sent_to_its_workflow(shop: Api) -> None:
    address = {"name": "Ada", "street1": "215 Clayton St", "city": "San Francisco", "state": "CA", "zip": "94117"}
    body = a_sale(
        lines=[
            {"sku": "MUG-BLUE", "quantity": 1, "unit_price": 1800},
            {"sku": "MUG-RED", "quantity": 1, "unit_price": 1800, "way": "ship"},
        ],
        shipping={"price": 500, "address": address | {"country": "US"}},
        customer={"name": "Ada", "email": "ada@example.com"},
        total=4100,
    )
    order = (await sell(shop, body)).json()
    assert (order["status"], order["fulfillment_status"]) == ("processing", "partial")
    assert [f["method"] for f in order["fulfillments"]] == ["counter"]
    assert [message["kind"] for message in order["messages"]] == ["confirmed"]
    with shop.database.sessions() as tx:
        assert [row.kind for row in tx.scalars(select(Relay))] == ["start"]


SHIP = {"price": 0, "address": {"name": "A", "street1": "1 B St", "city": "Oakland", "zip": "94607", "state": "CA"}}
SHIP["address"]["country"] = "US"  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_id": None}, "order_id"),
        ({"till": None}, "till"),
        ({"sold_at": None}, "sold_at"),
        ({"till": "NOWHERE-1"}, "till"),
        ({"location": "NYC"}, "location"),
        ({"channel": "web"}, "till"),
        ({"lines": [{"sku": "NOPE", "quantity": 2, "unit_price": 1800}]}, "lines[0].sku"),
        ({"lines": [{"sku": "MUG-BLUE", "quantity": -2, "unit_price": 1800}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800, "way": "ship"}]}, "lines[0].way"),
        ({"payment": {"method": "card", "payment_method": "pm_card_visa"}}, "payment.method"),
        ({"payment": {"method": "external", "reference": "r", "kind": "shells"}}, "payment.kind"),
        ({"shipping": SHIP}, "shipping"),
        ({"total": 1}, "total"),
    ],
)
async def test_a_sale_that_cannot_be_one_is_refused_by_field(shop: Api, changes: dict[str, Any], field: str) -> None:
    answer = await sell(shop, a_sale(**changes))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert (count(shop, Order), shelf(shop)) == (0, (5, 0, 0))


async def test_no_other_key_sells_at_a_till(shop: Api) -> None:
    await shop.client.put("/v1/tills/NYC-1", json={"location": "NYC"})
    for key, field in (
        (shop.key("till", till="NYC-1"), "till"),
        (shop.key("till", location="NYC"), "till"),
        (shop.key("orders:write"), "channel"),
    ):
        answer = await sell(shop, a_sale(), **key)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, field)
    assert count(shop, Order) == 0
    assert (await sell(shop, a_sale(), **shop.key("till", till=TILL))).json() == {"order_id": "R-1", "version": 2}
