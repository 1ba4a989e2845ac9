"""A demo that is resumed goes on from where it was killed."""

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.testing import TimeSkipper

from starter.cli.demo.clocks import set_ahead
from tests.shop import Shop

BY = timedelta(days=21)


def test_time_that_has_passed_does_not_pass_again(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(): 1}, notify=[])
    shop.happened(order, "backordered")
    customer = shop.view(order)["customer"]["customer_id"]
    shop.sandbox.advance(customer, timedelta(days=20).total_seconds())  # killed before the order's clock followed
    for _ in range(2):
        shop.call(set_ahead(shop.sandbox, shop.client, customer, order, BY))
        assert near(shop.sandbox.now(customer))
        assert near(shop.call(TimeSkipper(shop.client).get_current_time(shop.handle(order))))
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    shop.call(asyncio.wait_for(set_ahead(shop.sandbox, shop.client, customer, order, BY), 20))


def near(clock: datetime) -> bool:
    return abs(clock - datetime.now(UTC) - BY) < timedelta(seconds=5)
