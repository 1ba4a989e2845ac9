"""The only code that talks to the engine: starts workflows, and tells them that their tables hold something new."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from starter.kinds import Kind, Start
from workflows.messages import TASK_QUEUE

PATIENCE = timedelta(seconds=5)
DOWN = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


class EngineDown(Exception):
    """The engine does not answer. Nothing is lost: the tables say what is due."""


class Workflows:
    """Workflows as the engine knows them. Every call is safe to repeat: the subject's row decides, not the engine."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def send(self, kind: Kind, subject_id: str, start: Start, signal: str | None) -> None:
        """Tells a workflow to look at its tables (none: only begins it); begins it when it does not run (any more)."""
        try:
            await self.client.start_workflow(
                kind.workflow,
                start.entry,
                id=kind.workflow_id(subject_id),
                task_queue=TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal=signal,
                search_attributes=start.search_attributes,
                static_summary=start.summary,
                rpc_timeout=PATIENCE,
            )
        except RPCError as trouble:
            if trouble.status in DOWN:
                raise EngineDown from trouble
            raise
        except RuntimeError as trouble:  # a lazy client that can't connect
            raise EngineDown from trouble

    async def reachable(self) -> bool:
        try:
            return await self.client.service_client.check_health(timeout=timedelta(seconds=2))
        except (RPCError, RuntimeError):
            return False
