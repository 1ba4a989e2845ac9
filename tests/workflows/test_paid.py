"""Money: declines, the customer's bank, holds on the card that end, refunds that fail."""

from datetime import timedelta

import pytest

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("sound")


def test_a_declined_card_is_rescued_by_another(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, card="pm_card_chargeDeclined")
    shop.reaches(order, payment_status="declined", status="placed")
    assert shop.stock(sku) == {"OAK": (1, 0)}, "nothing is set aside for a declined order"
    answer = shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"})
    assert answer.status_code == 202, answer.text
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"]) == (1, 1)


@renewed_only
def test_three_d_secure_waits_for_the_customer(shop: Shop) -> None:
    asked = shop.order({shop.product(OAK=1): 1}, card="pm_card_authenticationRequired")
    order = asked["order_id"]
    answer = shop.api.post("/v1/orders", json=asked, headers={"Prefer": "wait=20"})
    assert (answer.json()["payment_status"], answer.headers["cache-control"]) == ("action_required", "no-store")
    [waiting] = answer.json()["payment"]["authorizations"]
    intent = payment_intent(shop, order)
    assert waiting["client_secret"].startswith(f"{intent}_secret_")
    shop.sandbox.card(intent, "authenticate")
    shop.reaches(order, payment_status="authorized")
    assert [each["client_secret"] for each in shop.view(order)["payment"]["authorizations"]] == [None]
    assert shop.ends(order) == "completed"
    assert shop.books(order)["captures"] == 1


@renewed_only
def test_three_d_secure_that_fails_is_a_decline(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_authenticationRequired")
    shop.reaches(order, payment_status="action_required")
    shop.sandbox.card(payment_intent(shop, order), "fail_authentication")
    shop.reaches(order, payment_status="declined")
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    assert shop.ends(order) == "completed"
    assert shop.books(order)["authorizations"] == 1


def payment_intent(shop: Shop, order: str) -> str:
    from sqlalchemy import select

    from infra.database.tables import Payment

    with shop.database.sessions() as tx:
        return str(
            tx.scalars(select(Payment.intent).where(Payment.order_id == order).order_by(Payment.n.desc())).first()
        )


@renewed_only
@pytest.mark.parametrize(("card", "outcome"), [("pm_card_visa", "authorized"), ("pm_card_chargeDeclined", "declined")])
def test_who_prefers_to_wait_is_answered_with_what_the_bank_said(shop: Shop, card: str, outcome: str) -> None:
    asked = shop.order({shop.product(): 1}, card=card)
    answer = shop.api.post("/v1/orders", json=asked, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=20")
    assert answer.json()["payment_status"] == outcome


@opens(HoldKind.PAYMENT_NEEDS_CUSTOMER)
def test_an_off_session_decline_holds_the_payment_until_the_customer_gives_another_card(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    order = shop.place({here: 1, missing: 1}, card="pm_card_declinedOffSession")
    shop.until(lambda: "delivered" in shop.timeline(order), "the first delivery", order)
    shop.pass_time(order, timedelta(days=21))
    shop.receive("OAK", {missing: 1})
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_NEEDS_CUSTOMER), "a hold", order)
    assert "label_bought" in shop.timeline(order)
    assert shop.books(order)["labels"] == 1, "no label is bought for goods that nobody can pay"
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    assert shop.ends(order) == "completed"
    assert shop.books(order)["captured"] == 2 * 1800 + 500
    assert shop.open_hold(order) is None


@renewed_only
def test_an_authorization_that_expires_while_the_warehouse_packs_is_replaced(shop: Shop) -> None:
    order = shop.place({shop.product(prefix="SILENT", OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    shop.pass_time(order, timedelta(days=8))
    shop.happened(order, "authorization_ended")
    shop.warehouse(order).packs()
    shop.goes_by_itself(order)
    shop.happened(order, "released")
    shop.warehouse(order).hands_over()
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["captured"]) == (2, 1, 2300)


@renewed_only
@opens(HoldKind.REFUND_FAILED)
def test_a_refund_that_the_bank_gives_back_reaches_an_operator_after_the_order_has_ended(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    refund = next(e["reference"] for e in shop.sandbox.books(order)["entries"] if e["effect"] == "refund")
    shop.sandbox.card_refund(refund, "fail")
    shop.until(lambda: shop.open_hold(order, HoldKind.REFUND_FAILED), "a hold", order)
    assert shop.view(order)["status"] == "cancelled", "closed stays closed"
    shop.resolve(order, "retry", HoldKind.REFUND_FAILED)
    shop.happened(order, "refund_pending", 2)
    assert shop.ends(order) == "cancelled"
    assert [r["status"] for r in shop.view(order)["payment"]["refunds"]] == ["failed", "succeeded"]
    shop.reaches(order, payment_status="refunded")
    assert shop.open_hold(order) is None


@renewed_only
@opens(HoldKind.DISPUTE)
def test_a_dispute_after_the_end_wakes_the_order(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1})
    assert shop.ends(order) == "completed"
    shop.sandbox.dispute(payment_intent(shop, order))
    shop.until(lambda: shop.open_hold(order, HoldKind.DISPUTE), "a hold", order)
    shop.reaches(order, payment_status="disputed")
    shop.resolve(order, "skip", HoldKind.DISPUTE)
    assert shop.ends(order) == "completed"
    shop.reaches(order, payment_status="disputed")
    [dispute] = shop.view(order)["payment"]["disputes"]
    shop.sandbox.move_dispute(dispute["dispute_id"], "won")
    shop.reaches(order, status="completed", payment_status="captured")


@renewed_only
def test_a_card_that_the_bank_does_not_know_is_declined_and_replaced_by_another(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, card="pm_nobody_has_this")
    shop.reaches(order, payment_status="declined", status="placed")
    assert shop.open_hold(order) is None
    assert "payment_problem" in [message["kind"] for message in shop.view(order)["messages"]]
    given = {"payment_method": "pm_card_visa"}
    shop.api.post(f"/v1/orders/{order}/payment-method", json=given).raise_for_status()
    assert shop.ends(order) == "completed"
    assert shop.books(order)["authorizations"] == 1


@renewed_only
def test_an_order_that_costs_nothing_needs_no_payment(shop: Shop) -> None:
    sku = shop.product(OAK=3)
    asked = shop.order({sku: 3}, discount=3 * 1800 + 500) | {"total": 0}
    order = asked["order_id"]
    answer = shop.api.post("/v1/orders", json=asked)
    assert answer.status_code == 202, answer.text
    assert shop.ends(order) == "completed"
    assert not [call for call in shop.sandbox.requests("stripe") if order in call["path"] + call["body"]]
    assert "confirmed" in [message["kind"] for message in shop.view(order)["messages"]]
    shop.reaches(order, payment_status="captured", fulfillment_status="delivered")


@renewed_only
def test_an_order_that_costs_nothing_is_cancelled_without_a_call(shop: Shop) -> None:
    shop.sandbox.pace(None)
    asked = shop.order({shop.product(OAK=1): 1}, discount=1800 + 500) | {"total": 0}
    order = asked["order_id"]
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    shop.happened(order, "requested")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.sandbox.warehouse(f"{order}-1", "cancel")
    assert shop.ends(order) == "cancelled"
    assert not [call for call in shop.sandbox.requests("stripe") if order in call["path"] + call["body"]]


@renewed_only
@opens(HoldKind.AUTHORIZE_FAILED)
def test_a_payment_that_is_held_ends_with_its_deadline(shop: Shop) -> None:
    asked = shop.order({shop.product(OAK=1): 1})
    order = asked["order_id"]
    with shop.sandbox.failing("stripe", "create_intent", "error", match=order):
        shop.api.post("/v1/orders", json=asked).raise_for_status()
        shop.until(lambda: shop.open_hold(order, HoldKind.AUTHORIZE_FAILED), "a hold", order)
        shop.pass_time(order, timedelta(days=3, minutes=1))
        shop.happened(order, "cancellation_accepted")
    assert shop.ends(order) == "cancelled"
    assert shop.open_hold(order) is None


@renewed_only
def test_a_rest_that_is_less_than_the_bank_takes_is_captured_with_what_comes_before_it(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    asked = shop.order({here: 1, missing: 1})
    order = asked["order_id"]
    asked["shipping"]["price"] = 0
    asked["lines"][1]["unit_price"] = 30
    shop.api.post("/v1/orders", json=asked | {"total": 1830}).raise_for_status()
    shop.until(lambda: "delivered" in shop.timeline(order), "the first delivery", order)
    shop.pass_time(order, timedelta(days=21))
    shop.receive("OAK", {missing: 1})
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["captured"]) == (1, 1, 1830)


@renewed_only
@opens(HoldKind.REST_TOO_SMALL)
def test_a_rest_that_is_too_small_to_charge_may_be_given_up(shop: Shop) -> None:
    """It was not, until a unit of it was cancelled."""
    here, missing = shop.product(OAK=1), shop.product()
    asked = shop.order({here: 1, missing: 2})
    order = asked["order_id"]
    asked["shipping"]["price"] = 0
    asked["lines"][1]["unit_price"] = 30
    shop.api.post("/v1/orders", json=asked | {"total": 1860}).raise_for_status()
    shop.until(lambda: "delivered" in shop.timeline(order), "the first delivery", order)
    shop.cancel(order, lines=[{"line": 2, "quantity": 1}]).raise_for_status()
    shop.happened(order, "units_cancelled")
    shop.pass_time(order, timedelta(days=21))
    shop.receive("OAK", {missing: 1})
    shop.until(lambda: shop.open_hold(order, HoldKind.REST_TOO_SMALL), "a hold", order)
    hold = shop.view(order)["holds"][-1]
    assert (hold["code"], hold["actions"]) == ("amount_too_small", ["retry", "skip", "cancel"])
    shop.resolve(order, "skip", HoldKind.REST_TOO_SMALL)
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captured"]) == (1, 1800)
    shop.reaches(order, payment_status="captured")
