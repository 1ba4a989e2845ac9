"""An order's run can be entered any number of times and does only what is missing."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.fixtures_shop import renewed_only
from tests.shop import Shop
from tests.workflows import stories


def test_a_finished_order_reset_to_its_first_task_does_nothing_twice(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=1): 1})
    assert shop.ends(order) == "completed"
    before, story = shop.sandbox.books(order), shop.timeline(order)
    shop.reset(order)
    assert shop.ends(order) == "completed"
    assert shop.sandbox.books(order) == before
    assert shop.timeline(order) == story


def test_a_cancelled_order_reset_to_its_first_task_does_nothing_twice(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(): 1})
    shop.happened(order, "backordered")
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    before, story = shop.sandbox.books(order), shop.timeline(order)
    shop.reset(order)
    assert shop.ends(order) == "cancelled"
    assert shop.sandbox.books(order) == before
    assert shop.timeline(order) == story


@pytest.mark.parametrize("reached", ["requested", "released"])
def test_a_running_order_reset_half_way_goes_on_from_where_it_stands(plain_shop: Shop, reached: str) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    if reached == "released":
        shop.warehouse(order).packs()
        shop.happened(order, "released")
    shop.reset(order)
    shop.warehouse(order).does("pack" if reached == "requested" else "hand_over")
    shop.goes_by_itself(order)
    if reached == "requested":
        shop.happened(order, "released")
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["labels"], books["warehouse_requests"]) == (1, 1, 1, 1)


def test_a_reset_while_a_text_message_is_on_its_way_sends_it_once(plain_shop: Shop) -> None:
    shop = plain_shop
    asked = shop.order({shop.product(OAK=1): 1})
    order = asked["order_id"]
    shop.sandbox.pace(None, order)
    slow = shop.sandbox.fail("twilio", "send", "delay", seconds=1.5, match=order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    shop.until(lambda: shop.sandbox.struck(slow), "the message to be on its way", order)
    shop.reset(order)
    shop.happened(order, "message_sent", 2)
    stories.pack(shop, order)
    stories.deliver(shop, order)
    assert shop.ends(order) == "completed"
    assert shop.books(order)["sms"] == 4


def decided(shop: Shop, order: str) -> bool:
    return not {"planned", "backordered"}.isdisjoint(shop.timeline(order))


@renewed_only
def test_the_last_unit_goes_to_one_of_many_and_the_others_wait(shop: Shop) -> None:
    sku = shop.product(OAK=1, RNO=1)
    with ThreadPoolExecutor(6) as crowd:
        orders = list(crowd.map(lambda _: shop.place({sku: 1}), range(6)))
    for order in orders:
        shop.until(partial(decided, shop, order), "a decision", order)
    lucky = [order for order in orders if "planned" in shop.timeline(order)]
    assert len(lucky) == 2
    for order in lucky:
        assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (0, 0), "RNO": (0, 0)}
    waiting = [order for order in orders if order not in lucky]
    for order in waiting:
        shop.cancel(order)
        assert shop.ends(order) == "cancelled"


@renewed_only
def test_backorders_are_served_in_order_of_placement(shop: Shop) -> None:
    sku = shop.product()
    first, second, third = (shop.place({sku: 2}) for _ in range(3))
    for order in (first, second, third):
        shop.happened(order, "backordered")
    shop.receive("OAK", {sku: 3})
    assert shop.ends(first) == "completed"
    shop.happened(second, "planned")
    assert "planned" not in shop.timeline(third)
    shop.receive("OAK", {sku: 3})
    assert shop.ends(second) == "completed"
    assert shop.ends(third) == "completed"
    assert shop.stock(sku) == {"OAK": (0, 0)}
