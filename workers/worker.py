"""A worker: executes the workflows and activities of one task queue."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PatchActivationInput, UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from workers.failures import SpeakPlainly
from workflows.messages import TASK_QUEUE

log = structlog.get_logger(__name__)

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
    version: WorkerDeploymentVersion | None = None,
    patches: str = "",
    task_queue: str = TASK_QUEUE,
    **options: Any,
) -> Worker:
    """`drain` is how long calls under way may take to finish when it is told to stop: above the HTTP timeout.

    Of a `version` the engine gives it no order before that version is the current or the ramping one. `patches` are
    those that are awake, as in `ORDERS_PATCHES`: see decision 49.

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
        patch_activation_callback=woken(patches),
        **(versioned(version) if version else {"build_id": BUILD}),
        **options,
    )


def versioned(version: WorkerDeploymentVersion) -> dict[str, Any]:
    """Orders wait for weeks: at its next task each is the current version's, whichever it began under."""
    config = WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE
    )
    return {"deployment_config": config}


def woken(patches: str) -> Callable[[PatchActivationInput], bool]:
    """What a run is told that comes by a patch for the first time. Of each patch the log says once what it was told."""
    names, met = patches.split(","), set[str]()

    def awake(asked: PatchActivationInput) -> bool:
        answer = patches == "*" or asked.patch_id in names
        if asked.patch_id not in met:
            met.add(asked.patch_id)
            log.info("patch_met", patch=asked.patch_id, awake=answer)
        return answer

    return awake
