"""What a run knows of its order, and how it takes a step: asks whether the step is still wanted, runs it, learns what
changed; a step that fails for good becomes a hold and goes on from there."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.models import (
    Action,
    FulfillmentStanding,
    Head,
    HoldReason,
    HoldStanding,
    OrderStatus,
    Policy,
    Recall,
    Standing,
)
from workflows import calls
from workflows.alarm import Alarm
from workflows.calls import Call, Condition
from workflows.messages import ORDER_ATTENTION, ORDER_STATUS

STOPPING = frozenset({HoldReason.OPERATOR, HoldReason.FRAUD_REVIEW, HoldReason.CREDIT, HoldReason.ADDRESS})
"""Holds that keep every next step from being taken. The others are waited for where they arose."""


class CalledOff(Exception):
    """The order is to end: nothing more is begun."""


class Progress:
    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.head = Head(version=-1, status=OrderStatus.PLACED)
        self.fulfillments: dict[str, FulfillmentStanding] = {}
        self.placed_at = workflow.now()
        self.policy = Policy()
        self.stage = "loading"
        self.money = asyncio.Lock()
        """One money step of an order at a time."""
        self.alarm = Alarm()
        self.under_way: dict[calls.Handle, bool] = {}
        """Calls that have not answered, and whether they are given up when the order is called off."""
        self.decisions: dict[str, Action] = {}
        """What operators said about holds, until the step that waits has heard it."""
        self.deciding = False
        """Somebody wants it cancelled, and whether that is still possible is being looked up."""
        self.awaited: set[str] = set()
        """Holds that a step waits for."""
        self.steps: set[tuple[str, str | None]] = set()
        """Steps that are being taken: their names, and the fulfillments they are about."""
        self.renewal = False
        """This run is to be continued as a new one."""
        self.shown: tuple[str, list[str]] = (OrderStatus.PLACED, [])

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def called_off(self) -> bool:
        return self.head.cancellation in ("accepted", "partly") and self.head.status not in (
            OrderStatus.COMPLETED,
            OrderStatus.CANCELLED,
        )

    @property
    def closed(self) -> bool:
        return self.head.status in (OrderStatus.COMPLETED, OrderStatus.CANCELLED)

    def learn(self, news: Standing) -> None:
        """Keeps the later of what is known and what is told, and shows it."""
        if news.head and news.head.version >= self.head.version:
            same = news.head.version == self.head.version
            # a restock does not raise the version of the orders it serves: what it gave stays known until reserved
            unplanned = news.head.unplanned or (same and self.head.unplanned)
            self.head = news.head.model_copy(update={"unplanned": unplanned})
        for told in news.fulfillments:
            known = self.fulfillments.get(told.fulfillment_id)
            if known is None or told.version >= known.version:
                self.fulfillments[told.fulfillment_id] = told
        self.placed_at = news.placed_at or self.placed_at
        self.policy = news.policy or self.policy
        self.show()

    def show(self) -> None:
        """Search attributes when they changed, and the page an operator sees in the web UI."""
        attention = sorted({hold.reason.value for hold in self.head.holds})
        updates: list[Any] = []
        if self.head.status != self.shown[0]:
            updates.append(ORDER_STATUS.value_set(self.head.status))
        if attention != self.shown[1]:
            updates.append(ORDER_ATTENTION.value_set(attention) if attention else ORDER_ATTENTION.value_unset())
        if updates:
            workflow.upsert_search_attributes(updates)
        self.shown = (self.head.status, attention)
        workflow.set_current_details("\n".join(self.details()))

    def details(self) -> list[str]:
        lines = [f"- **{self.head.status}**, stage {self.stage}", f"- payment: {self.head.payment}"]
        for f in self.fulfillments.values():
            labels = ", ".join(f"label {parcel.label}" for parcel in f.parcels)
            lines.append(f"- {f.fulfillment_id}: {f.status}{', ' + labels if labels else ''}")
        for hold in self.head.holds:
            about = f" {hold.fulfillment_id}" if hold.fulfillment_id else ""
            offered = ", ".join(hold.actions)
            lines.append(f"- held `{hold.hold_id}`{about}: {hold.reason} ({hold.step}); resolve with {offered}")
        return lines

    # --- waiting -----------------------------------------------------------------------------------------------------

    async def until(self, true: Condition, at: datetime | None = None, *, within: timedelta | None = None) -> bool:
        """Waits until it is true, or until a deadline: `at` comes from facts and is the same in a later run, `within`
        counts from now. False: the deadline came first."""
        deadline = workflow.now() + within if within is not None else at
        if true() or (deadline and workflow.now() >= deadline):
            return true()
        if deadline is None:
            await workflow.wait_condition(true)
            return True
        self.alarm.add(deadline)
        try:
            await workflow.wait_condition(lambda: true() or workflow.now() >= deadline)
        finally:
            self.alarm.drop(deadline)
        if at is not None and not true():
            await self.renewed()
        return true()

    async def renewed(self) -> None:
        """A wait is over. Where it is time for a new run, this one stops here and the new one looks for itself."""
        due = self.policy.continue_at_every_wait or workflow.info().is_continue_as_new_suggested()
        idle = not (self.under_way or self.deciding or self.decisions) and workflow.all_handlers_finished()
        if due and idle:
            self.renewal = True
            await workflow.wait_condition(lambda: False)

    # --- taking a step -----------------------------------------------------------------------------------------------

    async def do(self, call: Call, *, undoing: bool = False, wanted_for: str | None = None, **about: Any) -> bool:
        """Takes one step until it is done. False when an operator had it skipped; `CalledOff` when the order, or the
        fulfillment it is wanted for, is to end. Undoing goes on whatever happens."""
        fulfillment_id: str | None = about.get("fulfillment_id")
        name = f"{call.name} {about['parcel']}" if "parcel" in about else call.name
        wanted_for = wanted_for or fulfillment_id
        with self.taking(name, fulfillment_id):
            while True:
                if not undoing:
                    await self.still_wanted(wanted_for)
                hold = self.hold_of(name, fulfillment_id)
                try:
                    self.learn(await self.attempt(call, undoing=undoing, once=hold is not None, **about))
                except ActivityError as failure:
                    if is_cancelled_exception(failure):
                        continue
                    offered: tuple[Action, ...] = tuple(a for a in call.actions if not (undoing and a == "cancel"))
                    give_up = (lambda: False) if undoing else (lambda: self.stopping(wanted_for))
                    if await self.held(name, fulfillment_id, failure, offered, give_up) == "skip":
                        return False
                    continue
                if hold := self.hold_of(name, fulfillment_id):
                    await self.resolve(hold, "retry", by=name, why="the step went well")
                return True

    @contextmanager
    def taking(self, step: str, fulfillment_id: str | None) -> Iterator[None]:
        self.steps.add((step, fulfillment_id))
        try:
            yield
        finally:
            self.steps.discard((step, fulfillment_id))

    async def attempt(self, call: Call, *, undoing: bool = True, once: bool = False, **about: Any) -> Standing:
        step = call.takes.model_validate(
            {"order_id": self.order_id, "at": workflow.now().replace(microsecond=0), **about}
        )
        handle = calls.start(call, step, self.policy, once=once)
        self.under_way[handle] = not undoing
        try:
            return await handle
        finally:
            del self.under_way[handle]

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
            hold.reason in STOPPING and hold.fulfillment_id in (None, fulfillment_id) for hold in self.head.holds
        )

    async def cancel(self, **about: Any) -> None:
        """Whether the order can still be cancelled is for the tables to say."""
        await self.decide(calls.DECIDE, **about)

    async def decide(self, call: Call, **about: Any) -> None:
        """Nothing new begins meanwhile. If the order is to end, calls between retries end at once and calls under way
        finish first."""
        self.deciding = True
        try:
            self.learn(await self.attempt(call, **about))
        finally:
            self.deciding = False
        if self.called_off:
            for handle, forward in self.under_way.items():
                if forward:
                    handle.cancel()

    # --- holds -------------------------------------------------------------------------------------------------------

    def hold_of(self, step: str, fulfillment_id: str | None) -> HoldStanding | None:
        return next((h for h in self.head.holds if (h.step, h.fulfillment_id) == (step, fulfillment_id)), None)

    def stale_holds(self) -> list[HoldStanding]:
        """Steps that failed in a run before this one, and that what came meanwhile has made needless."""
        wanted = self.steps | ({(calls.TELL.name, None)} if self.head.telling else set())
        return [
            h
            for h in self.head.holds
            if h.reason in (HoldReason.STEP_FAILED, HoldReason.PAYMENT_ACTION)
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
    ) -> HoldStanding:
        about: dict[str, Any] = {"fulfillment_id": fulfillment_id} if fulfillment_id else {}
        self.learn(
            await self.attempt(
                calls.OPEN_HOLD, reason=reason, step=step, code=code, advice=advice, actions=actions, **about
            )
        )
        decided = HoldStanding(hold_id="", reason=reason, actions=actions)  # before this run could hear of it
        return self.hold_of(step, fulfillment_id) or decided

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
            await self.renewed()  # an outage of days is many tries
        return decided or "retry"

    async def decision(
        self, hold: HoldStanding, otherwise: Condition, *, within: timedelta | None = None
    ) -> Action | None:
        """What an operator decided about a hold; None when something else, or time, ended the wait."""
        self.awaited.add(hold.hold_id)
        await self.until(lambda: not self.is_open(hold) or otherwise(), within=within)
        self.awaited.discard(hold.hold_id)
        return self.decisions.pop(hold.hold_id, None)

    def is_open(self, hold: HoldStanding) -> bool:
        return any(h.hold_id == hold.hold_id for h in self.head.holds)

    async def resolve(
        self, hold: HoldStanding, action: Action, *, by: str = "", why: str = "", change_id: int | None = None
    ) -> None:
        """Closes a hold with a decision (a cancellation is decided with it) and lets the step that waits hear it."""
        about: dict[str, Any] = {"change_id": change_id} if change_id else {"by": by, "why": why}
        await self.decide(calls.RESOLVE_HOLD, hold_id=hold.hold_id, action=action, **about)
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
