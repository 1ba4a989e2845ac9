"""A version is let in to orders when it replays what they have been through: begun on its own worker, before it gets
the first of them."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

RELEASE_GATE = "ReleaseGate"
"""The workflow's type, as a rollout names it."""
REPLAY_ORDERS = "replay_orders"
LISTED = 20
"""Failures that are named in the one line that says why; more are counted."""


class Wish(BaseModel):
    model_config = ConfigDict(frozen=True)

    orders: int = 200
    """At most so many open ones, shared out evenly between the stages that they are in."""


class Replayed(BaseModel):
    """How many histories were replayed, and what went wrong with whose: by order id, or file of recorded ones."""

    model_config = ConfigDict(frozen=True)

    recorded: int
    orders: Mapping[str, int]
    """By stage."""
    failed: Mapping[str, str]

    @property
    def total(self) -> int:
        return self.recorded + sum(self.orders.values())

    def __str__(self) -> str:
        if not self.failed:
            return f"{self.total} histories replay, {self.total - self.recorded} of them of open orders"
        named = [f"{whose} ({why})" for whose, why in self.failed.items()][:LISTED]
        rest = f" and {len(self.failed) - LISTED} more" if len(self.failed) > LISTED else ""
        return f"{len(self.failed)} of {self.total} histories do not replay with this version: {', '.join(named)}{rest}"


@workflow.defn(name=RELEASE_GATE)
class ReleaseGate:
    @workflow.run
    async def run(self, wish: Wish | None = None) -> Replayed:
        replayed: Replayed = await workflow.execute_activity(
            REPLAY_ORDERS,
            wish or Wish(),
            result_type=Replayed,
            start_to_close_timeout=timedelta(minutes=20),
            heartbeat_timeout=timedelta(minutes=3),
            retry_policy=RetryPolicy(maximum_attempts=3),
        )
        if replayed.failed:
            raise ApplicationError(str(replayed), type="DoesNotReplay", non_retryable=True)
        return replayed
