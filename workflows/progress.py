"""How a run takes a step: asks whether it is still wanted, runs it, learns what changed; a step that fails for good
becomes a hold and goes on from there, and one that changes nothing is repeated ever less often."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.models import Action, ChangeStep, HoldReason, Recall, Snapshot
from workflows import calls
from workflows.call import Call, Condition, StepT, failed
from workflows.holds import Holds
from workflows.repeats import LONGEST_PAUSE, Comparable, Repeat, comparable

STOPPING = frozenset({HoldReason.OPERATOR, HoldReason.FRAUD_REVIEW, HoldReason.CREDIT, HoldReason.ADDRESS})
"""Holds that keep every next step from being taken. The others are waited for where they arose."""


class CalledOff(Exception):
    """The order is to end: nothing more is begun."""


class Progress(Holds):
    # --- taking a step -----------------------------------------------------------------------------------------------

    async def do(
        self,
        call: Call[StepT, Snapshot],
        step: StepT,
        *,
        undoing: bool = False,
        wanted_for: str | None = None,
        until: datetime | None = None,
    ) -> bool:
        """Takes one step until it is done. False when an operator had it skipped, or it fails when its time is over;
        `CalledOff` when the order, or the fulfillment it is wanted for, is to end. Undoing goes on whatever
        happens."""
        name, fulfillment_id = call.named(step), step.part
        wanted_for = wanted_for or fulfillment_id
        offered: tuple[Action, ...] = tuple(a for a in call.actions if not (undoing and a == "cancel"))
        give_up: Condition = (lambda: False) if undoing else (lambda: self.stopping(wanted_for))
        with self.taking(name, fulfillment_id):
            while True:
                if await self.paused(name, fulfillment_id, offered, give_up) == "skip":
                    return False
                if not undoing:
                    await self.still_wanted(wanted_for)
                await self.may_begin()
                before = self.known(fulfillment_id)
                hold = self.hold_of(name, fulfillment_id)
                try:
                    self.learn(await self.attempt(call, step, undoing=undoing, once=hold is not None))
                except ActivityError as failure:
                    if is_cancelled_exception(failure) or not failed(failure):
                        continue
                    if until and workflow.now() >= until:
                        return False
                    if await self.held(name, fulfillment_id, failure, offered, give_up) == "skip":
                        return False
                    continue
                if hold := self.hold_of(name, fulfillment_id):
                    await self.resolve(hold, "retry", by=name, why="the step went well")
                await self.compare(name, fulfillment_id, before)
                return True

    def known(self, fulfillment_id: str | None) -> Comparable:
        return comparable(self.order, self.fulfillments.get(fulfillment_id or ""))

    async def compare(self, step: str, fulfillment_id: str | None, before: Comparable) -> None:
        """After a step that went well: has it changed anything?"""
        last = self.repeats.pop((step, fulfillment_id), None)
        if self.known(fulfillment_id) != before:
            await self.went_on(step, fulfillment_id)
        else:
            now = workflow.now()
            self.repeats[step, fulfillment_id] = last.again(now) if last else Repeat(before, now, now)

    async def went_on(self, step: str, fulfillment_id: str | None) -> None:
        if hold := self.hold_of(step, fulfillment_id, repeated=True):
            await self.resolve(hold, "retry", by=step, why="the order went on")

    async def paused(
        self, step: str, fulfillment_id: str | None, offered: tuple[Action, ...], give_up: Condition
    ) -> Action | None:
        """Before a step that is repeated though it changed nothing: waits, longer each time, and in the end for a
        person."""
        last = self.repeats.get((step, fulfillment_id))
        if last is None or last.known != self.known(fulfillment_id) or workflow.now() >= last.at + LONGEST_PAUSE:
            self.repeats.pop((step, fulfillment_id), None)
            return None
        changed: Condition = lambda: give_up() or self.known(fulfillment_id) != last.known  # noqa: E731
        if workflow.now() < last.since + self.policy.step_patience:
            await self.until(changed, within=last.pause)
            return None
        hold = self.hold_of(step, fulfillment_id, repeated=True) or await self.hold(
            HoldReason.NO_PROGRESS,
            step,
            "no_progress",
            "The step goes well and changes nothing: see what the provider has on record for this order, then retry.",
            offered,
            fulfillment_id,
        )
        decided = await self.decision(hold, changed, within=self.policy.held_retry)
        if self.known(fulfillment_id) != last.known:
            await self.went_on(step, fulfillment_id)
        return decided

    @contextmanager
    def taking(self, step: str, fulfillment_id: str | None) -> Iterator[None]:
        self.steps.add((step, fulfillment_id))
        try:
            yield
        finally:
            self.steps.discard((step, fulfillment_id))

    async def still_wanted(self, fulfillment_id: str | None) -> None:
        """Asked before every effect: nothing begins while a wish to cancel is being decided or a person must decide."""
        await self.until(lambda: self.stopping(fulfillment_id) or not (self.deciding or self.stopped(fulfillment_id)))
        if self.stopping(fulfillment_id):
            raise CalledOff

    def stopping(self, fulfillment_id: str | None = None) -> bool:
        """Whether the order is to end, and this fulfillment has not left or become unstoppable."""
        f = self.fulfillments.get(fulfillment_id or "")
        return self.called_off and not (f and (f.has_left or f.recall == Recall.REFUSED))

    def stopped(self, fulfillment_id: str | None) -> bool:
        return any(
            hold.reason in STOPPING and hold.fulfillment_id in (None, fulfillment_id) for hold in self.order.holds
        )

    async def cancel(self, wish: ChangeStep) -> None:
        """Whether the order can still be cancelled is for the tables to say."""
        await self.decide(calls.DECIDE, wish)
