"""Goods come back over the counter: the money goes as it came, or pays for what is taken instead."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from activities import facts
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Hold, MoneyMove, Order, Payment, Refund, Relay, Stock
from infra.words import AuthorizationStatus, MoneyMoveKind
from tests.activities.orders import BOX
from tests.starter.door import Api
from tests.starter.test_sales import CASH, TILL, a_sale, sell
from tests.starter.test_till_files import PATH

pytestmark = pytest.mark.both_databases
DAY, LATER = "2026-11-27T18:00:00+01:00", "2026-11-28T00:30:00+01:00"


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Api]:
    """Tills in Oakland and New York."""
    for till, place in ((TILL, "OAK"), ("NYC-1", "NYC")):
        (await api.client.put(f"/v1/tills/{till}", json={"location": place})).raise_for_status()
    yield api
    with api.database.sessions() as tx:
        assert list(breaches(tx)) == []


async def bring(api: Api, order_id: str = "R-1", return_id: str = "B-1", quantity: int = 1, **changes: Any) -> Any:
    body = {"return_id": return_id, "till": TILL, "received_at": LATER, "lines": [{"line": 1, "quantity": quantity}]}
    headers = changes.pop("headers", {})
    body = {name: value for name, value in (body | changes).items() if value is not None}
    return await api.client.post(f"/v1/orders/{order_id}/returns", json=body, headers=headers)


def shelf(api: Api, place: str = "OAK", sku: str = "MUG-BLUE") -> tuple[int, int, int]:
    with api.database.sessions() as tx:
        row = tx.get(Stock, (sku, place))
        return (row.on_hand, row.reserved, row.blocked) if row else (0, 0, 0)


def sums(api: Api, order_id: str) -> dict[str, int]:
    with api.database.sessions() as tx:
        moves: dict[str, int] = {}
        for move in tx.scalars(select(MoneyMove).where(MoneyMove.order_id == order_id)):
            moves[move.kind] = moves.get(move.kind, 0) + move.amount
        return moves


async def shipped(api: Api, order_id: str = "W-1001") -> None:
    """Two mugs, paid by card and handed over to the carrier."""
    (await api.place()).raise_for_status()
    with api.database.sessions.begin() as tx:
        now = wall_clock()
        payment = tx.scalars(select(Payment)).one()
        facts.reserving.reserved(tx, order_id, now)
        facts.fulfillments.requested(tx, f"{order_id}-1", now)
        facts.packing.packed(tx, f"{order_id}-1", [BOX], now)
        order = tx.get_one(Order, order_id)
        payment.status, payment.intent = AuthorizationStatus.CAPTURED, "pi_1"
        units = facts.charges.asked(tx, order, f"{order_id}-1", facts.bill.bill(tx, order), now)
        assert units
        for kind, charge in ((MoneyMoveKind.AUTHORIZED, None), (MoneyMoveKind.CAPTURED, units.charge_id)):
            facts.moves.moved(tx, order, payment.payment_id, kind, units.amount, kind, now, charge)
        facts.charges.paid(tx, order, units, facts.fulfillments.locked(tx, f"{order_id}-1")[1], units.amount, now)
        facts.handing_over.released(tx, f"{order_id}-1", now)
        facts.handing_over.handed_over(tx, f"{order_id}-1", now)


async def test_cash_goes_back_as_cash_and_nothing_is_left_to_do(shop: Api) -> None:
    await sell(shop, a_sale())
    answer = await bring(shop)
    assert answer.status_code == 201, answer.text
    back = answer.json()["returned"]
    assert [(r["amount"], r["status"], r["by_hand"]) for r in back["refunds"]] == [(1800, "succeeded", True)]
    assert shelf(shop) == (4, 0, 0)
    order = (await shop.client.get("/v1/orders/R-1")).json()
    assert (order["status"], order["payment_status"]) == ("completed", "partially_refunded")
    assert order["returns"] == [back]
    with shop.database.sessions() as tx:
        assert [tx.scalars(select(table)).all() for table in (Relay, Hold)] == [[], []]


async def test_the_same_return_is_booked_once_and_no_unit_comes_back_twice(shop: Api) -> None:
    await sell(shop, a_sale())
    answers = [await bring(shop) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert answers[0].json() == answers[2].json()
    assert (shelf(shop), sums(shop, "R-1")) == ((4, 0, 0), {"captured": 3600, "refunded": 1800})
    other = await bring(shop, quantity=2)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "return_id")
    more = await bring(shop, return_id="B-2", quantity=2)
    assert (more.status_code, more.json()["errors"][0]["field"]) == (422, "lines[0].quantity")
    assert (await bring(shop, return_id="B-2")).status_code == 201
    order = (await shop.client.get("/v1/orders/R-1")).json()
    assert (order["payment_status"], order["fulfillment_status"]) == ("refunded", "returned")


async def test_what_is_damaged_is_not_for_sale_and_what_is_not_serves_who_waits(shop: Api) -> None:
    await sell(shop, a_sale(quantity=3))
    await shop.place(order_id="W-1", lines=[{"sku": "MUG-BLUE", "quantity": 3, "unit_price": 1800}], total=6210)
    with shop.database.sessions.begin() as tx:
        facts.reserving.reserved(tx, "W-1", wall_clock())
    lines = [{"line": 1, "quantity": 1, "condition": "damaged"}, {"line": 1, "quantity": 2}]
    assert (await bring(shop, lines=lines)).status_code == 201
    assert shelf(shop) == (5, 3, 1), "the one that waited has its mug"


async def test_what_was_sent_comes_back_at_another_location_to_the_card_that_paid(shop: Api) -> None:
    await shipped(shop)
    refused = await bring(shop, "W-1001", refund="cash", till="NYC-1")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "refund")
    assert (shelf(shop, "NYC"), sums(shop, "W-1001")) == ((0, 0, 0), {"authorized": 4410, "captured": 4410})
    answer = await bring(shop, "W-1001", till="NYC-1", headers=shop.key("till", location="NYC"))
    assert answer.status_code == 201, answer.text
    [refund] = answer.json()["returned"]["refunds"]
    assert (refund["amount"], refund["status"], refund["by_hand"]) == (2205, "asked", False)
    assert (shelf(shop), shelf(shop, "NYC")) == ((3, 0, 0), (1, 0, 0))


async def test_a_till_undoes_its_sale_on_its_day(shop: Api) -> None:
    await sell(shop, a_sale(payment={"method": "external", "reference": "slip 7", "kind": "terminal"}))
    void: dict[str, Any] = {"void": True, "lines": None, "received_at": DAY}
    for changes, field in (({"received_at": LATER}, "void"), ({"till": "NYC-1"}, "void"), ({"lines": []}, None)):
        answer = await bring(shop, **void | changes)
        assert (answer.status_code, field) in ((422, "void"), (201, None)), answer.text
    order = (await shop.client.get("/v1/orders/R-1")).json()
    assert [(r["amount"], r["status"]) for r in order["returns"][0]["refunds"]] == [(3600, "succeeded")]
    assert (order["payment_status"], order["holds"], shelf(shop)) == ("refunded", [], (5, 0, 0))
    assert (await bring(shop, return_id="B-2", **void)).status_code == 409


def instead(order_id: str, price: int, *tenders: dict[str, Any], return_id: str = "B-1") -> dict[str, Any]:
    """A red mug, for what the return is worth and more, or less."""
    paid = [{"method": "external", "kind": "exchange", "reference": return_id}, *tenders]
    lines = [{"sku": "MUG-RED", "quantity": 1, "unit_price": price}]
    return a_sale(order_id, lines=lines, total=price, payments=paid) | {"payment": None}


@pytest.mark.parametrize(
    ("price", "extra", "given_back"),
    [(1800, 0, []), (2500, 700, []), (1000, 0, [800])],
    ids=["even", "dearer", "cheaper"],
)
async def test_an_exchange_is_settled_by_the_difference(
    shop: Api, price: int, extra: int, given_back: list[int]
) -> None:
    await sell(shop, a_sale())
    more = [CASH | {"amount": extra}] if extra else []
    for status in (201, 200):
        answer = await bring(shop, sale=instead("R-2", price, *more))
        assert answer.status_code == status, answer.text
    back = answer.json()["returned"]
    assert (back["sale"], back["exchanged"]) == ("R-2", min(price, 1800))
    assert [refund["amount"] for refund in back["refunds"]] == given_back
    taken = (await shop.client.get("/v1/orders/R-2")).json()
    assert (taken["status"], taken["payment_status"], taken["payment"]["captured"]) == ("completed", "captured", price)
    assert sums(shop, "R-1").get("refunded", 0) == sum(given_back)
    assert (shelf(shop), shelf(shop, sku="MUG-RED")) == ((4, 0, 0), (0, 0, 0))
    # what was paid in cash once is cash, also where goods have paid meanwhile
    again = await bring(shop, "R-2", "B-2", refund="cash")
    assert again.status_code == 201, again.text
    assert sum(refund["amount"] for refund in again.json()["returned"]["refunds"]) == price


async def test_an_exchanged_thing_that_comes_back_goes_to_the_card_that_paid_first(shop: Api) -> None:
    await shipped(shop)
    answer = await bring(shop, "W-1001", sale=instead("R-2", 2205))
    assert answer.status_code == 201, answer.text
    with shop.database.sessions() as tx:
        assert [refund.credited for refund in tx.scalars(select(Refund))] == [2205], "nothing for the provider to do"
    refused = await bring(shop, "R-2", "B-2", refund="cash")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "refund")
    assert (await bring(shop, "R-2", "B-2")).status_code == 201
    with shop.database.sessions() as tx:
        [asked] = tx.scalars(select(Refund).where(Refund.order_id == "R-2"))
        paid = tx.get_one(Payment, asked.payment_id)
        assert (asked.status, asked.amount, paid.intent) == ("asked", 2205, "pi_1")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"lines": []}, 422, "lines"),
        ({"lines": [{"line": 1, "quantity": -1}]}, 422, "lines[0].quantity"),
        ({"lines": [{"line": 9, "quantity": 1}]}, 422, "lines[0].line"),
        ({"lines": [{"line": 1, "quantity": 1, "condition": "worn"}]}, 422, "lines[0].condition"),
        ({"till": "X-1"}, 422, "till"),
        ({"till": None}, 422, "location"),
        ({"till": None, "location": "MARS"}, 422, "location"),
        ({"location": "NYC"}, 422, "location"),
        ({"return_id": None}, 422, "return_id"),
        ({"sale": instead("R-2", 1700, CASH | {"amount": 100})}, 422, "sale.payments"),
        ({"sale": instead("R-2", 1800, return_id="B-9")}, 422, "sale.payments[0].reference"),
        ({"sale": instead("R-1", 1800)}, 409, "sale.order_id"),
        ({"sale": instead("R-2", 1800) | {"lines": [{"sku": "NO", "quantity": 1, "unit_price": 1800}]}}, 422, None),
    ],
)
async def test_what_cannot_come_back_changes_nothing(
    shop: Api, changes: dict[str, Any], status: int, field: str | None
) -> None:
    await sell(shop, a_sale())
    answer = await bring(shop, **changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field or "sale.lines[0].sku")
    assert (shelf(shop), sums(shop, "R-1")) == ((3, 0, 0), {"captured": 3600})
    with shop.database.sessions() as tx:
        assert len(tx.scalars(select(Order)).all()) == 1


async def test_no_key_takes_back_elsewhere_and_no_sale_pays_itself_with_goods(shop: Api) -> None:
    await sell(shop, a_sale())
    elsewhere: list[tuple[Any, Any]] = [
        (shop.key("till", till="NYC-1"), {}),
        (shop.key("till", location="NYC"), {"location": "OAK"}),
    ]
    for key, changes in elsewhere:
        assert (await bring(shop, headers=key, **changes)).status_code == 403
    assert (await bring(shop, headers=shop.key("orders:write"))).status_code == 403
    alone = await sell(shop, instead("R-2", 1800))
    assert (alone.status_code, alone.json()["errors"][0]["field"]) == (422, "payments[0].kind")


async def test_what_is_taken_instead_only_its_own_tills_key_sells(shop: Api) -> None:
    await sell(shop, a_sale())
    for key, till, field in (
        (shop.key("till", till=TILL), "NYC-1", "sale.till"),
        (shop.key("till", location="OAK"), "NYC-1", "sale.till"),
        (shop.key("orders:operate"), TILL, "sale.channel"),
    ):
        answer = await bring(shop, sale=instead("R-2", 1800) | {"till": till}, headers=key)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, field), answer.text
    assert (shelf(shop), sums(shop, "R-1")) == ((3, 0, 0), {"captured": 3600})
    answer = await bring(shop, sale=instead("R-2", 1800), headers=shop.key("till", till=TILL))
    assert answer.status_code == 201, answer.text


async def test_nothing_is_sold_to_be_picked_up_where_pickups_have_no_key(shop: Api) -> None:
    """Whichever way the sale comes: without the key nobody could be told their code."""
    await sell(shop, a_sale())
    here = shop.app.state.dependencies
    here.settings = here.settings.model_copy(update={"orders_pickup_key": ()})
    later = instead("R-2", 1800) | {"shipping": {"method": "pickup", "location": "OAK"}}
    later["customer"] = {"name": "Ada", "email": "ada@example.com"}
    later["lines"][0]["way"] = "pickup"
    alone = later | {"payments": [], "payment": CASH}
    by_itself, in_a_file = await sell(shop, alone), await shop.client.post(PATH, json={"sales": [alone]})
    [sale] = in_a_file.json()["sales"]
    answers = [*by_itself.json()["errors"], *sale["errors"], *(await bring(shop, sale=later)).json()["errors"]]
    assert [error["field"] for error in answers] == [f"{of}shipping.method" for of in ("", "", "sale.")]
