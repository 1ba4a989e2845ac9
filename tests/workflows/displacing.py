"""What an order goes through whose units somebody buys at a counter."""

from activities import facts
from activities.facts.stock_moves import Delta, move
from infra.words import StockMoveKind
from tests.shop import Shop, unique
from tests.workflows.stories import customer_hears, deliver


def sold(shop: Shop, sku: str, location: str = "OAK", count: int = 1) -> None:
    """Carried out, whoever had them."""
    reference, shelf = unique("S"), (sku, location)
    with shop.database.sessions.begin() as tx:
        facts.inventory.lock(tx, [sku])
        assert not facts.displacing.freed(tx, reference, {shelf: count})
        move(tx, StockMoveKind.SHIPPED, reference, {shelf: Delta(on_hand=-count)})


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
