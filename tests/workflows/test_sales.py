"""Sold at a till: what is carried away is done, what is sent goes its usual way, and what comes back is paid back."""

from typing import Any

import pytest

from tests.shop import Shop, unique

pytestmark = pytest.mark.usefixtures("sound")
TILL = "OAK-1"


@pytest.fixture
def till(plain_shop: Shop) -> Shop:
    """The shop, with a till in Oakland."""
    plain_shop.api.put(f"/v1/tills/{TILL}", json={"location": "OAK"}).raise_for_status()
    return plain_shop


def sold(shop: Shop, *skus: str, **changes: Any) -> str:
    """One of each at 18.00, in cash."""
    order_id = unique("S")
    body = {
        "order_id": order_id,
        "channel": "pos",
        "till": TILL,
        "sold_at": "2026-11-27T10:00:00Z",
        "currency": "usd",
        "lines": [{"sku": sku, "quantity": 1, "unit_price": 1800} for sku in skus],
        "total": 1800 * len(skus),
        "payment": {"method": "external", "reference": "drawer", "kind": "cash"},
    } | changes
    shop.api.post("/v1/orders", json=body).raise_for_status()
    return order_id


def started(shop: Shop, order: str) -> bool:
    return shop.call(shop.pending(order))[0] != "  engine: RPCError"


def test_a_sale_starts_no_workflow_and_one_that_sends_a_line_runs_to_its_delivery(till: Shop) -> None:
    here, there = till.product(OAK=1), till.product(RNO=1)
    carried = sold(till, here)
    asked = till.order({there: 1})
    lines = [{"sku": here, "quantity": 1, "unit_price": 1800}, {"sku": there, "quantity": 1, "unit_price": 1800}]
    lines[1]["way"] = "ship"
    mixed = sold(till, lines=lines, total=4100, **{part: asked[part] for part in ("shipping", "customer")})
    assert till.ends(mixed) == "completed"
    ways = [(f["method"], f["location"], f["status"]) for f in till.view(mixed)["fulfillments"]]
    assert ways == [("counter", "OAK", "picked_up"), ("ship", "RNO", "delivered")]
    assert (till.stock(here), till.stock(there)) == ({"OAK": (0, 0)}, {"RNO": (0, 0)})
    books = till.books(mixed)
    assert (books["labels"], books.get("authorizations", 0), books.get("captures", 0)) == (1, 0, 0)
    assert "delivered" in [message["kind"] for message in till.view(mixed)["messages"]]
    assert not started(till, carried)


def test_what_was_sent_and_paid_by_card_comes_back_over_the_counter(till: Shop) -> None:
    sku = till.product(RNO=2)
    order = till.place({sku: 2})
    assert till.ends(order) == "completed"
    back = {"return_id": "B-1", "till": TILL, "received_at": "2026-11-28T10:00:00Z"}
    lines = [{"line": 1, "quantity": 1}]
    answer = till.api.post(f"/v1/orders/{order}/returns", json=back | {"lines": lines})
    assert answer.status_code == 201, answer.text
    till.happened(order, "refund_pending")
    assert till.ends(order) == "completed"
    assert till.books(order)["refunded"] == 1800 + 250
    assert till.stock(sku) == {"OAK": (1, 0), "RNO": (0, 0)}
    # the other one is exchanged, and what was taken instead comes back: to the card that paid first
    other = till.product(OAK=1)
    tender = {"method": "external", "kind": "exchange", "reference": "B-2"}
    sale: dict[str, Any] = {"order_id": unique("S"), "channel": "pos", "till": TILL, "sold_at": "2026-11-28T10:00:00Z"}
    sale |= {"currency": "usd", "lines": [{"sku": other, "quantity": 1, "unit_price": 2050}], "total": 2050}
    exchange = back | {"return_id": "B-2", "lines": lines, "sale": sale | {"payments": [tender]}}
    till.api.post(f"/v1/orders/{order}/returns", json=exchange).raise_for_status()
    assert till.books(order)["refunds"] == 1, "even: no provider is asked"
    again = back | {"return_id": "B-3", "lines": lines}
    till.api.post(f"/v1/orders/{sale['order_id']}/returns", json=again).raise_for_status()
    till.happened(str(sale["order_id"]), "refund_pending")
    till.until(lambda: refunded(till, order, str(sale["order_id"])) == 4100, "all of it back on the card", order)


def refunded(shop: Shop, *orders: str) -> int:
    return sum(shop.books(order).get("refunded", 0) for order in orders)
