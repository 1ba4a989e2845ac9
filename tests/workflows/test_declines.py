"""What a bank's refusal means for the next try: a stolen card is never asked again, an empty one may be."""

from datetime import timedelta

from sqlalchemy import select

from infra.database.tables import Payment, SavedMethod
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop
from tests.workflows.stories import customer_hears
from tests.workflows.test_deadlines import NEARLY, authorized_as, backordered, payments
from tests.workflows.test_paid import payment_intent

pytestmark = renewed_only


def renewal_refused_as(shop: Shop, card: str) -> tuple[str, str]:
    """The card is refused when its authorization is renewed, and that ends."""
    order, sku = backordered(shop)
    shop.sandbox.card_becomes(payment_intent(shop, order), card)
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_problem", "payment 2")
    shop.pass_time(order, timedelta(days=1))
    return order, sku


def methods(shop: Shop, order: str) -> tuple[str, set[str]]:
    """The one that was asked for first, and those that are saved."""
    with shop.database.sessions() as tx:
        first = tx.scalars(select(Payment.method).where(Payment.order_id == order, Payment.n == 1)).one()
        return first, set(tx.scalars(select(SavedMethod.reference).where(SavedMethod.customer_id == f"C-{order}")))


@opens(HoldKind.PAYMENT_METHOD_NEEDED)
def test_a_stolen_card_is_not_tried_again(shop: Shop) -> None:
    order, sku = renewal_refused_as(shop, "pm_card_chargeDeclinedStolenCard")
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_METHOD_NEEDED), "a hold", order)
    [hold] = [hold for hold in shop.view(order)["holds"] if not hold["closed_at"]]
    assert (hold["code"], hold["actions"]) == ("stolen_card", ["skip", "cancel"])
    stolen, saved = methods(shop, order)
    assert saved == set()
    shop.receive("OAK", {sku: 2})
    shop.happened(order, "packed")
    refused = shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": stolen})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["payment_method"]
    assert [status for status, _ in payments(shop, order)] == ["ended", "declined"]
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    assert shop.ends(order) == "completed"
    mails = [mail for mail in shop.sandbox.ask("/mailbox")["messages"] if order in str(mail)]
    assert mails
    assert "stolen" not in str(mails).lower()


@opens(HoldKind.PAYMENT_NEEDS_CUSTOMER)
def test_a_card_without_money_may_be_tried_again(shop: Shop) -> None:
    order, _ = renewal_refused_as(shop, "pm_card_chargeDeclinedInsufficientFunds")
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_NEEDS_CUSTOMER), "a hold", order)
    [hold] = [hold for hold in shop.view(order)["holds"] if not hold["closed_at"]]
    assert (hold["code"], "retry" in hold["actions"]) == ("insufficient_funds", True)
    assert methods(shop, order)[1] == {methods(shop, order)[0]}
    with shop.database.sessions() as tx:
        tried = tx.scalars(select(Payment.intent).where(Payment.order_id == order, Payment.n == 2)).one()
    shop.sandbox.card_becomes(str(tried), "pm_card_visa")
    shop.resolve(order, "retry", HoldKind.PAYMENT_NEEDS_CUSTOMER)
    authorized_as(shop, order, 3)
