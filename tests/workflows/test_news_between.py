"""News that is committed between a step's call and its answer is not lost, whichever part of the order it is about."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities import facts
from activities.facts.journal import nudge
from activities.models import CancelReason
from activities.ports import Parcel
from infra import clock
from infra.temporal import DevServer
from tests.fixtures_shop import NewDatabase
from tests.sandbox import SandboxControl
from tests.shop import Shop

News = Callable[[Session, str], None]


class Between(Interceptor):
    """Once an order's first capture has begun, and before it answers."""

    def __init__(self) -> None:
        self.news: dict[str, Callable[[], None]] = {}

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Between(super().intercept_activity(next), self)


class _Between(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, between: Between) -> None:
        super().__init__(next)
        self.between = between

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        step = input.fn
        if activity.info().activity_type == "capture_payment":
            news = self.between.news.pop(input.args[0].order_id, lambda: None)

            def between(*args: Any) -> Any:
                news()
                return step(*args)

            input.fn = between
        return await super().execute_activity(input)


@pytest.fixture(scope="module")
def between() -> Between:
    return Between()


@pytest.fixture(scope="module")
def shop(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl, between: Between
) -> Iterator[Shop]:
    with Shop(new_database("between"), engine_server, sandbox, interceptors=[between]) as shop:
        yield shop


def other_packed(tx: Session, order: str) -> None:
    parcel = Parcel(weight_g=400, length_mm=100, width_mm=100, height_mm=100)
    facts.packing.packed(tx, f"{order}-2", [parcel], clock.wall_clock())
    nudge(tx, [order])


def cancelled(tx: Session, order: str) -> None:
    facts.cancellation.cancellation_asked(tx, order, reason=CancelReason.CUSTOMER, by="customer", why="")


@pytest.mark.parametrize(
    ("news", "event", "times"),
    [(other_packed, "released", 2), (cancelled, "recall_asked", 1)],
)
def test_news_between_a_call_and_its_answer_is_acted_on(
    shop: Shop, between: Between, news: News, event: str, times: int
) -> None:
    shop.sandbox.pace(None)
    asked = shop.order({shop.product(OAK=1): 1, shop.product(RNO=1): 1})
    order = asked["order_id"]

    def commit() -> None:
        with shop.database.sessions.begin() as tx:
            news(tx, order)

    between.news[order] = commit
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    shop.happened(order, "requested", 2)
    shop.sandbox.warehouse(f"{order}-1", "pack")
    shop.happened(order, event, times)
