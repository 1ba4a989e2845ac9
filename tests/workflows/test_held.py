"""Nothing gets stuck silently: what fails for good is held, says why, and goes on from there."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop


def shippo_down(shop: Shop) -> tuple[str, str]:
    """An order whose label can't be bought; and the fault, until it is healed."""
    sku = shop.product(OAK=1)
    asked = shop.order({sku: 1})
    shop.sandbox.fail("shippo", "*", "error", times=None, match=asked["order_id"])
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    return asked["order_id"], sku


def test_shippo_down_for_a_while_is_waited_for(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    asked = shop.order({sku: 1})
    shop.sandbox.fail("shippo", "*", "error", times=1, match=asked["order_id"])
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    assert shop.ends(asked["order_id"]) == "completed"
    assert "held" not in shop.timeline(asked["order_id"])
    assert shop.books(asked["order_id"])["labels"] == 1


@renewed_only
@pytest.mark.parametrize("zip", ["00002", "00009"])
def test_a_carriers_hiccup_is_waited_for_whatever_it_says(shop: Shop, zip: str) -> None:
    """At the purchase, or when it is asked for its price."""
    order = shop.place({shop.product(OAK=1): 1}, zip=zip)
    assert shop.ends(order) == "completed"
    assert "held" not in shop.timeline(order)
    assert shop.books(order)["labels"] == 1


def test_an_outage_that_outlasts_the_patience_is_held_and_heals_by_itself(shop: Shop) -> None:
    order, _ = shippo_down(shop)
    shop.reaches(order, status="on_hold")
    hold = shop.view(order)["holds"][0]
    assert (hold["reason"], hold["actions"]) == ("step_failed", ["retry", "cancel"])
    shop.sandbox.heal()
    shop.pass_time(order, timedelta(minutes=6))
    assert shop.ends(order) == "completed"
    assert shop.books(order)["labels"] == 1
    assert shop.open_hold(order) is None


@opens(HoldKind.BUY_LABEL_FAILED)
def test_an_operators_retry_goes_on_at_once(shop: Shop) -> None:
    order, _ = shippo_down(shop)
    shop.reaches(order, status="on_hold")
    shop.sandbox.heal()
    shop.resolve(order, "retry", HoldKind.BUY_LABEL_FAILED)
    assert shop.ends(order) == "completed"
    assert shop.books(order)["labels"] == 1


@renewed_only
def test_an_operators_cancel_undoes_the_order(shop: Shop) -> None:
    order, sku = shippo_down(shop)
    shop.reaches(order, status="on_hold")
    shop.sandbox.heal()
    shop.resolve(order, "cancel", HoldKind.BUY_LABEL_FAILED)
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}
    books = shop.books(order)
    assert (books["authorizations"], books["voids"], books.get("labels", 0)) == (1, 1, 0)


def test_a_resolution_names_an_open_hold_and_an_offered_action(plain_shop: Shop) -> None:
    shop = plain_shop
    order, _ = shippo_down(shop)
    hold = str(shop.until(lambda: shop.open_hold(order), "a hold", order))
    shop.until(lambda: shop.call(shop.handle(order).query("status"))["holds"] == [hold], "the run to know it", order)

    def resolve(**decision: str) -> str:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            shop.call(shop.handle(order).execute_update("resolve", {"by": "eve", "why": "test", **decision}))
        return str(refused.value.cause)

    assert "not open" in resolve(hold="nonsense", action="retry")
    assert "not offered" in resolve(hold=hold, action="skip")
    assert "why is missing" in resolve(hold=hold, action="retry", why=" ")
    shop.sandbox.heal()
    decision = {"hold": hold, "action": "retry", "by": "eve", "why": "Shippo is back"}
    shop.call(shop.handle(order).execute_update("resolve", decision))
    assert shop.ends(order) == "completed"


@renewed_only
@opens(HoldKind.TELL_FAILED)
def test_a_message_that_can_not_be_sent_holds_up_no_goods_and_may_be_skipped(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    asked = shop.order({sku: 1})
    shop.sandbox.fail("twilio", "*", "error", times=None, match=asked["order_id"])
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    order = asked["order_id"]
    shop.reaches(order, fulfillment_status="delivered")
    shop.until(lambda: shop.open_hold(order, HoldKind.TELL_FAILED), "a hold", order)
    assert shop.view(order)["holds"][0]["actions"] == ["retry", "skip"]
    shop.until(lambda: skipped(shop, order), "all messages to be skipped", order)
    assert shop.ends(order) == "completed"
    assert shop.books(order)["emails"] >= 1
    assert "sms" not in shop.books(order)


def skipped(shop: Shop, order: str) -> bool:
    if hold := shop.open_hold(order, HoldKind.TELL_FAILED):
        body = {"hold": hold, "action": "skip", "why": "the customer was called"}
        shop.api.post(f"/v1/orders/{order}/resolution", json=body)
    view = shop.view(order)
    return bool(view["status"] == "completed" and not any(m["status"] == "pending" for m in view["messages"]))


@renewed_only
def test_a_number_that_does_not_exist_is_on_record_and_holds_nothing_up(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, phone="+15005550001")
    assert shop.ends(order) == "completed"
    assert "message_failed" in shop.timeline(order)
    assert shop.books(order)["emails"] >= 1
    assert "sms" not in shop.books(order)


@renewed_only
def test_a_refusing_warehouse_is_asked_again_when_an_operator_says_so(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.warehouse(order).refuses()
    shop.until(lambda: shop.open_hold(order, HoldKind.FULFILLMENT_REFUSED), "a hold", order)
    shop.resolve(order, "cancel", HoldKind.FULFILLMENT_REFUSED)
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}


@renewed_only
@opens(HoldKind.FULFILLMENT_REFUSED)
def test_a_warehouse_that_stops_by_itself_is_a_refusal(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.warehouse(order).stops()
    shop.until(lambda: shop.open_hold(order, HoldKind.FULFILLMENT_REFUSED), "a hold", order)
    assert shop.view(order)["holds"][0]["code"] == "stopped_by_warehouse"
    shop.resolve(order, "cancel", HoldKind.FULFILLMENT_REFUSED)
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}


@renewed_only
def test_a_packed_parcel_that_the_warehouse_takes_back_is_paid_back(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    books = shop.books(order)
    assert (books["captures"], books["refunds"], books["label_refunds"]) == (1, 1, 1)
    assert shop.stock(sku) == {"OAK": (1, 0)}


@opens(HoldKind.REQUEST_UNANSWERED)
def test_a_silent_warehouse_is_held_and_its_answer_goes_on(shop: Shop) -> None:
    sku = shop.product(prefix="SILENT", OAK=1)
    order = shop.place({sku: 1})
    shop.happened(order, "requested")
    shop.pass_time(order, timedelta(days=6))
    shop.until(lambda: shop.open_hold(order, HoldKind.REQUEST_UNANSWERED), "a hold", order)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    shop.warehouse(order).hands_over()
    assert shop.ends(order) == "completed"
    assert shop.open_hold(order) is None


@renewed_only
@opens(HoldKind.DELIVERY_FAILED)
def test_a_parcel_that_comes_back_waits_for_a_person(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, zip="00005")
    shop.resolve(order, "skip", HoldKind.DELIVERY_FAILED)
    assert shop.ends(order) == "completed"
    shop.reaches(order, fulfillment_status="returned")


@opens(HoldKind.STOPPED)
def test_an_operators_hold_stops_before_the_next_step(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    shop.call(shop.handle(order).execute_update("hold", {"by": "eve", "why": "looks odd"}))
    shop.reaches(order, status="on_hold")
    shop.warehouse(order).packs()
    shop.happened(order, "packed")
    shop.goes_by_itself(order)
    shop.pass_time(order, timedelta(hours=1))
    assert "label_bought" not in shop.timeline(order)
    shop.resolve(order, "retry", HoldKind.STOPPED)
    assert shop.ends(order) == "completed"


def short(shop: Shop, order: str, sku: str) -> None:
    shop.warehouse(order).sends("short_picked", lines=[{"sku": sku, "missing": 1}])


@renewed_only
def test_missing_units_that_are_told_of_after_the_packing_are_found_elsewhere(shop: Shop) -> None:
    sku = shop.product(OAK=2, RNO=2)
    asked = shop.order({sku: 2})
    order = asked["order_id"]
    shop.sandbox.fail("shippo", "*", "error", times=None, match=order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    shop.until(lambda: shop.open_hold(order, HoldKind.BUY_LABEL_FAILED), "a hold", order)
    short(shop, order, sku)
    shop.happened(order, "short_picked")
    shop.sandbox.heal()
    shop.resolve(order, "retry", HoldKind.BUY_LABEL_FAILED)
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["captures"], books["captured"]) == (2, 2 * 1800 + 500)
    assert shop.stock(sku) == {"OAK": (0, 0), "RNO": (1, 0)}


@renewed_only
def test_missing_units_that_are_told_of_after_the_capture_stay_paid_and_come_from_elsewhere(shop: Shop) -> None:
    sku = shop.product(OAK=2, RNO=2)
    order = shop.place({sku: 2}, by_hand=True)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    short(shop, order, sku)
    shop.happened(order, "planned", 2)
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["captures"], books["captured"], books.get("refunds", 0)) == (1, 2 * 1800 + 500, 0)
    assert shop.stock(sku) == {"OAK": (0, 0), "RNO": (1, 0)}


@renewed_only
@opens(HoldKind.SHORT_AFTER_LEAVING)
def test_missing_units_that_are_told_of_what_has_left_reach_a_person(shop: Shop) -> None:
    sku = shop.product(OAK=2)
    order = shop.place({sku: 2}, by_hand=True)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    shop.warehouse(order).hands_over()
    shop.happened(order, "shipped")
    short(shop, order, sku)
    shop.until(lambda: shop.open_hold(order, HoldKind.SHORT_AFTER_LEAVING), "a hold", order)
    shop.goes_by_itself(order)
    shop.resolve(order, "skip", HoldKind.SHORT_AFTER_LEAVING)
    assert shop.ends(order) == "completed"
