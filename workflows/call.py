"""How a workflow calls an activity: what it is given, what it answers, where it runs, how long it may take."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, RetryState, TimeoutError, TimeoutType

from activities.models import AnyHoldKind, Step, StepPolicy

StepT = TypeVar("StepT", bound=Step)
AnswerT = TypeVar("AnswerT")
Handle = workflow.ActivityHandle[Any]
Condition = Callable[[], bool]

RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
ONCE = RetryPolicy(maximum_attempts=1)
FINISH = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
"""A call under way finishes first, so that what is to be undone is known; a call between retries ends at once."""


class Call(NamedTuple, Generic[StepT, AnswerT]):
    """An activity by its wire name. Its workflow's calls are held equal to what the worker registers, by a test."""

    name: str
    takes: type[StepT]
    answers: type[AnswerT]
    local: bool = False
    """A short transaction in our own database: run by the worker that runs the workflow, for a third of the events."""
    fails_as: AnyHoldKind | None = None
    """What it waits for when it fails for good. A step in our own database is tried until it goes well."""
    brief: bool = False
    """It speaks to a provider and takes a moment, as a rule: first tried as a local one, where that keeps nobody."""


def start(
    call: Call[StepT, AnswerT], step: StepT, policy: StepPolicy, *, once: bool = False
) -> workflow.ActivityHandle[AnswerT]:
    """Begins an attempt: retried for the policy's patience, or (`once`) tried a single time."""
    if call.local:
        return workflow.start_local_activity(
            call.name,
            step,
            result_type=call.answers,
            start_to_close_timeout=policy.step_timeout,
            retry_policy=ONCE if once else RETRIES,
            cancellation_type=FINISH,
        )
    return workflow.start_activity(
        call.name,
        step,
        result_type=call.answers,
        start_to_close_timeout=policy.step_timeout,
        schedule_to_close_timeout=None if once else policy.step_patience,
        retry_policy=ONCE if once else RETRIES,
        cancellation_type=FINISH,
        summary=part(step) or None,
    )


def part(step: Step) -> str:
    """What the web UI shows beside a step, on the page of the whole: nothing, or which part of it the step is about."""
    whole = workflow.info().workflow_id.partition("-")[2]
    return step.subject.id.removeprefix(whole).removeprefix("-")


def failed(failure: ActivityError) -> bool:
    """Not, if no worker took up the call for as long as the patience; nor if it was told to end and would else have
    been tried again."""
    never = (TimeoutType.SCHEDULE_TO_CLOSE, TimeoutType.SCHEDULE_TO_START)
    cause = failure.cause
    not_begun = isinstance(cause, TimeoutError) and cause.type in never and cause.cause is None
    return not (not_begun or failure.retry_state == RetryState.CANCEL_REQUESTED)
