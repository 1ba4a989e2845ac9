"""Warehouses that are silent, or do what nobody asked for: a person is told, and can end it."""

from datetime import timedelta

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop
from tests.workflows import stories


def silent(shop: Shop) -> str:
    order = shop.place({shop.product(prefix="SILENT", OAK=1): 1})
    shop.happened(order, "requested")
    shop.pass_time(order, timedelta(days=6))
    shop.until(lambda: shop.open_hold(order, HoldKind.REQUEST_UNANSWERED), "a hold", order)
    return order


def requests(shop: Shop, order: str) -> int:
    asked = [r for r in shop.sandbox.requests("warehouse") if r["path"].endswith("/fulfillments")]
    return sum(order in str(request) for request in asked)


def test_a_silent_warehouse_is_asked_again_and_given_its_time(shop: Shop) -> None:
    order = silent(shop)
    assert requests(shop, order) == 1
    shop.resolve(order, "retry", HoldKind.REQUEST_UNANSWERED)
    shop.happened(order, "requested", 2)
    assert requests(shop, order) == 2
    shop.pass_time(order, timedelta(days=4))
    assert shop.open_hold(order) is None
    shop.pass_time(order, timedelta(days=2))
    shop.until(lambda: shop.open_hold(order, HoldKind.REQUEST_UNANSWERED), "another hold", order)
    assert shop.books(order)["warehouse_requests"] == 1
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    shop.warehouse(order).hands_over()
    assert shop.ends(order) == "completed"


@renewed_only
def test_cancelled_while_its_warehouse_is_silent(shop: Shop) -> None:
    order = silent(shop)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
    assert shop.open_hold(order) is None


@renewed_only
@opens(HoldKind.NOT_RELEASED)
def test_what_leaves_before_it_was_packed_is_paid_and_closed_by_a_person(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.warehouse(order).hands_over()
    shop.happened(order, "captured")
    shop.resolve(order, "skip", HoldKind.NOT_RELEASED)
    assert shop.ends(order) == "completed"
    shop.reaches(order, fulfillment_status="delivered")
    assert shop.books(order)["captures"] == 1
    assert shop.stock(sku) == {"OAK": (0, 0)}


@renewed_only
@opens(HoldKind.LEFT_THOUGH_CANCELLED)
def test_what_leaves_though_it_was_cancelled_reaches_a_person(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
    shop.warehouse(order).sends("handed_over")
    shop.until(lambda: shop.open_hold(order, HoldKind.LEFT_THOUGH_CANCELLED), "a hold", order)
    shop.resolve(order, "skip", HoldKind.LEFT_THOUGH_CANCELLED)
    shop.reaches(order, status="cancelled")
    assert shop.ends(order) == "cancelled"
    stories.traces(shop, order)
    assert shop.books(order)["voids"] == 1


def released(shop: Shop) -> str:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    stories.pack(shop, order)
    return order


@renewed_only
@opens(HoldKind.RELEASE_UNANSWERED)
def test_goods_that_do_not_leave_are_asked_after(shop: Shop) -> None:
    order = released(shop)
    shop.pass_time(order, timedelta(days=6))
    shop.until(lambda: shop.open_hold(order, HoldKind.RELEASE_UNANSWERED), "a hold", order)
    shop.resolve(order, "retry", HoldKind.RELEASE_UNANSWERED)
    shop.happened(order, "released", 2)
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    stories.customer_hears(shop, order, "shipped", f"{order}-1")
    shop.sandbox.track(stories.tracking_number(shop, f"{order}-1"), "delivered")
    assert shop.ends(order) == "completed"
    assert shop.books(order)["releases"] == 1, "the warehouse knew it already"


@renewed_only
def test_a_warehouse_that_accepts_and_is_silent_again_is_held_again(shop: Shop) -> None:
    """Its clock is days behind the engine's here, so that its time is over at once."""
    order = silent(shop)
    shop.warehouse(order).accepts()
    shop.happened(order, "hold_closed")
    shop.until(lambda: shop.open_hold(order), "another hold", order)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"


@renewed_only
def test_a_parcel_is_asked_after_in_time_whatever_the_warehouses_clock_says(shop: Shop) -> None:
    order = released(shop)
    news = {"type": "fulfillment.handed_over", "data": {"fulfillment_id": f"{order}-1"}}
    shop.sandbox.tell("/warehouse/send", news | {"timestamp": "2056-01-01T00:00:00Z"})
    shop.happened(order, "shipped")
    shop.sandbox.webhooks_to(None)
    shop.sandbox.warehouse(f"{order}-1", "hand_over")
    shop.sandbox.track(stories.tracking_number(shop, f"{order}-1"), "delivered")
    shop.pass_time(order, timedelta(days=6))
    assert shop.ends(order) == "completed"


@renewed_only
def test_a_lost_parcel_that_arrives_needs_nobody(shop: Shop) -> None:
    order = released(shop)
    shop.warehouse(order).hands_over()
    number = stories.tracking_number(shop, f"{order}-1")
    shop.sandbox.track(number, "failure")
    shop.until(lambda: shop.open_hold(order, HoldKind.DELIVERY_FAILED), "a hold", order)
    shop.sandbox.track(number, "delivered")
    assert shop.ends(order) == "completed"
    shop.reaches(order, fulfillment_status="delivered")


@renewed_only
def test_a_lost_parcel_that_was_closed_and_comes_back_opens_nothing(shop: Shop) -> None:
    order = released(shop)
    shop.warehouse(order).hands_over()
    number = stories.tracking_number(shop, f"{order}-1")
    shop.sandbox.track(number, "failure")
    shop.resolve(order, "skip", HoldKind.DELIVERY_FAILED)
    assert shop.ends(order) == "completed"
    shop.sandbox.track(number, "return_to_sender")
    shop.happened(order, "return_to_sender")
    shop.reaches(order, status="completed")
    assert shop.open_hold(order) is None


@renewed_only
def test_a_fulfillment_that_is_stopped_while_it_waits_for_money_is_not_paid_for(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    order = shop.place({here: 1, missing: 1}, card="pm_card_declinedOffSession")
    shop.until(lambda: "delivered" in shop.timeline(order), "the first delivery", order)
    shop.sandbox.pace(None, order)
    shop.pass_time(order, timedelta(days=21))
    shop.receive("OAK", {missing: 1})
    shop.happened(order, "requested", 2)
    shop.warehouse(order, 2).packs()
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_NEEDS_CUSTOMER), "a hold", order)
    shop.warehouse(order, 2).stops()
    assert shop.ends(order) == "completed"
    assert shop.open_hold(order) is None
    assert shop.books(order)["captures"] == 1


@renewed_only
def test_what_leaves_with_half_of_its_labels_is_closed_by_a_person_and_the_carrier(shop: Shop) -> None:
    sku = shop.product(prefix="TWOBOX", OAK=2)
    order = shop.order({sku: 2})["order_id"]
    shop.place({sku: 2}, order_id=order, by_hand=True)
    shop.happened(order, "requested")
    with shop.sandbox.failing("shippo", "buy", "error", match=f"{order}-1/2"):
        shop.warehouse(order).packs()
        shop.happened(order, "label_bought")
        shop.warehouse(order).hands_over()
        shop.resolve(order, "skip", HoldKind.NOT_RELEASED)
        shop.happened(order, "captured")
    shop.happened(order, "taken_for_delivered")
    assert shop.ends(order) == "completed"
