"""How a step is attempted, and what becomes of one that fails for good: a hold, which an operator decides, or the next
try that goes well."""

from abc import abstractmethod
from datetime import timedelta

from temporalio.exceptions import ActivityError, ApplicationError

from activities.models import Action, AnyHoldKind, HoldSnapshot, Subject
from workflows.call import AnswerT, Call, Condition, StepT, start
from workflows.known import Known, SnapshotT


class Holds(Known[SnapshotT]):
    async def attempt(
        self, call: Call[StepT, AnswerT], step: StepT, *, undoing: bool = True, once: bool = False
    ) -> AnswerT:
        handle = start(call, step.model_copy(update={"at": self.at}), self.policy, once=once)
        self.under_way[handle] = call, None if undoing else step.subject
        try:
            return await handle
        finally:
            del self.under_way[handle]

    async def decide(self, call: Call[StepT, SnapshotT], step: StepT) -> None:
        """Nothing new begins meanwhile. Of what is to end then, calls between retries end at once and calls under way
        finish first."""
        self.deciding = True
        try:
            self.learn(await self.attempt(call, step))
        finally:
            self.deciding = False
            self.waits.all_changed()
        for handle, (_, wanted_for) in self.under_way.items():
            if wanted_for and (self.called_off or self.stopping(wanted_for)):
                handle.cancel()

    # --- holds -------------------------------------------------------------------------------------------------------

    def hold_of(self, kind: AnyHoldKind | None, subject: Subject) -> HoldSnapshot | None:
        return next((h for h in self.holds_about(subject) if (h.kind, h.subject) == (kind, subject)), None)

    async def hold(self, kind: AnyHoldKind, held: Subject, *, code: str = "", advice: str = "") -> HoldSnapshot:
        await self.open_hold(kind, held, code, advice)
        decided = HoldSnapshot(hold_id="", kind=kind, subject=held)  # before this run could hear of it
        return self.hold_of(kind, held) or decided

    async def held(self, kind: AnyHoldKind, subject: Subject, failure: ActivityError, give_up: Condition) -> Action:
        """A step failed for good: waits for an operator, or for the next try."""
        code, advice = reasons(failure)
        hold = await self.hold(kind, subject, code=code, advice=advice)
        decided = await self.decision(hold, give_up, within=self.policy.held_retry)
        if decided is None and not give_up():
            await self.renewed()
        return decided or Action.RETRY

    async def decision(
        self, hold: HoldSnapshot, otherwise: Condition, *, within: timedelta | None = None
    ) -> Action | None:
        """What an operator decided about a hold; None when something else, or time, ended the wait."""
        self.awaited.add(hold.hold_id)
        await self.until(lambda: not self.is_open(hold) or otherwise(), within=within, about=hold.subject)
        self.awaited.discard(hold.hold_id)
        return self.decisions.pop(hold.hold_id, None)

    def is_open(self, hold: HoldSnapshot) -> bool:
        return any(h.hold_id == hold.hold_id for h in self.holds_about(hold.subject))

    async def resolve(
        self, hold_id: str, action: Action, *, by: str = "", why: str = "", change_id: int | None = None
    ) -> None:
        """Closes a hold with a decision (a cancellation is decided with it) and lets the step that waits hear it."""
        await self.close_hold(hold_id, action, by=by, why=why, change_id=change_id)
        if hold_id in self.awaited:
            self.decisions[hold_id] = action

    async def close(self, hold: HoldSnapshot, *, by: str, why: str) -> None:
        """Nobody needs to decide any more."""
        await self.close_hold(hold.hold_id, None, by=by, why=why)

    @abstractmethod
    async def open_hold(self, kind: AnyHoldKind, held: Subject, code: str, advice: str) -> None:
        """On record, once, and learned."""

    @abstractmethod
    async def close_hold(
        self, hold_id: str, action: Action | None, *, by: str, why: str, change_id: int | None = None
    ) -> None:
        """By `decide`."""


def reasons(failure: ActivityError) -> tuple[str, str]:
    """A code and advice from our own failures; anything else is named by its type, and its kind advises."""
    cause = failure.cause
    if isinstance(cause, ApplicationError) and len(cause.details) == 2:
        return str(cause.details[0]), str(cause.details[1])
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
        if isinstance(cause, ApplicationError) and len(cause.details) == 2:
            return str(cause.details[0]), str(cause.details[1])
    kind = cause.type if isinstance(cause, ApplicationError) and cause.type else type(cause).__name__
    return kind[:80], ""
