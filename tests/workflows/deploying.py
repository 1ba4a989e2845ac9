"""A shop whose workers are versions of a deployment, as the Worker Controller would have them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import WorkflowHandle
from temporalio.common import PinnedVersioningOverride, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import Worker

from tests.shop import Shop, unique
from workers.release_gate import ReleaseGateActivities
from workers.worker import worker
from workflows.messages import TASK_QUEUE
from workflows.release_gate import RELEASE_GATE, ReleaseGate, Replayed, Wish

T = TypeVar("T")
DEPLOYMENT = "orders/orders"


class Deployed(Shop):
    """Its own worker is the first version, which is the current one."""

    first = WorkerDeploymentVersion(DEPLOYMENT, "v1-0-0-5b8f")

    async def begin_work(self, *workflows: Any, **options: Any) -> None:
        await super().begin_work(*workflows, **{"version": self.first, **options})
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self.namespace, deployment_name=DEPLOYMENT, build_id=self.first.build_id, identity="test"
        )
        await known(lambda: self.client.workflow_service.set_worker_deployment_current_version(request))

    @contextmanager
    def another(self, build_id: str, workflows: Sequence[type]) -> Iterator[Callable[[Wish], Replayed]]:
        """A worker of another version beside our own, which is to get no task of an order; what its gate says."""
        version = WorkerDeploymentVersion(DEPLOYMENT, build_id)
        gate = ReleaseGateActivities(self.client, self.database.sessions, workflows)

        async def begin() -> tuple[Worker, asyncio.Task[None]]:
            drain, registered = timedelta(seconds=3), [*workflows, ReleaseGate]
            other = worker(self.client, registered, [gate.replay_orders], drain=drain, version=version)
            return other, asyncio.create_task(other.run())

        async def ask(wish: Wish) -> Replayed:
            """As the controller does."""
            run: WorkflowHandle[Any, Replayed] = await known(
                lambda: self.client.start_workflow(
                    RELEASE_GATE,
                    wish,
                    id=unique(f"test-{DEPLOYMENT}:{build_id}-{TASK_QUEUE}"),
                    task_queue=TASK_QUEUE,
                    result_type=Replayed,
                    versioning_override=PinnedVersioningOverride(version),
                )
            )
            return await asyncio.wait_for(run.result(), 120)

        async def end(other: Worker, running: asyncio.Task[None]) -> None:
            await other.shutdown()
            await running

        begun = self.call(begin())
        try:
            yield lambda wish: self.call(ask(wish), 130)
        finally:
            self.call(end(*begun))

    def worked_on(self, order_id: str) -> set[str]:
        """The versions that have done a workflow task of this order."""
        return {
            event.workflow_task_completed_event_attributes.deployment_version.build_id
            for event in self.call(self.handle(order_id).fetch_history()).events
            if event.HasField("workflow_task_completed_event_attributes")
        }


async def known(ask: Callable[[], Awaitable[T]]) -> T:
    """A version is known to the engine a moment after its worker has begun to ask for tasks."""
    for left in reversed(range(100)):
        try:
            return await ask()
        except RPCError:
            if not left:
                raise
            await asyncio.sleep(0.05)
    raise AssertionError
