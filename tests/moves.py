"""What a warehouse does about an order, at a test's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.shop import Shop


class Warehouse:
    """One fulfillment's warehouse. It moves as soon as it was asked for it."""

    def __init__(self, shop: Shop, order_id: str, n: int) -> None:
        self.shop = shop
        self.order_id = order_id
        self.n = n

    def accepts(self) -> None:
        self.does("accept")

    def packs(self, *parcels: dict[str, int]) -> None:
        self.does("pack", {"parcels": parcels} if parcels else None)

    def packs_units(self, *contents: dict[str, int]) -> None:
        """By SKU, a parcel each."""
        self.does("pack", {"contents": contents})

    def misses(self, missing: dict[str, int]) -> None:
        """A short pick of these units, by SKU."""
        self.does("short_pick", {"lines": [{"sku": sku, "missing": units} for sku, units in missing.items()]})

    def refuses(self, code: str | None = None) -> None:
        self.does("refuse", {"code": code} if code else None)

    def hands_over(self) -> None:
        self.does("hand_over")

    def stops(self) -> None:
        """Asked to, or by itself."""
        self.does("cancel")

    def cannot_stop(self) -> None:
        self.does("refuse_cancel")

    def does(self, step: Any, body: Any = None) -> None:
        self.shop.happened(self.order_id, "requested", self.n, 60)
        self.shop.sandbox.warehouse(f"{self.order_id}-{self.n}", step, body)

    def sends(self, news: str, **data: Any) -> None:
        """News that no warehouse of ours would send by itself."""
        body = {"fulfillment_id": f"{self.order_id}-{self.n}"} | data
        self.shop.sandbox.tell("/warehouse/send", {"type": f"fulfillment.{news}", "data": body})
