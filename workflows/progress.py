"""How a run takes a step: asks whether it is still wanted, runs it, learns what changed; a step that fails for good
becomes a hold and goes on from there, and one that changes nothing is repeated ever less often."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from activities.models import Action, AnyHoldKind, HoldReason, Subject
from workflows.call import Call, Condition, StepT, failed
from workflows.holds import Holds
from workflows.known import SnapshotT
from workflows.repeats import LONGEST_PAUSE, Repeat


class CalledOff(Exception):
    """It is to end: nothing more is begun."""


class Progress(Holds[SnapshotT]):
    no_progress: AnyHoldKind
    """The workflow's own kind, of a step that goes well and changes nothing."""

    # --- taking a step -----------------------------------------------------------------------------------------------

    async def do(
        self,
        call: Call[StepT, SnapshotT],
        step: StepT,
        *,
        undoing: bool = False,
        wanted_for: Subject | None = None,
        until: datetime | None = None,
    ) -> bool:
        """Takes one step until it is done. False when an operator had it skipped, or it fails when its time is over;
        `CalledOff` when what it is wanted for is to end. Undoing goes on whatever happens."""
        subject = step.subject
        wanted_for = wanted_for or subject
        give_up: Condition = (lambda: False) if undoing else (lambda: self.stopping(wanted_for))
        brief = call.brief
        with self.taking(call, subject):
            while True:
                await self.paused(call, subject, give_up)
                if not undoing:
                    await self.still_wanted(wanted_for)
                await self.may_begin()
                here = False
                try:
                    async with self.turn(call):
                        if self.draining or not (undoing or self.wanted(wanted_for)):  # since it waited for its turn
                            continue
                        before, hold = self.known(subject), self.hold_of(call.fails_as, subject)
                        here, brief = brief and self.undisturbed() and not hold, False
                        how = call._replace(local=True) if here else call
                        self.learn(await self.attempt(how, step, undoing=undoing, once=here or hold is not None))
                except FailureError as failure:
                    if here or is_cancelled_exception(failure):
                        continue
                    if not isinstance(failure, ActivityError):
                        raise
                    if not failed(failure):
                        continue
                    if until and workflow.now() >= until:
                        return False
                    if call.fails_as is None:
                        raise RuntimeError(f"{call.name} is a step of our own and has failed for good") from failure
                    if await self.held(call.fails_as, subject, failure, give_up) == Action.SKIP:
                        return False
                    continue
                if hold := self.hold_of(call.fails_as, subject):
                    await self.close(hold, by=call.name, why="the step went well")
                await self.compare(call, subject, before)
                return True

    async def compare(self, call: Call[StepT, SnapshotT], subject: Subject, before: object) -> None:
        """After a step that went well: has it changed anything?"""
        last = self.repeats.pop((call, subject), None)
        if self.known(subject) != before:
            await self.went_on(call, subject)
        else:
            now = workflow.now()
            self.repeats[call, subject] = last.again(now) if last else Repeat(before, now, now)

    async def went_on(self, call: Call[StepT, SnapshotT], subject: Subject) -> None:
        if hold := self.hold_of(self.no_progress, subject):
            await self.close(hold, by=call.name, why="it went on")

    async def paused(self, call: Call[StepT, SnapshotT], subject: Subject, give_up: Condition) -> None:
        """Before a step that is repeated though it changed nothing: waits, longer each time, and in the end for a
        person."""
        last = self.repeats.get((call, subject))
        if last is None or last.known != self.known(subject) or workflow.now() >= last.at + LONGEST_PAUSE:
            self.repeats.pop((call, subject), None)
            return
        changed: Condition = lambda: give_up() or self.known(subject) != last.known  # noqa: E731
        if workflow.now() < last.since + self.policy.step_patience:
            await self.until(changed, within=last.pause, about=subject)
            return
        held = self.hold_of(self.no_progress, subject)
        held = held or await self.hold(self.no_progress, subject, code=call.name)
        await self.decision(held, changed, within=self.policy.held_retry)
        if self.known(subject) != last.known:
            await self.went_on(call, subject)

    def turn(self, call: Call[StepT, SnapshotT]) -> AbstractAsyncContextManager[None]:
        """Own database's steps take none: they are short."""
        return nullcontext() if call.local else self.turns

    @contextmanager
    def taking(self, call: Call[StepT, SnapshotT], subject: Subject) -> Iterator[None]:
        self.steps.add((call, subject))
        try:
            yield
        finally:
            self.steps.discard((call, subject))

    async def still_wanted(self, about: Subject) -> None:
        """Asked before every effect: nothing begins while a wish to cancel is being decided or a person must decide."""
        await self.until(lambda: self.stopping(about) or self.wanted(about), about=about)
        if self.stopping(about):
            raise CalledOff

    def wanted(self, about: Subject) -> bool:
        return not (self.deciding or self.stopping(about) or self.stopped(about))

    def stopped(self, about: Subject) -> bool:
        """A person keeps the whole, or this part of it, from going on."""
        mine = (*self.holds_about(self.subject), *self.holds_about(about))
        return any(h.kind.reason == HoldReason.OPERATOR for h in mine)
