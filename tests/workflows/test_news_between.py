"""News that is committed between a step's call and its answer is not lost, whichever part of the order it is about."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities import facts
from activities.facts.journal import locked_order, nudge, tell
from activities.models import CancelReason, HoldKind, OrderSnapshot, OrderStatus, Snapshot, Subject
from activities.ports import Parcel, RefundStatus
from infra import clock
from infra.database.tables import Refund, Relay
from infra.temporal import DevServer
from infra.words import MessageKind
from tests.fixtures_shop import NewDatabase
from tests.sandbox import SandboxControl
from tests.shop import Shop, unique
from tests.workflows.stories import customer_hears
from workers.worker import worker
from workflows.order_progress import OrderProgress

News = Callable[[Session, str], None]
PATIENT = {"ORDERS_START_TO_CLOSE": "20s", "ORDERS_STEP_PATIENCE": "40s"}


class Between(Interceptor):
    """Once the capture for a fulfillment (or telling an order's customer) has begun, and before it answers: before it
    has done anything, or after."""

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
        if activity.info().activity_type in ("capture_payment", "tell_customer"):
            about = input.args[0].subject.id
            news = self.between.news.pop(about, lambda: None)
            late_news = self.between.late_news.pop(about, lambda: None)

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
    with Shop(new_database("between"), engine_server, sandbox, interceptors=[between], settings=PATIENT) as shop:
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


def customer_to_hear(shop: Shop, order: str, day: str) -> None:
    """Signalled now, and not again for minutes."""
    with shop.database.sessions.begin() as tx:
        tell(tx, locked_order(tx, order), MessageKind.DELAYED, day, expected=day)
        nudge(tx, [order], "message")
        tx.execute(update(Relay).where(Relay.subject_id == order, Relay.done_at.is_(None)).values(attempts=5))
    shop.receive("OAK", {shop.product(): 1})  # wakes the relay


async def signals(shop: Shop, order: str) -> int:
    kinds = [event.event_type async for event in shop.handle(order).fetch_history_events()]
    return kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)


def test_a_message_that_comes_when_the_last_ones_answer_is_under_way_is_sent(shop: Shop, between: Between) -> None:
    """Beside a capture telling is a step of its own, whose answer counts what was to be told before."""
    asked = shop.order({shop.product(OAK=1): 1})
    order = str(asked["order_id"])

    def another() -> None:
        before = shop.call(signals(shop, order))
        customer_to_hear(shop, order, "2030-02-02")
        shop.until(lambda: shop.call(signals(shop, order)) > before, "the signal", order)

    def two_messages() -> None:
        between.late_news[order] = another
        customer_to_hear(shop, order, "2030-01-01")
        customer_hears(shop, order, "delayed", "2030-02-02")

    between.news[f"{order}-1"] = two_messages
    shop.sandbox.pace(None, order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    customer_hears(shop, order, "confirmed")
    shop.happened(order, "requested")
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    before = shop.timeline(order)[: shop.timeline(order).index("captured")]
    assert before.count("message_sent") == 3 * 2, "three, by email and SMS; none waited for the capture"


@workflow.defn
class Hears:
    @workflow.run
    async def run(self, order_id: str, answers: list[Snapshot]) -> bool:
        progress = OrderProgress(order_id)
        for answer in answers:
            progress.learn(answer)
        return progress.order.unplanned


@pytest.mark.parametrize(("version", "unplanned"), [(3, True), (4, False)])
def test_what_a_restock_gave_is_known_until_it_is_reserved(shop: Shop, version: int, unplanned: bool) -> None:
    """It raises no version of the orders that it serves: an answer that was read before it looks as new."""
    both = [(3, True), (version, False)]
    orders = [OrderSnapshot(version=n, status=OrderStatus.PLACED, unplanned=given) for n, given in both]
    answers = [Snapshot(order=order) for order in orders]

    async def knows() -> bool:
        queue = unique("hears")
        async with worker(shop.client, [Hears], [], drain=timedelta(), task_queue=queue):
            asked = shop.client.execute_workflow(Hears.run, args=[queue, answers], id=queue, task_queue=queue)
            return await asked

    assert shop.call(knows()) is unplanned


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
