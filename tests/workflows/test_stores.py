"""Orders that are packed where no warehouse system works."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from infra.database.tables import Effect
from tests.fixtures_shop import renewed_only
from tests.shop import Shop, unique
from tests.workflows import storekeeping
from tests.workflows.storekeeping import BOX, Store
from tests.workflows.stories import customer_hears

pytestmark = renewed_only


def asked_of_systems(shop: Shop, order: str) -> list[str]:
    with shop.database.sessions() as tx:
        steps = tx.scalars(select(Effect.step).where(Effect.order_id == order)).all()
    return [step for step in steps if step.split(":")[0] in ("request", "release", "recall")]


def to_the_store(shop: Shop, order: str) -> list[dict[str, Any]]:
    """In the order in which they came."""
    found = shop.sandbox.ask("/mailbox", order_id=order)["messages"]
    return [mail for mail in reversed(found) if mail["to"] == "store@example.com"]


def test_an_order_goes_from_a_store_to_its_customer(shop: Shop, sound: None) -> None:
    order = unique("W")
    storekeeping.delivered(shop, order)
    assert asked_of_systems(shop, order) == []
    assert not shop.books(order).keys() & {"requests", "releases", "recalls"}
    mails = to_the_store(shop, order)
    assert [f"Order {order}: to be packed" in mail["subject"] for mail in mails] == [True]
    assert "2 × Mug" in mails[0]["text"]


def test_a_store_stops_what_is_cancelled(shop: Shop, sound: None) -> None:
    order = unique("W")
    storekeeping.stopped(shop, order)
    assert asked_of_systems(shop, order) == []


def test_what_a_store_refuses_comes_from_elsewhere(shop: Shop, sound: None) -> None:
    storekeeping.refused(shop, unique("W"))


def test_what_a_store_can_not_stop_is_delivered(shop: Shop, sound: None) -> None:
    order, store = unique("W"), Store(shop)
    shop.place({store.product(1): 1}, order_id=order, by_hand=True)
    fulfillment = store.asked(order)
    shop.cancel(order)
    shop.until(lambda: store.waits()[fulfillment]["recall"] == "asked", "the recall", order)
    store.did(fulfillment, "refuse-stop")
    store.did(fulfillment, "pack", parcels=[BOX])
    store.released(fulfillment)
    store.hands_over(fulfillment)
    shop.goes_by_itself(order)
    customer_hears(shop, order, "cancellation_refused")
    assert shop.ends(order) == "completed"


def test_a_store_is_reminded_until_it_has_accepted(shop: Shop, sound: None) -> None:
    order, store = unique("W"), Store(shop)
    shop.place({store.product(1): 1}, order_id=order, by_hand=True)
    fulfillment = store.asked(order)
    store.hears(order, "store_request", fulfillment)
    for n in (1, 2):
        shop.pass_time(order, timedelta(hours=4, seconds=1))
        store.hears(order, "store_reminder", f"{fulfillment} {n}")
    store.did(fulfillment, "accept")
    shop.pass_time(order, timedelta(hours=9))
    store.did(fulfillment, "pack", parcels=[BOX])
    store.released(fulfillment)
    mails = [mail["subject"].partition(": ")[2] for mail in to_the_store(shop, order)]
    assert mails == ["to be packed", "still waits for you", "still waits for you"]
    store.hands_over(fulfillment)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
