"""What a run knows of its subject, and how it waits. Every workflow has one of its own kind: an order's is
`order_progress`."""

import asyncio
from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from temporalio import workflow

from activities.models import Action, HoldSnapshot, StepPolicy, Subject
from workflows.alarm import Alarm
from workflows.call import Call, Condition, Handle
from workflows.repeats import Repeat
from workflows.waits import Waits

SnapshotT = TypeVar("SnapshotT")
"""What this workflow's steps answer: where its subject stands, or the parts of it that have changed."""


CALLS_AT_ONCE = 100
"""Of one run. The engine takes 2,000; five times a worker's threads keep it busy, others' calls wait
seconds, and a renewal ends few."""


class Known(ABC, Generic[SnapshotT]):
    policy: StepPolicy

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.waits = Waits()
        self.alarm = Alarm(self.waits.all_changed)
        self.turns = asyncio.Semaphore(CALLS_AT_ONCE)
        self.under_way: dict[Handle, tuple[Call[Any, Any], Subject | None]] = {}
        """Calls that have not answered, and what they are about, if they are given up when that is called off."""
        self.decisions: dict[str, Action] = {}
        """What operators said about holds, until the step that waits has heard it."""
        self.deciding = False
        """Somebody wants it cancelled, and whether that is still possible is being looked up."""
        self.awaited: set[str] = set()
        """Holds that a step waits for."""
        self.steps: set[tuple[Call[Any, Any], Subject]] = set()
        """Steps that are being taken, and what they are about."""
        self.repeats: dict[tuple[Call[Any, Any], Subject], Repeat] = {}
        self.renewal = False
        """This run is to be continued as a new one."""
        self.draining = False
        """It is about to be: what is under way comes to its end."""
        self.nudged = False
        """There is news in the tables."""

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def at(self) -> datetime:
        """The workflow's own time, as its tables keep it."""
        return workflow.now().replace(microsecond=0)

    @property
    @abstractmethod
    def loaded(self) -> bool:
        """Whether this run has heard where its subject stands."""

    @property
    @abstractmethod
    def holds(self) -> tuple[HoldSnapshot, ...]:
        """The open ones."""

    def holds_about(self, subject: Subject) -> tuple[HoldSnapshot, ...]:
        """Of the open ones, those about it or what it is in."""
        return self.holds

    @property
    @abstractmethod
    def called_off(self) -> bool:
        """It is to end, and what was done is to be undone."""

    @abstractmethod
    def learn(self, news: SnapshotT) -> None:
        """Keeps the later of what is known and what is told, and shows it."""

    @abstractmethod
    async def look(self) -> None:
        """Reads where the subject stands. What was heard until now is then known."""

    @abstractmethod
    def known(self, about: Subject) -> object:
        """What a step about this may have changed: not how often it was looked at, and nothing that a hold or a wish
        alone changes."""

    @abstractmethod
    def stopping(self, about: Subject) -> bool:
        """Whether nothing more is to be begun for this."""

    def undisturbed(self) -> bool:
        """Nothing but short steps of our own is under way: what waits for this workflow task waits a moment."""
        return all(call.local for call, _ in self.under_way.values())

    def unread(self) -> bool:
        """There is news that nobody has read, or a step of our own is under way, which a run that ended now would have
        to record after its end: the engine takes no such thing."""
        return self.nudged or any(call.local for call, _ in self.under_way.values())

    # --- waiting -----------------------------------------------------------------------------------------------------

    async def until(
        self,
        true: Condition,
        at: datetime | None = None,
        *,
        within: timedelta | None = None,
        about: Subject | None = None,
    ) -> bool:
        """Waits until it is true, or until a deadline: `at` comes from facts and is the same in a later run, `within`
        counts from now. False: the deadline came first. `about` a part: it depends on nothing of the others."""
        deadline = workflow.now() + within if within is not None else at
        if true() or (deadline and workflow.now() >= deadline):
            return true()
        if deadline is None:
            await self.woken(true, about)
            return True
        self.alarm.add(deadline)
        try:
            await self.woken(lambda: true() or workflow.now() >= deadline, about)
        finally:
            self.alarm.drop(deadline)
        if at is not None and not true():
            await self.renewed()
        return true()

    async def woken(self, true: Condition, about: Subject | None) -> None:
        part = about and about.fulfillment_id
        await (self.waits.until(part, true) if part else workflow.wait_condition(true))

    async def renewed(self) -> None:
        """A wait is over. Where runs end at every wait, this one stops here and the new one looks for itself."""
        idle = not (self.under_way or self.deciding or self.decisions) and workflow.all_handlers_finished()
        if self.policy.continue_at_every_wait and idle:
            self.renewal = True
            await workflow.wait_condition(lambda: False)

    # --- renewal -----------------------------------------------------------------------------------------------------

    def renewal_due(self) -> bool:
        return self.renewal or workflow.info().is_continue_as_new_suggested()

    def drain(self) -> None:
        """Nothing begins any more. Calls between retries end at once, undoing ones too: the new run repeats them. Calls
        on their way finish, so that what they did is known."""
        self.draining = True
        for handle, (call, _) in self.under_way.items():
            if not call.local:
                handle.cancel()

    def drained(self) -> bool:
        return not (self.under_way or self.deciding) and workflow.all_handlers_finished()

    async def may_begin(self) -> None:
        """Asked before whatever the new run would begin as well."""
        if self.draining:
            await workflow.wait_condition(lambda: False)
