"""How a step is attempted, and what becomes of one that fails for good: a hold, which an operator decides, or the next
try that goes well."""

from datetime import timedelta
from typing import Any

from temporalio.exceptions import ActivityError, ApplicationError

from activities.models import Action, HoldReason, HoldSnapshot, HoldStep, LoadStep, ResolveStep, Snapshot
from workflows import calls
from workflows.call import AnswerT, Call, Condition, StepT, start
from workflows.known import Known


class Holds(Known):
    async def attempt(
        self, call: Call[StepT, AnswerT], step: StepT, *, undoing: bool = True, once: bool = False
    ) -> AnswerT:
        handle = start(call, step.model_copy(update={"at": self.at}), self.policy, once=once)
        self.under_way[handle] = call, not undoing
        try:
            return await handle
        finally:
            del self.under_way[handle]

    async def decide(self, call: Call[StepT, Snapshot], step: StepT) -> None:
        """Nothing new begins meanwhile. If the order is to end, calls between retries end at once and calls under way
        finish first."""
        self.deciding = True
        try:
            self.learn(await self.attempt(call, step))
        finally:
            self.deciding = False
        if self.called_off:
            for handle, (_, forward) in self.under_way.items():
                if forward:
                    handle.cancel()

    async def look(self) -> None:
        """Reads where the order stands. What was heard until now is then known."""
        await self.may_begin()
        self.nudged = False
        known: dict[str, Any] = {"since": self.loaded} if self.loaded >= 0 else {}
        news = await self.attempt(calls.LOAD, LoadStep(order_id=self.order_id, at=self.at, **known))
        self.learn(news)
        self.loaded = news.order.version if news.order else self.loaded

    # --- holds -------------------------------------------------------------------------------------------------------

    def hold_of(self, step: str, fulfillment_id: str | None, *, repeated: bool = False) -> HoldSnapshot | None:
        """What a step that fails waits for; or one that is repeated in vain."""
        about = (step, fulfillment_id, repeated)
        mine = (h for h in self.order.holds if (h.step, h.fulfillment_id, h.reason == HoldReason.NO_PROGRESS) == about)
        return next(mine, None)

    def stale_holds(self) -> list[HoldSnapshot]:
        """Steps that failed in a run before this one, and that what came meanwhile has made needless."""
        wanted = self.steps | ({(calls.TELL.name, None)} if self.order.telling else set())
        return [
            h
            for h in self.order.holds
            if h.reason in (HoldReason.STEP_FAILED, HoldReason.NO_PROGRESS, HoldReason.PAYMENT_ACTION)
            and (h.step, h.fulfillment_id) not in wanted
        ]

    async def hold(
        self,
        reason: HoldReason,
        step: str,
        code: str,
        advice: str,
        actions: tuple[Action, ...],
        fulfillment_id: str | None = None,
    ) -> HoldSnapshot:
        about: dict[str, Any] = {"fulfillment_id": fulfillment_id} if fulfillment_id else {}
        opened = HoldStep(
            order_id=self.order_id,
            at=self.at,
            reason=reason,
            step=step,
            code=code,
            advice=advice,
            actions=actions,
            **about,
        )
        self.learn(await self.attempt(calls.OPEN_HOLD, opened))
        decided = HoldSnapshot(hold_id="", reason=reason, actions=actions)  # before this run could hear of it
        return self.hold_of(step, fulfillment_id, repeated=reason == HoldReason.NO_PROGRESS) or decided

    async def held(
        self,
        step: str,
        fulfillment_id: str | None,
        failure: ActivityError,
        offered: tuple[Action, ...],
        give_up: Condition,
    ) -> Action:
        """A step failed for good: waits for an operator, or for the next try."""
        code, advice = reasons(failure)
        hold = await self.hold(HoldReason.STEP_FAILED, step, code, advice, offered, fulfillment_id)
        decided = await self.decision(hold, give_up, within=self.policy.held_retry)
        if decided is None and not give_up():
            await self.renewed()
        return decided or "retry"

    async def decision(
        self, hold: HoldSnapshot, otherwise: Condition, *, within: timedelta | None = None
    ) -> Action | None:
        """What an operator decided about a hold; None when something else, or time, ended the wait."""
        self.awaited.add(hold.hold_id)
        await self.until(lambda: not self.is_open(hold) or otherwise(), within=within)
        self.awaited.discard(hold.hold_id)
        return self.decisions.pop(hold.hold_id, None)

    def is_open(self, hold: HoldSnapshot) -> bool:
        return any(h.hold_id == hold.hold_id for h in self.order.holds)

    async def resolve(
        self, hold: HoldSnapshot, action: Action, *, by: str = "", why: str = "", change_id: int | None = None
    ) -> None:
        """Closes a hold with a decision (a cancellation is decided with it) and lets the step that waits hear it."""
        about: dict[str, Any] = {"change_id": change_id} if change_id else {"by": by, "why": why}
        decided = ResolveStep(order_id=self.order_id, at=self.at, hold_id=hold.hold_id, action=action, **about)
        await self.decide(calls.RESOLVE_HOLD, decided)
        if hold.hold_id in self.awaited:
            self.decisions[hold.hold_id] = action


def reasons(failure: ActivityError) -> tuple[str, str]:
    """A code and advice from our own failures; anything else is named by its type."""
    cause = failure.cause
    if isinstance(cause, ApplicationError) and len(cause.details) == 2:
        return str(cause.details[0]), str(cause.details[1])
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
        if isinstance(cause, ApplicationError) and len(cause.details) == 2:
            return str(cause.details[0]), str(cause.details[1])
    kind = cause.type if isinstance(cause, ApplicationError) and cause.type else type(cause).__name__
    return kind[:80], "See the worker's log for this order, mend the cause, then retry."
