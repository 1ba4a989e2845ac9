"""A payment intent that the shop's own page made pays an order; one that does not fit is left alone."""

from datetime import timedelta
from typing import Any

import pytest

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop
from tests.workflows.stories import customer_hears
from tests.workflows.test_deadlines import NEARLY, authorized_as, messages, payments

pytestmark = renewed_only
TOTAL = 1800 + 500


def asked(shop: Shop, intent: str, sku: str | None = None) -> dict[str, Any]:
    payment = {"method": "payment_intent", "reference": intent}
    return shop.order({sku or shop.product(OAK=1): 1}, payment=payment)


def place(shop: Shop, intent: str, sku: str | None = None) -> str:
    order = asked(shop, intent, sku)
    shop.api.post("/v1/orders", json=order).raise_for_status()
    return str(order["order_id"])


def changes_of(shop: Shop, intent: str) -> list[str]:
    """What was asked of the provider that changes it."""
    calls = shop.sandbox.requests("stripe")
    return [call["path"] for call in calls if intent in call["path"] and call["method"] == "POST"]


def authorizations(shop: Shop, order: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.view(order)["payment"]["authorizations"]
    return found


def test_what_was_authorized_on_the_page_is_captured_when_the_goods_are_ready(shop: Shop) -> None:
    made = shop.sandbox.check_out(TOTAL)
    order = asked(shop, made["id"])
    answer = shop.api.post("/v1/orders", json=order, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.json()["payment_status"]) == (202, "authorized")
    assert answer.json()["payment"]["method"] == "payment_intent"
    order_id = order["order_id"]
    assert shop.ends(order_id) == "completed"
    assert shop.books(order_id)["captured"] == TOTAL
    intent = shop.outside.payments.intent(made["id"])
    assert (intent.captured, intent.metadata["order_id"]) == (TOTAL, order_id)
    customer_hears(shop, order_id, "confirmed")


MISFITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another account's": ({"account": "other"}, "intent_unknown", "payment.reference"),
    "less": ({"amount": TOTAL - 1}, "intent_amount", "total"),
    "more": ({"amount": TOTAL + 1}, "intent_amount", "total"),
    "another currency": ({"currency": "eur"}, "intent_currency", "currency"),
    "captured by itself": (
        {"capture_method": "automatic", "status": "succeeded"},
        "intent_capture_method",
        "payment.reference",
    ),
    "captured already": ({"status": "succeeded"}, "intent_status", "payment.reference"),
    "cancelled": ({"status": "canceled"}, "intent_status", "payment.reference"),
    "not paid": ({"status": "requires_payment_method"}, "intent_status", "payment.reference"),
    "not confirmed": ({"status": "requires_action"}, "intent_status", "payment.reference"),
    "another order's": ({"metadata": {"order_id": "ELSE-1"}}, "intent_of_another_order", "payment.reference"),
}


def test_what_does_not_fit_is_left_alone_and_named(shop: Shop) -> None:
    """One customer tries all of them, and pays by card in the end."""
    made = {misfit: shop.sandbox.check_out(**{"amount": TOTAL} | MISFITS[misfit][0])["id"] for misfit in MISFITS}
    first, *others = made.values()
    order = asked(shop, first)
    answer = shop.api.post("/v1/orders", json=order, headers={"Prefer": "wait=20"}).json()
    assert (answer["status"], answer["payment_status"]) == ("placed", "declined")
    order_id = order["order_id"]
    pay = f"/v1/orders/{order_id}/payment-method"
    customer_hears(shop, order_id, "payment_problem", "payment 1")
    for n, intent in enumerate(others, start=2):
        shop.api.post(pay, json={"payment_intent": intent}).raise_for_status()
        customer_hears(shop, order_id, "payment_problem", f"payment {n}")
    assert shop.open_hold(order_id) is None
    for tried, (_, code, field) in zip(authorizations(shop, order_id), MISFITS.values(), strict=True):
        assert (tried["decline_code"], tried["problem"]["code"], tried["problem"]["field"]) == (code, code, field)
        assert "another way to pay" in tried["problem"]["message"]
    shop.api.post(pay, json={"payment_method": "pm_card_visa"}).raise_for_status()
    assert shop.ends(order_id) == "completed"
    assert [changes_of(shop, intent) for intent in made.values()] == [[]] * len(MISFITS)
    assert shop.books(order_id)["captured"] == TOTAL


def test_an_intent_that_fits_may_follow_one_that_does_not_which_is_free_again(shop: Shop) -> None:
    wrong, right = shop.sandbox.check_out(2 * TOTAL)["id"], shop.sandbox.check_out(TOTAL)["id"]
    order = place(shop, wrong)
    shop.reaches(order, payment_status="declined")
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_intent": right}).raise_for_status()
    assert shop.ends(order) == "completed"
    assert shop.outside.payments.intent(right).captured == TOTAL
    again = asked(shop, wrong)
    assert shop.api.post("/v1/orders", json=again).status_code == 202


def test_an_intent_that_is_known_is_refused_at_the_door(shop: Shop) -> None:
    intent = shop.sandbox.check_out(TOTAL)["id"]
    first = asked(shop, intent)
    assert shop.api.post("/v1/orders", json=first).status_code == 202
    assert shop.api.post("/v1/orders", json=first).status_code == 200, "the same order"
    for _ in range(2):
        second = asked(shop, intent)
        refused = shop.api.post("/v1/orders", json=second)
        assert refused.status_code == 422
        assert refused.json()["errors"] == [{"field": "payment.reference", "message": "pays another order already"}]
        assert shop.api.get(f"/v1/orders/{second['order_id']}").status_code == 404
    declined = shop.place({shop.product(OAK=1): 1}, card="pm_card_chargeDeclined")
    shop.reaches(declined, payment_status="declined")
    refused = shop.api.post(f"/v1/orders/{declined}/payment-method", json={"payment_intent": intent})
    assert refused.json()["errors"] == [{"field": "payment_intent", "message": "pays an order already"}]
    shop.cancel(declined)
    assert shop.ends(first["order_id"]) == "completed"


def test_an_order_that_nobody_pays_is_cancelled_and_the_intent_left_alone(shop: Shop) -> None:
    intent = shop.sandbox.check_out(TOTAL + 1)["id"]
    order = place(shop, intent)
    shop.reaches(order, payment_status="declined")
    shop.pass_time(order, timedelta(days=3, minutes=1))
    assert shop.ends(order) == "cancelled"
    assert changes_of(shop, intent) == []
    assert shop.outside.payments.intent(intent).status == "authorized"


@pytest.mark.parametrize(("amount", "after"), [(TOTAL, "ended"), (TOTAL + 1, "authorized")])
def test_cancelled_before_it_was_looked_at_only_what_fits_is_voided(shop: Shop, amount: int, after: str) -> None:
    intent = shop.sandbox.check_out(amount)["id"]
    with shop.sandbox.failing("stripe", "retrieve", "error", match=intent) as fault:
        order = place(shop, intent)
        shop.until(lambda: shop.sandbox.struck(fault), "a look at it", order)
        shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    assert shop.outside.payments.intent(intent).status == after


@pytest.mark.parametrize("mode", ["lose_answer", "error_after", "error"])
def test_the_answer_to_the_mark_is_lost(shop: Shop, mode: Any) -> None:
    intent = shop.sandbox.check_out(TOTAL)["id"]
    fault = shop.sandbox.fail("stripe", "update", mode, match=intent)
    order = place(shop, intent)
    assert shop.ends(order) == "completed"
    assert shop.sandbox.struck(fault) == 1
    assert [tried["status"] for tried in authorizations(shop, order)] == ["captured"]
    assert shop.books(order)["captured"] == TOTAL


def waiting(shop: Shop, **details: Any) -> tuple[str, str, dict[str, Any]]:
    made = shop.sandbox.check_out(TOTAL, **details)
    sku = shop.product()
    order = place(shop, made["id"], sku)
    customer_hears(shop, order, "backordered")
    return order, sku, made


def test_a_saved_method_is_renewed(shop: Shop) -> None:
    order, sku, made = waiting(shop, customer="new", setup_future_usage="off_session")
    shop.sandbox.advance(made["customer"], NEARLY.total_seconds())
    shop.pass_time(order, NEARLY)
    authorized_as(shop, order, 2)
    assert payments(shop, order)[0] == ("ended", TOTAL)
    shop.receive("OAK", {sku: 1})
    assert shop.ends(order) == "completed"


def test_without_a_saved_method_the_customer_is_asked_while_it_is_good(shop: Shop) -> None:
    order, sku, _ = waiting(shop)
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_ending", "payment 1")
    [data] = messages(shop, order, "payment_ending")
    assert data["good_until"] == authorizations(shop, order)[0]["capture_before"].replace("Z", "+00:00")
    assert payments(shop, order) == [("authorized", TOTAL)]
    assert shop.open_hold(order) is None
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    authorized_as(shop, order, 2)
    assert payments(shop, order)[0] == ("ended", TOTAL)
    shop.receive("OAK", {sku: 1})
    assert shop.ends(order) == "completed"


@opens(HoldKind.PAYMENT_METHOD_NEEDED)
def test_what_ends_and_was_not_saved_waits_for_another_method(shop: Shop) -> None:
    order, sku, _ = waiting(shop)
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_ending", "payment 1")
    shop.pass_time(order, timedelta(days=1))
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_METHOD_NEEDED), "a hold", order)
    [hold] = [hold for hold in shop.view(order)["holds"] if not hold["closed_at"]]
    assert (hold["code"], hold["actions"]) == ("not_saved", ["skip", "cancel"])
    shop.receive("OAK", {sku: 1})
    shop.happened(order, "packed")
    assert payments(shop, order) == [("ended", TOTAL)], "the bank is not asked"
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    assert shop.ends(order) == "completed"
    assert shop.open_hold(order) is None
