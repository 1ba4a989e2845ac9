"""What an order goes through that is picked up."""

from tests import pickups
from tests.shop import Shop
from tests.workflows.stories import customer_hears


def picked_up(shop: Shop, order: str) -> None:
    pickups.place(shop, {shop.product(OAK=2): 2}, order_id=order)
    customer_hears(shop, order, "confirmed")
    pickups.readied(shop, order)
    customer_hears(shop, order, "ready_for_pickup", f"{order}-1")
    shop.sandbox.pick_up(f"{order}-1")
    customer_hears(shop, order, "picked_up", f"{order}-1")
    assert shop.ends(order, 60) == "completed"
