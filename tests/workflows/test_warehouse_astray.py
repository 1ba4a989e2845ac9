"""Warehouses that are silent, or do what nobody asked for: a person is told, and can end it."""

from datetime import timedelta

from tests.shop import Shop
from tests.workflows import stories


def silent(shop: Shop) -> str:
    order = shop.place({shop.product(prefix="SILENT", OAK=1): 1})
    shop.happened(order, "requested")
    shop.pass_time(order, timedelta(days=6))
    shop.until(lambda: shop.open_hold(order, "warehouse"), "a hold", order)
    return order


def requests(shop: Shop, order: str) -> int:
    asked = [r for r in shop.sandbox.requests("warehouse") if r["path"].endswith("/fulfillments")]
    return sum(order in str(request) for request in asked)


def test_a_silent_warehouse_is_asked_again_and_given_its_time(shop: Shop) -> None:
    order = silent(shop)
    assert requests(shop, order) == 1
    shop.resolve(order, "retry", "warehouse")
    shop.happened(order, "requested", 2)
    assert requests(shop, order) == 2
    shop.pass_time(order, timedelta(days=4))
    assert shop.open_hold(order) is None
    shop.pass_time(order, timedelta(days=2))
    shop.until(lambda: shop.open_hold(order, "warehouse"), "another hold", order)
    assert shop.books(order)["warehouse_requests"] == 1
    shop.sandbox.warehouse(f"{order}-1", "pack")
    shop.happened(order, "released")
    shop.sandbox.warehouse(f"{order}-1", "hand_over")
    assert shop.ends(order) == "completed"


def test_cancelled_while_its_warehouse_is_silent(shop: Shop) -> None:
    order = silent(shop)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.sandbox.warehouse(f"{order}-1", "cancel")
    assert shop.ends(order) == "cancelled"
    assert shop.open_hold(order) is None


def test_what_leaves_before_it_was_packed_is_paid_and_closed_by_a_person(shop: Shop) -> None:
    shop.sandbox.pace(None)
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1})
    shop.happened(order, "requested")
    shop.sandbox.warehouse(f"{order}-1", "hand_over")
    shop.happened(order, "captured")
    shop.resolve(order, "skip", "warehouse")
    assert shop.ends(order) == "completed"
    shop.reaches(order, fulfillment_status="delivered")
    assert shop.books(order)["captures"] == 1
    assert shop.stock(sku) == {"OAK": (0, 0)}


def test_what_leaves_though_it_was_cancelled_reaches_a_person(shop: Shop) -> None:
    shop.sandbox.pace(None)
    order = shop.place({shop.product(OAK=1): 1})
    shop.happened(order, "requested")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.sandbox.warehouse(f"{order}-1", "cancel")
    assert shop.ends(order) == "cancelled"
    news = {"type": "fulfillment.handed_over", "data": {"fulfillment_id": f"{order}-1"}}
    shop.sandbox.tell("/warehouse/send", news)
    shop.until(lambda: shop.open_hold(order, "warehouse"), "a hold", order)
    shop.resolve(order, "skip", "warehouse")
    shop.reaches(order, status="cancelled")
    assert shop.ends(order) == "cancelled"
    stories.traces(shop, order)
    assert shop.books(order)["voids"] == 1
