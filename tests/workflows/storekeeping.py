"""What the people of a place without a warehouse system do about an order, with a key that is bound to that place."""

from datetime import timedelta
from typing import Any

import httpx

from infra.hold_kinds import HoldKind
from starter import keys
from tests.shop import Shop, unique
from tests.stack import DOCK
from tests.workflows.stories import customer_hears, deliver, tracking_number

BOX = {"weight_g": 800, "length_mm": 200, "width_mm": 150, "height_mm": 100}


class Store:
    """A place of this test's own."""

    def __init__(self, shop: Shop, *, notify: str = "store@example.com") -> None:
        self.shop, self.location = shop, unique("BER")
        body = {"name": "Berlin Mitte", "warehouse": "own", "address": DOCK, "notify": notify}
        shop.api.put(f"/v1/locations/{self.location}", json=body).raise_for_status()
        with shop.database.sessions.begin() as tx:
            key = keys.create(tx, self.location, ["store"], location=self.location)
        self.headers = {"Authorization": f"Bearer {key}"}

    def product(self, units: int) -> str:
        """With so many units here."""
        sku = self.shop.product()
        self.shop.receive(self.location, {sku: units})
        return sku

    def says(self, fulfillment: str, what: str, **body: Any) -> httpx.Response:
        where = f"/v1/fulfillments/{fulfillment}/{what}"
        return self.shop.api.post(where, json=body, headers=self.headers)

    def did(self, fulfillment: str, what: str, **body: Any) -> dict[str, Any]:
        answer = self.says(fulfillment, what, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def waits(self) -> dict[str, dict[str, Any]]:
        page = self.shop.api.get("/v1/fulfillments", headers=self.headers).raise_for_status().json()
        return {one["fulfillment_id"]: one for one in page["fulfillments"]}

    def asked(self, order: str) -> str:
        """Waits for a request of this order."""

        def mine() -> str:
            return next((id for id, one in self.waits().items() if one["order_id"] == order), "")

        return self.shop.until(mine, f"a request at {self.location}", order, 60)

    def hands_over(self, fulfillment: str) -> None:
        self.shop.sandbox.given_to_carrier(tracking_number(self.shop, fulfillment))
        self.did(fulfillment, "hand-over", by="Sam")

    def released(self, fulfillment: str) -> None:
        order = fulfillment.rpartition("-")[0]
        there = lambda: self.waits()[fulfillment]["released"]  # noqa: E731
        self.shop.until(there, "labels", order, 60)

    def hears(self, order: str, kind: str, subject: str) -> None:
        customer_hears(self.shop, order, kind, subject)


def delivered(shop: Shop, order: str) -> None:
    store = Store(shop)
    shop.place({store.product(2): 2}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    fulfillment = store.asked(order)
    store.hears(order, "store_request", fulfillment)
    for what, body in (("accept", {"by": "Kim"}), ("pick", {}), ("pack", {"parcels": [BOX]})):
        store.did(fulfillment, what, **body)
    store.released(fulfillment)
    [parcel] = store.waits()[fulfillment]["parcels"]
    assert parcel["label_url"]
    store.hands_over(fulfillment)
    deliver(shop, order, left=True)
    assert shop.ends(order, 60) == "completed"


def stopped(shop: Shop, order: str) -> None:
    store = Store(shop)
    shop.place({store.product(1): 1}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    fulfillment = store.asked(order)
    store.hears(order, "store_request", fulfillment)
    store.did(fulfillment, "accept")
    shop.cancel(order)
    store.hears(order, "store_recall", fulfillment)
    store.did(fulfillment, "stop", by="Kim")
    assert shop.ends(order, 60) == "cancelled"


def refused(shop: Shop, order: str) -> None:
    """An operator has it sent from elsewhere."""
    store = Store(shop)
    sku = store.product(1)
    shop.place({sku: 1}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    fulfillment = store.asked(order)
    store.hears(order, "store_request", fulfillment)
    store.did(fulfillment, "refuse", reason="too_busy")
    shop.receive("OAK", {sku: 1})
    shop.resolve(order, "replan", HoldKind.FULFILLMENT_REFUSED)
    shop.happened(order, "requested", 2, 60)
    shop.goes_by_itself(order)
    assert shop.ends(order, 60) == "completed"


def asked(shop: Shop, order: str) -> None:
    """And told; it has said nothing yet."""
    store = Store(shop)
    shop.place({store.product(1): 1}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    store.hears(order, "store_request", store.asked(order))


def reminded(shop: Shop, order: str) -> None:
    """Told once more, and cancelled then."""
    shop.pass_time(order, timedelta(hours=4, seconds=1))  # no longer: retries would pass with it
    customer_hears(shop, order, "store_reminder", f"{order}-1 1")
    shop.cancel(order)
    customer_hears(shop, order, "store_recall", f"{order}-1")
    shop.api.post(f"/v1/fulfillments/{order}-1/stop").raise_for_status()
    assert shop.ends(order, 60) == "cancelled"
