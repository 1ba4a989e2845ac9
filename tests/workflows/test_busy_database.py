"""What waited too long for the database is tried again, and keeps nobody else from it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_shop import NewDatabase
from tests.shop import Shop
from tests.workflows import stories

HASTY = {"ORDERS_HTTP_TIMEOUT": "900ms", "ORDERS_START_TO_CLOSE": "1s"}


class Begun(Interceptor):
    """How often each activity was begun."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Counted(next, self.times)


class _Counted(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, times: Counter[str]) -> None:
        super().__init__(next)
        self.times = times

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.times[activity.info().activity_type] += 1
        return await super().execute_activity(input)


@pytest.fixture
def begun() -> Begun:
    return Begun()


@pytest.fixture
def shop(new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl, begun: Begun) -> Iterator[Shop]:
    with Shop(new_database("busy"), engine_server, sandbox, interceptors=[begun], settings=HASTY) as shop:
        yield shop


def test_who_waited_too_long_for_the_database_holds_up_nobody(shop: Shop, begun: Begun) -> None:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    stories.customer_hears(shop, order, "confirmed")
    shop.happened(order, "requested")
    with shop.database.sessions.begin() as tx:
        tx.execute(text("SELECT 1"))
        looks = begun.times["load_order"]
        shop.call(shop.handle(order).signal("news"))
        shop.until(lambda: begun.times["load_order"] > looks + 1, "a look that waits to be given up", order)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
