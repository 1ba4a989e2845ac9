"""Orders of which money is asked back."""

from tests.shop import Shop
from tests.workflows import stories


def refunded_on_the_way(shop: Shop, order: str) -> None:
    """A unit, while the parcel is under way."""
    shop.place({shop.product(OAK=2): 2}, order_id=order, by_hand=True)
    stories.customer_hears(shop, order, "confirmed")
    stories.pack(shop, order)
    wish = {"lines": [{"line": 1, "quantity": 1}], "by": "eve", "why": "damaged", "request_id": "R-1"}
    shop.call(shop.handle(order).execute_update("refund", wish), 60)
    shop.happened(order, "refund_succeeded", 1, 60)
    stories.customer_hears(shop, order, "refunded", "refund 1")
    stories.deliver(shop, order)
    assert shop.ends(order, 60) == "completed"


def refunded_after_the_end(shop: Shop, order: str) -> None:
    wish = {"lines": [{"line": 1, "quantity": 1}], "refund_request_id": "R-1"}
    shop.api.post(f"/v1/orders/{order}/refunds", json=wish).raise_for_status()
    shop.happened(order, "refund_succeeded", 1, 60)
    stories.customer_hears(shop, order, "refunded", "refund 1")
    assert shop.ends(order, 60) == "completed"
