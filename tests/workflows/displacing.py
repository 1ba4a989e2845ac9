"""What an order goes through whose units somebody buys at a counter."""

from typing import Any

from infra.clock import wall_clock
from tests.shop import Shop, unique
from tests.workflows.stories import customer_hears, deliver


def sold(shop: Shop, sku: str) -> None:
    """One, carried to the till in Oakland, whoever had it."""
    shop.api.put("/v1/tills/OAK-1", json={"location": "OAK"}).raise_for_status()
    sale: dict[str, Any] = {"order_id": unique("S"), "channel": "pos", "till": "OAK-1", "currency": "usd"}
    sale |= {"sold_at": wall_clock().isoformat(), "lines": [{"sku": sku, "quantity": 1, "unit_price": 1800}]}
    sale |= {"total": 1800, "payment": {"method": "external", "reference": "drawer", "kind": "cash"}}
    answer = shop.api.post("/v1/orders", json=sale)
    assert answer.json()["status"] == "completed", answer.text


def sku_of(shop: Shop, order: str) -> str:
    return str(shop.view(order)["lines"][0]["sku"])


def requested(shop: Shop, order: str) -> None:
    """Of Oakland; Reno has one as well."""
    shop.place({shop.product(OAK=1, RNO=1): 1}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    shop.happened(order, "requested", 1, 60)


def displaced(shop: Shop, order: str) -> None:
    """Oakland's is sold: it stops, and Reno sends its own."""
    sold(shop, sku_of(shop, order))
    shop.until(lambda: shop.books(order).get("recalls", 0), "the recall", order, 60)
    shop.warehouse(order).stops()
    shop.warehouse(order, 2).packs()
    shop.happened(order, "released", 1, 60)
    deliver(shop, order, 2)
    assert shop.ends(order, 60) == "completed"
