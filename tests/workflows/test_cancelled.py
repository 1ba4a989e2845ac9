"""Cancellation, at every stage: nothing is left behind, and nothing is lost."""

from datetime import timedelta

import pytest

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("sound")


def requested(shop: Shop) -> tuple[str, str]:
    """An order that the warehouse was asked for, in a world that stands still."""
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.happened(order, "requested")
    return order, sku


def released(shop: Shop) -> tuple[str, str]:
    """Packed, labelled, captured, released; not handed over."""
    order, sku = requested(shop)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    return order, sku


def test_cancelled_while_backordered_gives_back_money_and_place_in_the_queue(shop: Shop) -> None:
    missing = shop.product()
    order = shop.place({missing: 1})
    shop.happened(order, "backordered")
    assert shop.cancel(order).status_code == 202
    assert shop.ends(order) == "cancelled"
    books = shop.books(order)
    assert (books["authorizations"], books["voids"]) == (1, 1)
    assert "captures" not in books
    shop.receive("OAK", {missing: 1})
    assert shop.stock(missing) == {"OAK": (1, 0)}
    assert shop.view(order)["cancellation"] == "accepted"


@pytest.mark.parametrize("way", ["over HTTP", "by signal", "with Request Cancellation"])
def test_cancelled_while_the_warehouse_works_is_stopped_and_voided(shop: Shop, way: str) -> None:
    order, sku = requested(shop)
    if way == "over HTTP":
        shop.cancel(order)
    elif way == "by signal":
        shop.call(shop.handle(order).signal("cancel", {"by": "eve", "why": "asked by phone"}))
    else:
        shop.call(shop.handle(order).cancel())
    shop.happened(order, "recall_asked")
    assert shop.stock(sku) == {"OAK": (1, 1)}, "released only when the warehouse has confirmed"
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}
    books = shop.books(order)
    assert (books["voids"], books["recalls"]) == (1, 1)
    shop.reaches(order, payment_status="voided", cancel_reason="customer" if way == "over HTTP" else "operator")


def test_cancelled_after_the_label_refunds_money_and_label(shop: Shop) -> None:
    order, sku = released(shop)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    shop.reaches(order, payment_status="refunded")
    books = shop.books(order)
    assert (books["captures"], books["refunds"], books["refunded"]) == (1, 1, 2300)
    assert (books["labels"], books["label_refunds"]) == (1, 1)
    assert shop.stock(sku) == {"OAK": (1, 0)}


@renewed_only
def test_a_label_refund_that_is_refused_reaches_an_operator(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, zip="00004", by_hand=True)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    shop.resolve(order, "skip", HoldKind.LABEL_REFUND_REJECTED)
    assert shop.ends(order) == "cancelled"


@renewed_only
def test_a_warehouse_that_can_not_stop_ships_and_the_cancellation_is_refused(shop: Shop) -> None:
    order, sku = released(shop)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).cannot_stop()
    shop.happened(order, "recall_refused")
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.view(order)["cancellation"] == "refused"
    books = shop.books(order)
    assert (books["captures"], books.get("refunds", 0), books.get("label_refunds", 0)) == (1, 0, 0)
    assert shop.stock(sku) == {"OAK": (0, 0)}


@renewed_only
def test_a_recall_refused_before_the_label_still_gets_label_and_payment(shop: Shop) -> None:
    order, _ = requested(shop)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).cannot_stop()
    shop.happened(order, "recall_refused")
    shop.warehouse(order).packs()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.books(order)["captures"] == 1


def test_what_has_shipped_stays_and_only_the_rest_is_cancelled(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    order = shop.place({here: 1, missing: 1})
    shop.happened(order, "shipped")
    shop.cancel(order)
    assert shop.ends(order) == "completed"
    assert shop.view(order)["cancellation"] == "partly"
    books = shop.books(order)
    assert (books["captures"], books["captured"]) == (1, 1800 + 250)
    assert books.get("refunds", 0) == 0


@renewed_only
def test_an_order_that_has_left_can_not_be_cancelled(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1})
    assert shop.ends(order) == "completed"
    assert shop.cancel(order).status_code == 409
    assert shop.books(order).get("refunds", 0) == 0


@renewed_only
def test_cancelled_while_stripe_is_down_ends_at_once_and_holds_no_money(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    asked = shop.order({sku: 1})
    with shop.sandbox.failing("stripe", "*", "error", match=asked["order_id"]):
        shop.api.post("/v1/orders", json=asked).raise_for_status()
        order = asked["order_id"]
        shop.until(lambda: shop.call(shop.pending(order))[1:], "an attempt that failed", order)
        shop.cancel(order)
        shop.happened(order, "cancellation_accepted")
        shop.reaches(order, cancellation="accepted")
    assert shop.ends(order) == "cancelled"
    books = shop.books(order)
    assert books.get("authorizations", 0) == books.get("voids", 0)
    assert shop.stock(sku) == {"OAK": (1, 0)}


@renewed_only
def test_a_cancelled_orders_units_go_to_the_waiting_order_not_to_a_newcomer(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    first = shop.place({sku: 1}, by_hand=True)
    shop.happened(first, "requested")
    waiting = shop.place({sku: 1}, by_hand=True)
    shop.happened(waiting, "backordered")
    shop.cancel(first)
    shop.happened(first, "recall_asked")
    shop.warehouse(first).stops()
    assert shop.ends(first) == "cancelled"
    newcomer = shop.place({sku: 1}, by_hand=True)
    shop.happened(newcomer, "backordered")
    shop.happened(waiting, "requested")
    shop.warehouse(waiting).packs()
    shop.goes_by_itself(waiting)
    assert shop.ends(waiting) == "completed"
    shop.cancel(newcomer)
    assert shop.ends(newcomer) == "cancelled"


@renewed_only
def test_cancelled_before_it_ran_never_asks_for_money(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    asked = shop.order({sku: 1})
    with shop.sandbox.failing("stripe", "create_customer", "delay"):
        shop.api.post("/v1/orders", json=asked).raise_for_status()
        shop.cancel(asked["order_id"])
        assert shop.ends(asked["order_id"]) == "cancelled"
    books = shop.books(asked["order_id"])
    assert books.get("authorizations", 0) == books.get("voids", 0)


def test_a_payment_that_never_comes_ends_the_order_at_its_deadline(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, card="pm_card_chargeDeclined")
    shop.reaches(order, payment_status="declined")
    shop.pass_time(order, timedelta(days=3, minutes=1))
    assert shop.ends(order) == "cancelled"
    shop.reaches(order, cancel_reason="payment")
    assert shop.stock(sku) == {"OAK": (1, 0)}


@renewed_only
@opens(HoldKind.EXTERNAL_REFUND)
def test_an_order_paid_elsewhere_that_is_cancelled_owes_its_money_until_a_person_has_paid_it_back(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, payment={"method": "external", "reference": "till 4"}, by_hand=True)
    shop.happened(order, "requested")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.until(lambda: shop.open_hold(order, HoldKind.EXTERNAL_REFUND), "a hold", order)
    [hold] = shop.view(order)["holds"]
    assert "till 4" in hold["advice"]
    assert shop.view(order)["status"] == "cancelling"
    shop.resolve(order, "done", HoldKind.EXTERNAL_REFUND)
    assert shop.ends(order) == "cancelled"
    shop.reaches(order, payment_status="refunded")
    [refund] = shop.view(order)["payment"]["refunds"]
    assert (refund["amount"], refund["status"]) == (2300, "succeeded")
    # a new run between the recall and its end must not lose the word
    assert "till 4" in str(shop.sandbox.ask("/mailbox", order_id=order))


@renewed_only
def test_an_order_of_which_nothing_is_to_be_had_is_cancelled_for_lack_of_stock(shop: Shop) -> None:
    order = shop.place({shop.product(): 1}, backorder="cancel_unavailable")
    assert shop.ends(order) == "cancelled"
    shop.reaches(order, cancel_reason="stock", payment_status="voided")
    assert shop.books(order)["voids"] == 1
