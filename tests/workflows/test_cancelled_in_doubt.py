"""Cancelled while nobody knows what became of a call: whatever it did is found, and undone."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from activities.facts import effects
from infra.database.tables import Payment
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop
from tests.workflows import stories

pytestmark = renewed_only


def failing(shop: Shop, order: str) -> None:
    """Waits until a step has failed and is tried again: what is asked now meets it between two tries."""
    shop.until(lambda: any("attempt" in line for line in shop.call(shop.pending(order))), "a failed attempt", order)


def asked_to_pack(shop: Shop) -> tuple[str, str]:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.happened(order, "requested")
    return order, sku


def called_back(shop: Shop, order: str) -> None:
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.until(lambda: shop.books(order).get("recalls"), "the recall", order)
    shop.warehouse(order).stops()
    shop.happened(order, "fulfillment_cancelled")


@pytest.fixture
def soon_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "UNDER_WAY", timedelta(seconds=1))


def test_what_a_lost_capture_took_is_given_back(shop: Shop) -> None:
    order, sku = asked_to_pack(shop)
    shop.sandbox.fail("stripe", "capture", "lose_answer", match=order)
    with shop.sandbox.failing("stripe", "retrieve", "error", match=order):
        shop.warehouse(order).packs()
        shop.until(lambda: shop.books(order).get("captures"), "the capture", order)
        failing(shop, order)
        called_back(shop, order)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    shop.reaches(order, payment_status="refunded")
    books = shop.books(order)
    assert (books["captures"], books["refunds"], books["refunded"], books["label_refunds"]) == (1, 1, 2300, 1)
    assert shop.stock(sku) == {"OAK": (1, 0)}


def test_a_capture_that_never_happened_leaves_nothing_to_give_back(shop: Shop, soon_settled: None) -> None:
    order, _ = asked_to_pack(shop)
    with shop.sandbox.failing("stripe", "capture", "error", match=order):
        shop.warehouse(order).packs()
        failing(shop, order)
        called_back(shop, order)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    shop.reaches(order, payment_status="voided")
    books = shop.books(order)
    assert (books["voids"], books.get("captures", 0), books.get("refunds", 0)) == (1, 0, 0)


def lost_request(shop: Shop) -> tuple[str, str]:
    sku = shop.product(OAK=1)
    order = shop.order({sku: 1})["order_id"]
    shop.sandbox.fail("warehouse", "request", "lose_answer", match=order)
    shop.sandbox.fail("warehouse", "request", "error", times=None, match=order)
    shop.place({sku: 1}, order_id=order, by_hand=True)
    shop.until(lambda: shop.books(order).get("warehouse_requests"), "the request", order)
    failing(shop, order)
    return order, sku


def test_a_warehouse_whose_answer_was_lost_is_asked_to_stop_before_the_units_are_free(shop: Shop) -> None:
    order, sku = lost_request(shop)
    shop.cancel(order)
    shop.until(lambda: shop.books(order).get("recalls"), "the recall", order)
    assert shop.stock(sku) == {"OAK": (1, 1)}
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}


def test_a_warehouse_whose_answer_was_lost_and_that_can_not_stop_ships(shop: Shop) -> None:
    order, sku = lost_request(shop)
    shop.cancel(order)
    shop.until(lambda: shop.books(order).get("recalls"), "the recall", order)
    shop.sandbox.heal()
    shop.warehouse(order).cannot_stop()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.view(order)["cancellation"] == "refused"
    assert shop.stock(sku) == {"OAK": (0, 0)}


def test_a_warehouse_that_never_had_the_request_has_nothing_to_stop(shop: Shop, soon_settled: None) -> None:
    sku = shop.product(OAK=1)
    order = shop.order({sku: 1})["order_id"]
    with shop.sandbox.failing("warehouse", "request", "error", match=order):
        shop.place({sku: 1}, order_id=order)
        failing(shop, order)
        shop.cancel(order)
        assert shop.ends(order) == "cancelled"
    books = shop.books(order)
    assert (books.get("warehouse_requests", 0), books.get("recalls", 0), books["voids"]) == (0, 0, 1)
    assert shop.stock(sku) == {"OAK": (1, 0)}


def test_what_leaves_all_the_same_is_paid_from_the_first_authorization(shop: Shop) -> None:
    order, _ = asked_to_pack(shop)
    with shop.sandbox.failing("stripe", "capture", "error", match=order):
        shop.warehouse(order).packs()
        failing(shop, order)
        shop.cancel(order)
        shop.happened(order, "recall_asked")
        shop.warehouse(order).hands_over()
        shop.happened(order, "cancellation_refused")
    shop.resolve(order, "skip", HoldKind.NOT_RELEASED)
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["captured"]) == (1, 1, 2300)
    assert "voids" not in books


@opens(HoldKind.LABEL_REFUND_REJECTED)
def test_cancelled_when_only_a_label_is_left_to_settle(shop: Shop) -> None:
    """The warehouse has stopped it already: nothing but a hold keeps the order open."""
    order = shop.place({shop.product(OAK=1): 1}, zip="00004", by_hand=True)
    shop.happened(order, "requested")
    stories.pack(shop, order)
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    shop.until(lambda: shop.open_hold(order, HoldKind.LABEL_REFUND_REJECTED), "a hold", order)
    assert shop.cancel(order).status_code == 202
    shop.happened(order, "cancellation_accepted")
    shop.resolve(order, "skip", HoldKind.LABEL_REFUND_REJECTED)
    assert shop.ends(order) == "cancelled"
    assert shop.books(order)["refunded"] == 2300


def test_a_refund_that_was_made_by_hand_is_not_made_again(shop: Shop) -> None:
    order, sku = asked_to_pack(shop)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    with shop.database.sessions() as tx:
        intent = str(tx.scalars(select(Payment.intent).where(Payment.order_id == order)).one())
    shop.outside.payments.refund(intent, amount=2300, metadata={}, key=f"by-hand-{order}")
    shop.happened(order, "refunded_elsewhere")
    called_back(shop, order)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    assert shop.books(order)["refunded"] == 2300
    assert shop.stock(sku) == {"OAK": (1, 0)}


@opens(HoldKind.RECALL_FAILED)
def test_a_warehouse_that_forgot_what_it_was_asked_for_may_be_skipped(shop: Shop) -> None:
    order, sku = asked_to_pack(shop)
    with shop.sandbox.failing("warehouse", "cancel", "error", match=order):
        shop.cancel(order)
        shop.resolve(order, "skip", HoldKind.RECALL_FAILED)
        assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}


def test_paid_elsewhere_and_cancelled_after_packing(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, payment={"method": "external", "reference": "till 4"}, by_hand=True)
    shop.happened(order, "requested")
    stories.pack(shop, order)
    called_back(shop, order)
    shop.goes_by_itself(order)
    shop.resolve(order, "done", HoldKind.EXTERNAL_REFUND)
    assert shop.ends(order) == "cancelled"
    mails = str(shop.sandbox.ask("/mailbox", order_id=order))
    assert "till 4" in mails
    assert "23.00 goes back" not in mails
    assert shop.stock(sku) == {"OAK": (1, 0)}


def test_a_refusal_that_comes_beside_the_recall_is_its_answer(shop: Shop) -> None:
    order, sku = asked_to_pack(shop)
    shop.cancel(order)
    shop.until(lambda: shop.books(order).get("recalls"), "the recall", order)
    shop.warehouse(order).sends("refused")
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}


def test_units_that_nobody_had_do_not_make_a_refused_cancellation_a_partial_one(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1, shop.product(): 1}, backorder="cancel_unavailable", by_hand=True)
    shop.happened(order, "requested")
    stories.pack(shop, order)
    shop.cancel(order)
    shop.until(lambda: shop.books(order).get("recalls"), "the recall", order)
    shop.warehouse(order).cannot_stop()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.view(order)["cancellation"] == "refused"


def test_a_long_reason_in_the_web_ui_is_cut_and_cancels(shop: Shop) -> None:
    order, _ = asked_to_pack(shop)
    shop.call(shop.handle(order).signal("cancel", {"by": "eve" * 99, "why": "they \0 wrote: " + "please " * 99}))
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
