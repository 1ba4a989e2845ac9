"""A deadline acts on what is on record, not on what the run last heard: news that is committed and not told yet counts.
Here its nudge never comes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from activities import facts
from activities.ports import Parcel
from infra import clock
from infra.database.tables import Relay
from infra.hold_kinds import HoldKind
from tests.shop import Shop
from tests.workflows import stories

News = Callable[[Session, str], object]
PARCEL = Parcel(weight_g=400, length_mm=100, width_mm=100, height_mm=100)


def unheard(shop: Shop, order: str, news: News) -> None:
    shop.until(lambda: not shop.call(shop.under_way(order)), "what is under way to answer", order)
    with shop.database.sessions.begin() as tx:
        assert news(tx, f"{order}-1")
        tx.flush()
        tx.execute(delete(Relay).where(Relay.subject_id == order, Relay.done_at.is_(None)))


def packed(tx: Session, fulfillment_id: str) -> object:
    return facts.packing.packed(tx, fulfillment_id, [PARCEL], clock.wall_clock())


def left(tx: Session, fulfillment_id: str) -> object:
    return facts.handing_over.handed_over(tx, fulfillment_id, clock.wall_clock())


def stopped(tx: Session, fulfillment_id: str) -> object:
    return facts.recall.recall_confirmed(tx, fulfillment_id, clock.wall_clock())


def requested(shop: Shop, order: str) -> None:
    shop.happened(order, "requested")


def released(shop: Shop, order: str) -> None:
    requested(shop, order)
    stories.pack(shop, order)


def recalled(shop: Shop, order: str) -> None:
    requested(shop, order)
    shop.cancel(order)
    shop.happened(order, "recall_asked")


@pytest.mark.parametrize(
    ("reach", "news", "then"),
    [(requested, packed, "released"), (released, left, "shipped"), (recalled, stopped, "voided")],
)
def test_a_warehouse_that_has_answered_is_not_silent(
    plain_shop: Shop, reach: Callable[[Shop, str], None], news: News, then: str
) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    reach(shop, order)
    unheard(shop, order, news)
    shop.pass_time(order, timedelta(days=6))
    shop.happened(order, then)
    if then == "voided":
        assert shop.ends(order) == "cancelled"
    assert "held" not in shop.timeline(order)


def test_a_way_to_pay_that_came_before_the_deadline_is_tried(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_chargeDeclined")
    stories.customer_hears(shop, order, "payment_problem", "payment 1")

    def another(tx: Session, _: str) -> object:
        return facts.placing.payment_method_given(tx, order, "pm_card_visa", clock.wall_clock())

    unheard(shop, order, another)
    shop.pass_time(order, timedelta(days=4))
    assert shop.ends(order) == "completed"


def test_a_silent_warehouse_that_stops_what_was_released_needs_nobody(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    released(shop, order)
    shop.pass_time(order, timedelta(days=6))
    shop.until(lambda: shop.open_hold(order, HoldKind.RELEASE_UNANSWERED), "a hold", order)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    shop.pass_time(order, timedelta(days=6))  # until the label's refund is asked after
    assert shop.ends(order) == "cancelled"
