"""A worker: executes the workflows and activities of one task queue."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from workers.failures import SpeakPlainly
from workflows.messages import TASK_QUEUE

THREADS = 20
"""Activities at once, and as many local ones; the database's pool has a connection for each."""
BUILD = "1"
"""Short, because every workflow task's completion carries it."""

RUNNER = UnsandboxedWorkflowRunner()
"""The sandbox imports our files anew for each order. What it kept out of workflows, ruff and the contracts keep out."""


class ThrownInto(TypeError):
    """An activity that the SDK would end by an exception in its thread."""


def worker(
    client: Client,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
    *,
    drain: timedelta,
    task_queue: str = TASK_QUEUE,
    **options: Any,
) -> Worker:
    """`drain` is how long calls under way may take to finish when it is told to stop: above the HTTP timeout.

    Raises `ThrownInto` for an activity without `no_thread_cancel_exception`: see decision 39.
    """
    for each in activities:
        defined = activity._Definition.must_from_callable(each)
        if not (defined.is_async or defined.no_thread_cancel_exception):
            raise ThrownInto(f"{defined.name} needs @activity.defn(…, no_thread_cancel_exception=True)")
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        activity_executor=ThreadPoolExecutor(2 * THREADS, thread_name_prefix="activity"),
        max_concurrent_activities=THREADS,
        max_concurrent_local_activities=THREADS,
        graceful_shutdown_timeout=drain,
        interceptors=[SpeakPlainly(), *options.pop("interceptors", [])],
        workflow_runner=RUNNER,
        build_id=BUILD,
        **options,
    )
