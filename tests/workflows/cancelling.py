"""What an order goes through of which some units are cancelled."""

from tests.shop import Shop
from tests.workflows.stories import customer_hears, deliver


def line_cancelled(shop: Shop, order: str) -> None:
    """One of two units, when the warehouse was asked for both: it stops, and the other is sent anew."""
    shop.place({shop.product(OAK=2): 2}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    shop.happened(order, "requested", 1, 60)
    shop.cancel(order, lines=[{"line": 1, "quantity": 1}])
    shop.until(lambda: shop.books(order).get("recalls", 0), "the recall", order, 60)
    shop.warehouse(order).stops()
    shop.warehouse(order, 2).packs()
    shop.happened(order, "released", 1, 60)
    deliver(shop, order, 2)
    assert shop.ends(order, 60) == "completed"
