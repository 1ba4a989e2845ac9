"""Each activity by its wire name: what it is given, where it runs, how long it may take. A test holds this equal to
what the worker registers."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, RetryState, TimeoutError, TimeoutType

from activities.models import (
    Action,
    ChangeStep,
    CoverStep,
    FulfillmentStep,
    HoldStep,
    LoadStep,
    OrderStep,
    ParcelStep,
    Policy,
    RemarkStep,
    ResolveStep,
    Snapshot,
)

Step = OrderStep | FulfillmentStep | ParcelStep | ChangeStep | HoldStep | ResolveStep | RemarkStep
Handle = workflow.ActivityHandle[Snapshot]
Condition = Callable[[], bool]

RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
ONCE = RetryPolicy(maximum_attempts=1)
FINISH = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
"""A call under way finishes first, so that what is to be undone is known; a call between retries ends at once."""


class Call(NamedTuple):
    """An activity that answers with what has changed."""

    name: str
    takes: type[OrderStep]
    summary: str
    local: bool = False
    """A short transaction in our own database: run by the worker that runs the workflow, for a third of the events."""
    skippable: bool = False
    """Whether an operator may go on without it."""

    @property
    def actions(self) -> tuple[Action, ...]:
        return ("retry", "skip", "cancel") if self.skippable else ("retry", "cancel")


LOAD = Call("load_order", LoadStep, "", local=True)
DECIDE = Call("decide_cancellation", ChangeStep, "", local=True)
OPEN_HOLD = Call("open_hold", HoldStep, "", local=True)
RESOLVE_HOLD = Call("resolve_hold", ResolveStep, "", local=True)
NOTE_REMARK = Call("note_remark", RemarkStep, "", local=True)
AUTHORIZE = Call("authorize_payment", OrderStep, "authorize")
REAUTHORIZE = Call("reauthorize_payment", CoverStep, "authorize again")
CAPTURE = Call("capture_payment", FulfillmentStep, "capture")
VOID = Call("void_payments", OrderStep, "void", skippable=True)
REFUND = Call("refund_payment", FulfillmentStep, "refund", skippable=True)
RESERVE = Call("reserve_stock", OrderStep, "", local=True)
RELEASE_STOCK = Call("release_stock", OrderStep, "", local=True)
REQUEST = Call("request_fulfillment", FulfillmentStep, "request")
RELEASE = Call("release_fulfillment", FulfillmentStep, "release")
RECALL = Call("recall_fulfillment", FulfillmentStep, "recall", skippable=True)
BUY = Call("buy_label", ParcelStep, "buy label")
REFUND_LABEL = Call("refund_label", ParcelStep, "refund label", skippable=True)
POLL = Call("poll_delivery", FulfillmentStep, "poll", skippable=True)
TELL = Call("tell_customer", OrderStep, "tell", skippable=True)

CALLS = tuple(value for value in dict(globals()).values() if isinstance(value, Call))


def start(call: Call, step: Step, policy: Policy, *, once: bool = False) -> Handle:
    """Begins an attempt: retried for the policy's patience, or (`once`) tried a single time."""
    if call.local:
        return workflow.start_local_activity(
            call.name,
            step,
            result_type=Snapshot,
            start_to_close_timeout=policy.step_timeout,
            retry_policy=RETRIES,
            cancellation_type=FINISH,
        )
    return workflow.start_activity(
        call.name,
        step,
        result_type=Snapshot,
        start_to_close_timeout=policy.step_timeout,
        schedule_to_close_timeout=None if once else policy.step_patience,
        retry_policy=ONCE if once else RETRIES,
        cancellation_type=FINISH,
        summary=about(call, step),
    )


def failed(failure: ActivityError) -> bool:
    """Not, if no worker took up the call for as long as the patience; nor if it was told to end and would else have
    been tried again."""
    never = (TimeoutType.SCHEDULE_TO_CLOSE, TimeoutType.SCHEDULE_TO_START)
    cause = failure.cause
    not_begun = isinstance(cause, TimeoutError) and cause.type in never and cause.cause is None
    return not (not_begun or failure.retry_state == RetryState.CANCEL_REQUESTED)


def about(call: Call, step: Step) -> str:
    """What the web UI shows beside the activity: the step and what it is about."""
    if isinstance(step, ParcelStep):
        return f"{call.summary} {step.fulfillment_id}/{step.parcel}"
    if isinstance(step, FulfillmentStep):
        return f"{call.summary} {step.fulfillment_id}"
    return call.summary
