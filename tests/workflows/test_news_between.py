"""News that is committed between a step's call and its answer is not lost, whichever part of the order it is about."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities import facts
from activities.facts.journal import locked_order, nudge, tell
from activities.models import CancelReason, HoldKind, Subject
from activities.ports import Parcel, RefundStatus
from infra import clock
from infra.database.tables import Backorder, Refund, Relay
from infra.temporal import DevServer
from infra.words import MessageKind
from tests.fixtures_shop import NewDatabase
from tests.sandbox import SandboxControl
from tests.shop import Shop, unique
from tests.workflows.stories import customer_hears

News = Callable[[Session, str], None]


class Between(Interceptor):
    """Once the capture for a fulfillment has begun, and before it answers: before it has done anything, or after."""

    def __init__(self) -> None:
        self.news: dict[str, Callable[[], None]] = {}
        self.late_news: dict[str, Callable[[], None]] = {}

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Between(super().intercept_activity(next), self)


class _Between(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, between: Between) -> None:
        super().__init__(next)
        self.between = between

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        step = input.fn
        if activity.info().activity_type == "capture_payment":
            fulfillment = input.args[0].fulfillment_id
            news = self.between.news.pop(fulfillment, lambda: None)
            late_news = self.between.late_news.pop(fulfillment, lambda: None)

            def between(*args: Any) -> Any:
                news()
                answer = step(*args)
                late_news()
                return answer

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


PARCEL = Parcel(weight_g=400, length_mm=100, width_mm=100, height_mm=100)


def other_packed(tx: Session, order: str) -> None:
    facts.packing.packed(tx, f"{order}-2", [PARCEL], clock.wall_clock())


def other_packed_in_two(tx: Session, order: str) -> None:
    facts.packing.packed(tx, f"{order}-2", [PARCEL, PARCEL], clock.wall_clock())


def itself_stopped(tx: Session, order: str) -> None:
    facts.recall.recall_confirmed(tx, f"{order}-1", clock.wall_clock())


def cancelled(tx: Session, order: str) -> None:
    facts.cancellation.cancellation_asked(tx, order, reason=CancelReason.CUSTOMER, by="customer", why="")


def other_refunded(tx: Session, order: str) -> None:
    refund = tx.scalars(select(Refund).where(Refund.order_id == order)).one()
    assert facts.refunds.seen(tx, refund, RefundStatus.SUCCEEDED, clock.wall_clock())


def held(tx: Session, order: str) -> None:
    about = Subject.order(order)
    facts.holds.opened(tx, order, HoldKind.STOPPED, about, clock.wall_clock(), advice="eve: looks odd")


def place(shop: Shop, between: Between, news: News, **changes: Any) -> str:
    """Of two fulfillments, the first one's capture is cut by the news."""
    asked = shop.order({shop.product(OAK=1): 1, shop.product(RNO=1): 1}, **changes)
    order = str(asked["order_id"])

    def commit() -> None:
        with shop.database.sessions.begin() as tx:
            news(tx, order)
            nudge(tx, [order])

    between.news[f"{order}-1"] = commit
    shop.sandbox.pace(None, order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    shop.happened(order, "requested", 2)
    return order


def restocked(tx: Session, order: str) -> None:
    """What the order waits for has come: a restock raises no version of the orders that it serves."""
    [(sku, quantity)] = tx.execute(select(Backorder.sku, Backorder.quantity).where(Backorder.order_id == order)).all()
    assert facts.inventory.received(tx, reference=unique("PO"), location_id="OAK", lines=[(sku, quantity)])


def customer_to_hear(tx: Session, order: str) -> None:
    """A message raises no version either."""
    tell(tx, locked_order(tx, order), MessageKind.DELAYED, "2030-01-01", expected="2030-01-01")
    nudge(tx, [order], "message")


def has_read(shop: Shop, order: str) -> Callable[[], bool]:
    def read() -> bool:
        with shop.database.sessions() as tx:
            mine = (Relay.subject_id == order, Relay.done_at.is_(None), Relay.kind != "deadline")
            return tx.scalar(select(func.count()).where(*mine)) == 0

    return read


@pytest.mark.parametrize(("news", "event", "times"), [(restocked, "planned", 2), (customer_to_hear, "delayed", 1)])
def test_news_that_is_heard_before_an_older_answer_is_acted_on(
    shop: Shop, between: Between, news: News, event: str, times: int
) -> None:
    asked = shop.order({shop.product(OAK=1): 1, shop.product(): 1})
    order = str(asked["order_id"])

    def commit() -> None:
        with shop.database.sessions.begin() as tx:
            news(tx, order)
        shop.until(has_read(shop, order), "the order to hear of it", order)

    between.late_news[f"{order}-1"] = commit
    shop.sandbox.pace(None, order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    shop.warehouse(order).packs()
    if event == "delayed":
        customer_hears(shop, order, event, "2030-01-01")
    else:
        shop.happened(order, event, times)


@pytest.mark.parametrize(
    ("news", "event", "times"),
    [
        (other_packed, "released", 2),
        (other_packed_in_two, "label_bought", 3),
        (itself_stopped, "label_refund_requested", 1),
        (cancelled, "recall_asked", 1),
    ],
)
def test_news_between_a_call_and_its_answer_is_acted_on(
    shop: Shop, between: Between, news: News, event: str, times: int
) -> None:
    order = place(shop, between, news)
    shop.sandbox.warehouse(f"{order}-1", "pack")
    shop.happened(order, event, times)


def test_a_hold_between_a_call_and_its_answer_stops_the_next_step(shop: Shop, between: Between) -> None:
    order = place(shop, between, held)
    shop.sandbox.warehouse(f"{order}-1", "pack")
    shop.happened(order, "captured")
    shop.resolve(order, "retry", HoldKind.STOPPED)
    shop.happened(order, "released")
    timeline = shop.timeline(order)
    assert timeline.index("held") < timeline.index("captured") < timeline.index("hold_closed")
    assert timeline.index("hold_closed") < timeline.index("released")


def test_a_refund_between_a_call_and_its_answer_is_known(shop: Shop, between: Between) -> None:
    order = place(shop, between, other_refunded, card="pm_card_pendingRefund")
    shop.sandbox.warehouse(f"{order}-2", "pack")
    shop.happened(order, "released")
    shop.sandbox.warehouse(f"{order}-2", "cancel")
    shop.happened(order, "refund_asked")
    shop.sandbox.warehouse(f"{order}-1", "pack")
    shop.happened(order, "released", 2)
    shop.goes_by_itself(order)
    shop.sandbox.warehouse(f"{order}-1", "hand_over")
    assert shop.ends(order) == "completed"
