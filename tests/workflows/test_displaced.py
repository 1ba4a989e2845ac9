"""Units that somebody carries to the till, though they are an order's (docs/data.md, walk 2): it hears of it, stops its
fulfillment, and has them sent from elsewhere; or it waits; or the warehouse had them after all."""

from sqlalchemy import select

from activities.views.check import breaches
from infra.database.tables import Fulfillment
from tests.fixtures_shop import renewed_only
from tests.shop import Shop, unique
from tests.workflows.displacing import displaced, requested, sku_of, sold

pytestmark = renewed_only


def sound(shop: Shop) -> bool:
    with shop.database.sessions() as tx:
        return [*breaches(tx)] == []


def test_it_is_sent_from_another_place(shop: Shop) -> None:
    order = unique("W")
    requested(shop, order)
    sku = sku_of(shop, order)
    displaced(shop, order)
    assert shop.stock(sku) == {"OAK": (0, 0), "RNO": (0, 0)}
    with shop.database.sessions() as tx:
        rows = select(Fulfillment.location_id, Fulfillment.status).where(Fulfillment.order_id == order)
        assert tx.execute(rows.order_by(Fulfillment.n)).all() == [("OAK", "cancelled"), ("RNO", "delivered")]
    assert sound(shop)


def test_where_nobody_has_one_it_waits_and_the_customer_hears(shop: Shop) -> None:
    sku = shop.product(OAK=2)
    order = shop.place({sku: 2}, by_hand=True)
    shop.happened(order, "requested")
    sold(shop, sku)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.happened(order, "backordered")
    shop.until(lambda: shop.stock(sku) == {"OAK": (1, 1)}, "one to stay reserved", order)
    shop.goes_by_itself(order)
    shop.receive("OAK", {sku: 1})
    assert shop.ends(order) == "completed"
    assert "backordered" in {message["kind"] for message in shop.view(order)["messages"]}
    assert shop.stock(sku) == {"OAK": (0, 0)}
    assert sound(shop)


def test_what_the_warehouse_packed_all_the_same_is_sent(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.happened(order, "requested")
    silent = shop.sandbox.fail("warehouse", "cancel", "error", times=None, match=order)
    sold(shop, sku)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).packs()
    shop.happened(order, "packed")
    assert shop.stock(sku) == {"OAK": (1, 1)}, "one more than was known"
    shop.sandbox.mend(silent)
    shop.warehouse(order).cannot_stop()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (0, 0)}
    assert sound(shop)
