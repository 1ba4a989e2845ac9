"""A run ends when it has read what it was told: not while a step of its own is under way, which the engine could not
record after its end."""

import threading
import time
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.models import Snapshot
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_shop import NewDatabase
from tests.shop import Shop
from tests.workflows import stories
from workflows.order_progress import OrderProgress

PATIENT = {"ORDERS_HTTP_TIMEOUT": "10s", "ORDERS_START_TO_CLOSE": "40s", "ORDERS_STEP_PATIENCE": "2m"}
MOMENT = 0.3
"""Seconds until what an activity answered is with the engine's client."""


class LastWords(Interceptor):
    """Once armed, a look at the tables is answered just when the run hears that the next message is out."""

    def __init__(self) -> None:
        self.armed, self.telling, self.looking, self.sent, self.learned = (threading.Event() for _ in range(5))

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Beside(super().intercept_activity(next), self)


class _Beside(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, words: LastWords) -> None:
        super().__init__(next)
        self.words = words

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        words, step, name = self.words, input.fn, activity.info().activity_type

        def beside(*args: Any) -> Any:
            if name == "tell_customer" and words.armed.is_set() and not words.telling.is_set():
                words.telling.set()
                answer = step(*args)
                assert words.looking.wait(30)
                words.sent.set()
                return answer
            if name == "load_order" and words.telling.is_set() and not words.looking.is_set():
                words.looking.set()
                answer = step(*args)
                assert words.learned.wait(30)
                return answer
            return step(*args)

        input.fn = beside
        return await super().execute_activity(input)


def test_an_order_does_not_end_while_its_tables_are_looked_at(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, learn = LastWords(), OrderProgress.learn

    def learn_slowly(progress: OrderProgress, news: Snapshot) -> None:
        learn(progress, news)
        if words.sent.is_set() and not words.learned.is_set():
            words.learned.set()
            time.sleep(MOMENT)

    monkeypatch.setattr(OrderProgress, "learn", learn_slowly)
    with Shop(new_database("last"), engine_server, sandbox, interceptors=[words], settings=PATIENT) as shop:
        order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
        stories.customer_hears(shop, order, "confirmed")
        stories.pack(shop, order)
        shop.warehouse(order).hands_over()
        stories.customer_hears(shop, order, "shipped", f"{order}-1")
        words.armed.set()
        shop.sandbox.track(stories.tracking_number(shop, f"{order}-1"), "delivered")
        assert words.telling.wait(60)
        shop.call(shop.handle(order).signal("news"))  # reaches the run with its task's heartbeat
        assert shop.ends(order, 90) == "completed"
        assert words.sent.is_set()
        history = shop.call(shop.handle(order).fetch_history())
    kinds = [event.event_type for event in history.events]
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in kinds
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT not in kinds
