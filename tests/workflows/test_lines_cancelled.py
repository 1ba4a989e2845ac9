"""Some units of an order are cancelled, at every stage: they alone, and nothing of them is left anywhere."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.shop import Shop
from tests.workflows import stories


def cancel(shop: Shop, order: str, *lines: tuple[int, int]) -> None:
    wanted = [{"line": line, "quantity": quantity} for line, quantity in lines]
    answer = shop.cancel(order, lines=wanted)
    assert answer.status_code == 202, answer.text


def line(shop: Shop, order: str, n: int = 1) -> dict[str, Any]:
    return dict(shop.view(order)["lines"][n - 1])


def requested(shop: Shop, quantity: int = 3) -> tuple[str, str]:
    sku = shop.product(OAK=quantity)
    order = shop.place({sku: quantity}, by_hand=True)
    shop.happened(order, "requested")
    return order, sku


def recalled(shop: Shop, order: str, n: int = 1) -> None:
    shop.until(lambda: shop.books(order).get("recalls", 0) >= n, "the recall", order)


@renewed_only
def test_before_it_is_reserved(shop: Shop) -> None:
    sku = shop.product(OAK=3)
    order = shop.place({sku: 3}, card="pm_card_chargeDeclined", by_hand=True)
    shop.reaches(order, payment_status="declined")
    cancel(shop, order, (1, 1))
    shop.happened(order, "units_cancelled")
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    shop.happened(order, "requested")
    stories.pack(shop, order)
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert (line(shop, order)["shipped"], line(shop, order)["cancelled"]) == (2, 1)
    assert shop.stock(sku) == {"OAK": (1, 0)}
    books = shop.books(order)
    assert books["captured"] == shop.view(order)["fulfillments"][0]["amount"]
    assert shop.view(order)["payment"]["authorizations"][1]["amount"] == books["captured"], "no more is set aside"


@renewed_only
def test_one_backorder_is_given_up_and_the_rest_goes_on(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    order = shop.place({here: 1, missing: 1}, by_hand=True)
    shop.happened(order, "backordered")
    cancel(shop, order, (2, 1))
    shop.happened(order, "units_cancelled")
    stories.customer_hears(shop, order, "partly_cancelled", subject(shop, order))
    stories.pack(shop, order)
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    shop.receive("OAK", {missing: 1})
    assert shop.stock(missing) == {"OAK": (1, 0)}
    assert shop.view(order)["cancellation"] is None
    books = shop.books(order)
    assert (books["captures"], books.get("refunds", 0)) == (1, 0)


def subject(shop: Shop, order: str) -> str:
    messages = [m["subject"] for m in shop.view(order)["messages"] if m["kind"] == "partly_cancelled"]
    return str(messages[0])


@renewed_only
def test_a_warehouse_stops_it_and_the_others_are_sent_anew(shop: Shop) -> None:
    order, sku = requested(shop)
    cancel(shop, order, (1, 1))
    recalled(shop, order)
    assert line(shop, order)["cancelling"] == 1
    shop.warehouse(order).stops()
    shop.happened(order, "requested", 2)
    shop.warehouse(order, 2).packs()
    shop.happened(order, "released")
    shop.warehouse(order, 2).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert (line(shop, order)["shipped"], line(shop, order)["cancelled"]) == (2, 1)
    assert shop.stock(sku) == {"OAK": (1, 0)}
    books = shop.books(order)
    assert (books["captures"], books["captured"]) == (1, 2 * 1800 + 334)


@renewed_only
def test_a_warehouse_that_can_not_stop_sends_it_and_a_return_is_offered(shop: Shop) -> None:
    order, sku = requested(shop)
    cancel(shop, order, (1, 1))
    recalled(shop, order)
    shop.warehouse(order).cannot_stop()
    shop.happened(order, "units_not_cancelled")
    stories.pack(shop, order)
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert (line(shop, order)["shipped"], line(shop, order)["cancelled"]) == (3, 0)
    assert [m["kind"] for m in shop.view(order)["messages"]].count("cancellation_refused") == 2, "mail and SMS"
    assert shop.stock(sku) == {"OAK": (0, 0)}


@renewed_only
def test_it_leaves_before_the_warehouse_could_stop_it(shop: Shop) -> None:
    order, _ = requested(shop)
    stories.pack(shop, order)
    cancel(shop, order, (1, 1))
    recalled(shop, order)
    shop.warehouse(order).hands_over()
    shop.happened(order, "units_not_cancelled")
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.books(order).get("refunds", 0) == 0


@renewed_only
def test_the_cancel_of_one_fulfillments_hold_cancels_that_one(shop: Shop) -> None:
    here, there = shop.product(OAK=1), shop.product(RNO=1)
    order = shop.place({here: 1, there: 1}, by_hand=True)
    shop.happened(order, "requested", 2)
    shop.warehouse(order, 1).refuses()
    shop.resolve(order, "cancel", HoldKind.FULFILLMENT_REFUSED)
    shop.happened(order, "units_cancelled")
    shop.warehouse(order, 2).packs()
    shop.happened(order, "released")
    shop.warehouse(order, 2).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    view = shop.view(order)
    assert sorted(f["status"] for f in view["fulfillments"]) == ["cancelled", "delivered"]
    assert view["cancellation"] is None
    assert shop.books(order)["captures"] == 1


def test_units_are_cancelled_in_the_web_ui_by_the_same_rules(plain_shop: Shop) -> None:
    shop = plain_shop
    order, sku = requested(shop)

    def send(**fields: Any) -> None:
        wish = {"lines": [{"line": 1, "quantity": 1}], "by": "eve", "why": "by phone"} | fields
        shop.call(shop.handle(order).execute_update("cancel_lines", wish))

    misfits: list[dict[str, Any]] = [{"lines": [{"line": 1, "quantity": 9}]}, {"lines": [{"line": 4}]}, {"lines": []}]
    for wrong in (*misfits, {"by": ""}):
        with pytest.raises(WorkflowUpdateFailedError):
            send(**wrong)
    assert "units_cancelled" not in shop.timeline(order)
    for _ in range(2):
        send(request_id="R-1")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        send(request_id="R-1", lines=[{"line": 1, "quantity": 2}])
    assert "used before" in str(refused.value.cause)
    recalled(shop, order)
    shop.warehouse(order).stops()
    shop.happened(order, "requested", 2)
    assert line(shop, order)["cancelled"] == 1
    shop.cancel(order)
    recalled(shop, order, 2)
    shop.warehouse(order, 2).stops()
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (3, 0)}


@renewed_only
def test_a_fulfillment_that_is_refused_is_sent_from_another_place(shop: Shop) -> None:
    sku = shop.product(OAK=1, RNO=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.warehouse(order).refuses()
    shop.resolve(order, "replan", HoldKind.FULFILLMENT_REFUSED)
    shop.happened(order, "requested", 2)
    shop.warehouse(order, 2).packs()
    shop.happened(order, "released")
    shop.warehouse(order, 2).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (1, 0), "RNO": (0, 0)}


@renewed_only
def test_what_is_to_leave_together_waits_for_what_the_shelf_did_not_have(shop: Shop) -> None:
    sku = shop.product(prefix="SHORT", OAK=3)
    order = shop.place({sku: 3}, backorder="ship_complete")
    shop.until(lambda: line(shop, order)["waiting"] == 1, "the missing one to be waited for", order)
    recalled(shop, order)
    shop.happened(order, "fulfillment_cancelled")
    assert "shipped" not in shop.timeline(order)
    shop.receive("OAK", {sku: 1})
    assert shop.ends(order) == "completed"
    assert shop.timeline(order).count("shipped") == 1, "in one parcel"
    assert shop.books(order)["captures"] == 1
    assert shop.stock(sku) == {"OAK": (0, 0)}


def undelivered(shop: Shop, status: str) -> tuple[str, str]:
    """Two units on their way, and the parcel comes back, or is lost."""
    sku = shop.product(OAK=4)
    order = shop.place({sku: 2}, by_hand=True)
    stories.pack(shop, order)
    shop.warehouse(order).hands_over()
    shop.happened(order, "shipped")
    shop.sandbox.track(stories.tracking_number(shop, f"{order}-1"), status)
    shop.until(lambda: shop.open_hold(order, HoldKind.DELIVERY_FAILED), "a hold", order)
    return order, sku


@renewed_only
def test_a_parcel_that_comes_back_is_sent_again_and_paid_for_once(shop: Shop) -> None:
    order, sku = undelivered(shop, "return_to_sender")
    address = shop.view(order)["destinations"][0]["address"] | {"street1": "9 Pine St"}
    shop.api.post(f"/v1/orders/{order}/shipping-address", json=address).raise_for_status()
    shop.resolve(order, "reship", HoldKind.DELIVERY_FAILED)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (2, 0)}, "two came back, and two have left again"
    books = shop.books(order)
    assert (books["captures"], books.get("refunds", 0), books["labels"]) == (1, 0, 2)
    assert [f["status"] for f in shop.view(order)["fulfillments"]] == ["returned", "delivered"]
    assert "sent_again" in [m["kind"] for m in shop.view(order)["messages"]]


@renewed_only
def test_a_lost_parcel_is_sent_again_from_what_is_there(shop: Shop) -> None:
    order, sku = undelivered(shop, "failure")
    shop.resolve(order, "reship", HoldKind.DELIVERY_FAILED)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (0, 0)}, "two are lost, two have left"
    assert shop.books(order)["captures"] == 1


@renewed_only
def test_a_lost_parcel_is_paid_back(shop: Shop) -> None:
    order, sku = undelivered(shop, "failure")
    shop.resolve(order, "refund", HoldKind.DELIVERY_FAILED)
    assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (2, 0)}
    books = shop.books(order)
    assert (books["captured"], books["refunded"]) == (4100, 4100)
    assert line(shop, order)["cancelled"] == 2
    assert "not_delivered" in [m["kind"] for m in shop.view(order)["messages"]]


@renewed_only
def test_of_several_parcels_one_that_is_lost_is_not_all_of_them(shop: Shop) -> None:
    order = shop.place({shop.product(prefix="TWOBOX", OAK=2): 2}, by_hand=True)
    stories.pack(shop, order)
    shop.warehouse(order).hands_over()
    shop.happened(order, "shipped")
    parcels = shop.view(order)["fulfillments"][0]["parcels"]
    shop.sandbox.track(parcels[0]["tracking_number"], "failure")
    hold = shop.until(lambda: shop.open_hold(order, HoldKind.DELIVERY_FAILED), "a hold", order)
    answer = shop.api.post(f"/v1/orders/{order}/resolution", json={"hold": hold, "action": "reship", "why": "test"})
    assert (answer.status_code, "other parcels" in answer.json()["detail"]) == (409, True)
    shop.goes_by_itself(order)
    shop.sandbox.track(parcels[1]["tracking_number"], "delivered")
    shop.resolve(order, "skip", HoldKind.DELIVERY_FAILED)
    assert shop.ends(order) == "completed"
