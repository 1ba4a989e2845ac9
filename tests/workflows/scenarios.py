"""The scenarios whose histories are kept: each a story of one order, told so that nothing happens by itself."""

from datetime import timedelta

from infra.hold_kinds import HoldKind
from tests.shop import Shop
from tests.workflows import cancelling, collecting, stories
from tests.workflows.stories import Story, customer_hears, deliver, pack


def backordered_and_restocked(shop: Shop, order: str) -> None:
    """Three weeks between the parcels: the first authorization has ended by then."""
    here, missing = shop.product(OAK=1), shop.product()
    shop.place({here: 1, missing: 1}, order_id=order, by_hand=True)
    pack(shop, order)
    deliver(shop, order)
    shop.pass_time(order, timedelta(days=21))
    shop.receive("OAK", {missing: 1})
    pack(shop, order, 2)
    deliver(shop, order, 2)
    assert shop.ends(order, 60) == "completed"


def declined_and_rescued(shop: Shop, order: str) -> None:
    shop.place({shop.product(OAK=1): 1}, order_id=order, card="pm_card_chargeDeclined", by_hand=True)
    customer_hears(shop, order, "payment_problem", "payment 1")
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    pack(shop, order)
    deliver(shop, order)
    assert shop.ends(order, 60) == "completed"


def never_paid(shop: Shop, order: str) -> None:
    """Declined, and nothing else until the deadline."""
    shop.place({shop.product(OAK=1): 1}, order_id=order, card="pm_card_chargeDeclined", by_hand=True)
    customer_hears(shop, order, "payment_problem", "payment 1")
    shop.pass_time(order, timedelta(days=3, minutes=1))
    assert shop.ends(order, 60) == "cancelled"


def cancelled_while_stripe_is_down(shop: Shop, order: str) -> None:
    sku = shop.product(OAK=1)
    with shop.sandbox.failing("stripe", "*", "error", match=order):
        shop.place({sku: 1}, order_id=order, by_hand=True)
        shop.until(lambda: shop.call(shop.pending(order))[1:], "an attempt that failed", order)
        shop.cancel(order)
        shop.happened(order, "cancellation_accepted")
    assert shop.ends(order, 60) == "cancelled"


def cancelled_while_the_warehouse_works(shop: Shop, order: str) -> None:
    """With the web UI's Request Cancellation."""
    shop.place({shop.product(OAK=1): 1}, order_id=order, by_hand=True)
    shop.happened(order, "requested", 1, 60)
    shop.call(shop.handle(order).cancel())
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    assert shop.ends(order, 60) == "cancelled"


def cancelled_when_half_of_it_has_shipped(shop: Shop, order: str) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    shop.place({here: 1, missing: 1}, order_id=order, by_hand=True)
    pack(shop, order)
    deliver(shop, order)
    shop.cancel(order)
    assert shop.ends(order, 60) == "completed"


def held_and_retried(shop: Shop, order: str) -> None:
    """Shippo is down for longer than the order's patience."""
    with shop.sandbox.failing("shippo", "*", "error", match=order):
        shop.place({shop.product(OAK=1): 1}, order_id=order, by_hand=True)
        shop.warehouse(order).packs()
        shop.until(lambda: shop.open_hold(order, HoldKind.BUY_LABEL_FAILED), "a hold", order, 60)
    shop.resolve(order, "retry", HoldKind.BUY_LABEL_FAILED)
    shop.happened(order, "released", 1, 60)
    deliver(shop, order)
    assert shop.ends(order, 60) == "completed"


def stopped_by_an_operator(shop: Shop, order: str) -> None:
    """With the updates of the web UI."""
    shop.place({shop.product(OAK=1): 1}, order_id=order, by_hand=True)
    shop.happened(order, "requested", 1, 60)
    shop.call(shop.handle(order).execute_update("hold", {"by": "eve", "why": "looks odd"}))
    hold = shop.until(lambda: shop.open_hold(order, HoldKind.STOPPED), "a hold", order)
    shop.warehouse(order).packs()
    shop.happened(order, "packed")
    decision = {"hold": hold, "action": "retry", "by": "eve", "why": "is fine"}
    shop.call(shop.handle(order).execute_update("resolve", decision))
    shop.happened(order, "released", 1, 60)
    deliver(shop, order)
    assert shop.ends(order, 60) == "completed"


def reset_after_its_end(shop: Shop, order: str) -> None:
    stories.delivered(shop, order)
    shop.reset(order)
    assert shop.ends(order, 60) == "completed"


SCENARIOS: dict[str, Story] = {
    story.__name__: story
    for story in (
        stories.delivered,
        stories.two_holds,
        backordered_and_restocked,
        declined_and_rescued,
        never_paid,
        cancelled_while_stripe_is_down,
        stories.cancelled_while_waiting,
        cancelled_while_the_warehouse_works,
        stories.cancelled_after_label,
        cancelling.line_cancelled,
        cancelled_when_half_of_it_has_shipped,
        held_and_retried,
        stories.held_and_cancelled,
        stopped_by_an_operator,
        stories.lost_parcel,
        reset_after_its_end,
        collecting.picked_up,
    )
}
RENEWED: dict[str, Story] = {
    f"{story.__name__}_renewed": story for story in (stories.delivered, stories.cancelled_after_label)
}
"""In a shop where every order goes on as a new run at every wait."""
