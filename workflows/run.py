"""One run of a workflow, whatever it is about: lives until its life has ended, goes on as a new run in time, and lets
people decide its holds."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Generic

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.models import HoldSnapshot
from workflows import typed
from workflows.call import Condition
from workflows.known import SnapshotT
from workflows.messages import Resolve
from workflows.progress import Progress


class Run(ABC, Generic[SnapshotT]):
    progress: Progress[SnapshotT]

    def __init__(self) -> None:
        self.tasks: dict[asyncio.Task[None], None] = {}
        self.bugs: list[BaseException] = []
        """Tasks beside the stages never fail; if one did, the run must say so instead of waiting for ever."""

    @abstractmethod
    def left(self) -> BaseModel:
        """What the next run is to begin with."""

    @abstractmethod
    def where(self) -> BaseModel:
        """Where the subject stands, as this run knows it."""

    @abstractmethod
    def asked_to_stop(self) -> None:
        """By "Request Cancellation" in the web UI."""

    async def run_to_end(self, process: Coroutine[Any, Any, None]) -> None:
        """Until it has ended. Renewal drains: nothing begins, what is under way comes to its end, and the new run goes
        on from the tables."""
        life, p = self.spawn(process), self.progress
        over: Condition = lambda: life.done() and workflow.all_handlers_finished() and not p.unread()  # noqa: E731
        while not over():
            try:
                await workflow.wait_condition(lambda: over() or p.renewal_due() or bool(self.bugs))
                if p.renewal_due() and not over():
                    p.drain()
                    await workflow.wait_condition(lambda: p.drained() or bool(self.bugs))
            except asyncio.CancelledError:
                self.asked_to_stop()
                continue
            for bug in self.bugs:
                raise bug
            if p.draining and not over():
                workflow.continue_as_new(self.left())

    def spawn(self, life: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(life)
        self.tasks[task] = None
        task.add_done_callback(self.ended)
        return task

    def ended(self, task: asyncio.Task[None]) -> None:
        del self.tasks[task]
        if not task.cancelled() and (bug := task.exception()):
            self.bugs.append(bug)

    # --- what may be sent to every workflow of ours ------------------------------------------------------------------

    @workflow.signal(description="There is news in its tables: look. Sent by the API; harmless to repeat.")
    def news(self, *_: object) -> None:
        self.progress.nudged = True

    @workflow.signal(description="A time has come that was left for after the end: look. Sent by the API.")
    def deadline(self, *_: object) -> None:
        self.progress.nudged = True

    @workflow.update(
        description='Decide an open hold: {"hold": "ID-h1", "action": "retry|skip|cancel", "by": "you", "why": "…"}. '
        "The open holds and what they offer stand in the current details."
    )
    async def resolve(self, *words: object) -> Any:
        p, decision = self.progress, typed.resolution(words)
        await p.until(lambda: p.loaded)
        hold = self.open_hold(decision)
        await p.resolve(hold.hold_id, decision.action, by=decision.by, why=decision.why)
        return self.where()

    @resolve.validator
    def may_resolve(self, *words: object) -> None:
        decision = typed.resolution(words)
        if self.progress.loaded:
            self.open_hold(decision)

    def open_hold(self, decision: Resolve) -> HoldSnapshot:
        hold = next((h for h in self.progress.holds if h.hold_id == decision.hold), None)
        if hold is None:
            open_now = ", ".join(h.hold_id for h in self.progress.holds) or "none"
            raise ApplicationError(f"this hold is not open; open holds: {open_now}", type="NotOpen")
        if decision.action not in hold.kind.actions:
            offered = ", ".join(hold.kind.actions)
            raise ApplicationError(f"this action is not offered for this hold; offered: {offered}", type="NotOffered")
        return hold
