"""A run ends when it has read what it was told: not while a step of its own is under way, which the engine could not
record after its end."""

import threading
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.bridge.proto import ActivityTaskCompletion
from temporalio.bridge.worker import Worker
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.models import Snapshot
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_shop import NewDatabase
from tests.shop import PACE, Shop
from workflows.order_progress import OrderProgress

PATIENT = {"ORDERS_HTTP_TIMEOUT": "10s", "ORDERS_START_TO_CLOSE": "40s", "ORDERS_STEP_PATIENCE": "2m"}
STALLED = 1.5
"""Seconds; the SDK gives a workflow's thread two."""


class LastWords(Interceptor):
    """Once armed, a first look at the tables waits, so that what is sent meanwhile comes in one workflow task; a second
    one is answered just when the run hears that the next message is out."""

    def __init__(self) -> None:
        self.armed, self.first, self.go_on = (threading.Event() for _ in range(3))
        self.second, self.sent, self.learned, self.answered = (threading.Event() for _ in range(4))
        self.look = b""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Beside(super().intercept_activity(next), self)


class _Beside(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, words: LastWords) -> None:
        super().__init__(next)
        self.words = words

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        words, step, info = self.words, input.fn, activity.info()

        def beside(*args: Any) -> Any:
            answer = step(*args)
            if info.activity_type == "tell_customer" and words.go_on.is_set() and not words.sent.is_set():
                assert words.second.wait(30)
                words.sent.set()
            elif info.activity_type == "load_order" and words.armed.is_set() and not words.first.is_set():
                words.first.set()
                assert words.go_on.wait(30)
            elif info.activity_type == "load_order" and words.go_on.is_set() and not words.second.is_set():
                words.look = info.task_token
                words.second.set()
                assert words.learned.wait(30)
            return answer

        input.fn = beside
        return await super().execute_activity(input)


def test_an_order_does_not_end_while_its_tables_are_looked_at(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, learn, complete = LastWords(), OrderProgress.learn, Worker.complete_activity_task

    def learn_slowly(progress: OrderProgress, news: Snapshot) -> None:
        learn(progress, news)
        if words.sent.is_set() and not words.learned.is_set():
            words.learned.set()
            assert words.answered.wait(STALLED)

    async def complete_and_say(worker: Worker, answer: ActivityTaskCompletion) -> None:
        await complete(worker, answer)
        if answer.task_token == words.look:
            words.answered.set()

    monkeypatch.setattr(OrderProgress, "learn", learn_slowly)
    monkeypatch.setattr(Worker, "complete_activity_task", complete_and_say)
    with Shop(new_database("last"), engine_server, sandbox, interceptors=[words], settings=PATIENT) as shop:
        shop.sandbox.pace(PACE)
        order = shop.place({shop.product(OAK=1): 1}, card="pm_card_pendingRefund")
        assert shop.ends(order) == "completed"
        shop.sandbox.pace(None, order)
        shop.api.post(f"/v1/orders/{order}/refunds", json={"amount": 100}).raise_for_status()
        shop.happened(order, "refund_pending")
        shop.until(lambda: not shop.call(shop.under_way(order)), "what is under way to answer", order)
        words.armed.set()
        shop.call(shop.handle(order).signal("news"))
        assert words.first.wait(30)
        shop.goes_by_itself(order)
        shop.happened(order, "refund_succeeded")
        for signal in ("news", "message"):
            shop.call(shop.handle(order).signal(signal))
        words.go_on.set()
        assert shop.ends(order, 90) == "completed"
        assert words.answered.is_set()
        history = shop.call(shop.handle(order).fetch_history())
    kinds = [event.event_type for event in history.events]
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in kinds
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT not in kinds
