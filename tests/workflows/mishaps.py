"""Ways for a step to be cut off: where, and how. Armed per order, struck once.

Where: before the intent, after it, after the effect, after the record. For a step in our own database alone the
intent is the moment before its commit, and the effect the moment after.
How: the process ends (the attempt never answers), the answer is lost, or a 500 comes after the effect. Right after
an effect the sandbox does the latter two for real.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.failures import OutcomeUnknown
from infra.sandbox.client import Provider
from workers.wiring import Providers


class Where(StrEnum):
    BEFORE_INTENT = "before the intent"
    AFTER_INTENT = "after the intent"
    AFTER_EFFECT = "after the effect"
    AFTER_RECORD = "after the record"


class How(StrEnum):
    PROCESS_ENDS = "the process ends"
    ANSWER_LOST = "the answer is lost"
    ERROR_AFTER = "500 after the effect"


class Mishap(NamedTuple):
    activity: str
    where: Where
    how: How
    other: bool = False
    """In the activity's other story."""
    store: bool = False
    """At a place without a warehouse system."""

    def __str__(self) -> str:
        which = " in its other story" if self.other else " at a store" if self.store else ""
        return f"{self.activity}{which}, {self.where}, {self.how}"

    @property
    def effect(self) -> "tuple[Provider, str] | None":
        """Which provider's, and which of its operations; none: it is in our own database."""
        return (IN_STORES if self.store else EFFECTS).get(self.activity)


EFFECTS: dict[str, tuple[Provider, str]] = {
    "authorize_payment": ("stripe", "confirm"),
    "reauthorize_payment": ("stripe", "confirm"),
    "capture_payment": ("stripe", "capture"),
    "void_payments": ("stripe", "void"),
    "refund_payment": ("stripe", "refund"),
    "request_fulfillment": ("warehouse", "request"),
    "release_fulfillment": ("warehouse", "release"),
    "recall_fulfillment": ("warehouse", "cancel"),
    "buy_label": ("shippo", "buy"),
    "refund_label": ("shippo", "refund"),
    "poll_delivery": ("shippo", "track"),
    "tell_customer": ("twilio", "send"),
}
"""Each step's effect."""
IN_STORES: dict[str, tuple[Provider, str]] = {"tell_customer": ("mail", "send")}
"""The same at a place without a system: it is asked by rows, and told by mail."""
CALLS = {
    "confirm", "capture", "void", "refund", "request", "release", "cancel", "buy", "tracking", "send",
}  # fmt: skip


class ProcessEnded(BaseException):
    """Everything in memory is gone; what was committed stays."""


@dataclass
class Mishaps:
    """What is to happen to which order, and whether it did."""

    armed: dict[str, Mishap] = field(default_factory=dict)
    struck: set[str] = field(default_factory=set)
    next_try: dict[str, threading.Event] = field(default_factory=lambda: defaultdict(threading.Event))
    """A local step whose process has ended holds its thread until the order is tried again."""

    def at(self, where: Where, *, database: bool = False) -> None:
        if not activity.in_activity():
            return
        info = activity.info()
        order_id = (info.workflow_id or "").removeprefix("order-")
        mishap = self.armed.get(order_id)
        if mishap is None or order_id in self.struck:
            return
        if (mishap.activity, mishap.where) != (info.activity_type, where):
            return
        if database and mishap.effect:
            return
        self.struck.add(order_id)
        strike(mishap.how)

    def wrap(self, outside: Providers) -> Providers:
        parts = {name: Middleware(client, self) for name, client in vars(outside).items()}
        return Providers(**parts)

    def watch(self, sessions: sessionmaker[Session]) -> None:
        """Steps without a provider: their one transaction."""
        event.listen(sessions, "before_commit", lambda _: self.at(Where.AFTER_INTENT, database=True))
        event.listen(sessions, "after_commit", lambda _: self.at(Where.AFTER_EFFECT, database=True))


def strike(how: How) -> NoReturn:
    if how is How.PROCESS_ENDS:
        raise ProcessEnded
    if how is How.ANSWER_LOST:
        raise ConnectionResetError
    raise OutcomeUnknown("test", "http_500")


class Middleware:
    """A provider's client, with a place to be cut off before and after each call that matters."""

    def __init__(self, client: Any, mishaps: Mishaps) -> None:
        self.client = client
        self.mishaps = mishaps

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.client, name)
        if name not in CALLS:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self.mishaps.at(Where.AFTER_INTENT)
            answer = method(*args, **kwargs)
            self.mishaps.at(Where.AFTER_EFFECT)
            return answer

        return call


class Cut(Interceptor):
    """Before and after the whole step; and an attempt whose process has ended never answers."""

    def __init__(self, mishaps: Mishaps) -> None:
        self.mishaps = mishaps

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Cut(super().intercept_activity(next), self.mishaps)


class _Cut(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, mishaps: Mishaps) -> None:
        super().__init__(next)
        self.mishaps = mishaps

    def init(self, outbound: Any) -> None:
        super().init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        mishaps, step = self.mishaps, input.fn

        def cut(*args: Any) -> Any:
            again = mishaps.next_try[activity.info().workflow_id or ""]
            again.set()
            again.clear()
            try:
                mishaps.at(Where.BEFORE_INTENT)
                answer = step(*args)
                mishaps.at(Where.AFTER_RECORD)
                return answer
            except ProcessEnded:
                if activity.info().is_local:
                    again.wait(30)
                    raise ConnectionResetError from None
                activity.raise_complete_async()

        input.fn = cut
        return await super().execute_activity(input)
