"""An order that waits for a person is cancelled: nobody needs to decide any more, and nothing keeps it open."""

from datetime import timedelta

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.shop import Shop


@renewed_only
def test_cancelled_while_its_warehouse_refuses(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.warehouse(order).refuses()
    shop.until(lambda: shop.open_hold(order, HoldKind.FULFILLMENT_REFUSED), "a hold", order)
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0)}
    assert shop.open_hold(order) is None


def test_a_run_knows_that_its_own_step_has_closed_a_hold(plain_shop: Shop) -> None:
    """The warehouse was silent, and takes the request to stop: nobody needs to ask it whether it packs."""
    shop = plain_shop
    order = shop.place({shop.product(prefix="SILENT", OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    shop.pass_time(order, timedelta(days=6))
    shop.until(lambda: shop.open_hold(order, HoldKind.REQUEST_UNANSWERED), "a hold", order)
    shop.cancel(order)
    shop.happened(order, "hold_closed")

    def holds() -> list[str]:
        return list(shop.call(shop.handle(order).query("status"))["holds"])

    shop.until(lambda: holds() == [], "the run to know it", order, 5)
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"


@renewed_only
def test_cancelled_while_an_operator_has_stopped_it(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.happened(order, "requested")
    shop.call(shop.handle(order).execute_update("hold", {"by": "eve", "why": "asked by phone"}))
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
    assert shop.open_hold(order) is None


def test_the_rest_cancelled_while_its_payment_waits_for_the_customer(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    order = shop.place({here: 1, missing: 1}, card="pm_card_declinedOffSession")
    shop.until(lambda: "delivered" in shop.timeline(order), "the first delivery", order)
    shop.pass_time(order, timedelta(days=21))
    shop.receive("OAK", {missing: 1})
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_NEEDS_CUSTOMER), "a hold", order)
    shop.cancel(order)
    assert shop.ends(order) == "completed"
    assert shop.stock(missing) == {"OAK": (1, 0)}
    assert shop.open_hold(order) is None
