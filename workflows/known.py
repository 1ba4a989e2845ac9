"""What a run knows of its order, what it shows of it, and how it waits."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from activities.models import (
    CALLED_OFF,
    CLOSED,
    Action,
    FulfillmentSnapshot,
    OrderSnapshot,
    OrderStatus,
    OrderStep,
    Policy,
    Snapshot,
    Subject,
)
from workflows.alarm import Alarm
from workflows.call import Call, Condition, Handle
from workflows.messages import ORDER_ATTENTION, ORDER_STATUS
from workflows.repeats import Repeat

LISTED = 20
"""Fulfillments, or holds, that are listed one by one on the page of the web UI; more are counted."""


class Known:
    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.order = OrderSnapshot(version=-1, status=OrderStatus.PLACED)
        self.fulfillments: dict[str, FulfillmentSnapshot] = {}
        self.placed_at = workflow.now()
        self.policy = Policy()
        self.stage = "loading"
        self.money = asyncio.Lock()
        """One money step of an order at a time."""
        self.alarm = Alarm()
        self.under_way: dict[Handle, tuple[Call[Any, Any], bool]] = {}
        """Calls that have not answered, and whether they are given up when the order is called off."""
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
        self.loaded = -1
        """The version of the last load. What a step answers never moves it: news of other parts may lie between."""
        self.nudged = False
        """There is news in the tables."""
        self.shown: tuple[str, list[str]] = (OrderStatus.PLACED, [])

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def at(self) -> datetime:
        """The order's own time, as its tables keep it."""
        return workflow.now().replace(microsecond=0)

    @property
    def step(self) -> OrderStep:
        return OrderStep(order_id=self.order_id, at=self.at)

    @property
    def subject(self) -> Subject:
        return Subject.order(self.order_id)

    @property
    def called_off(self) -> bool:
        return self.order.cancellation in CALLED_OFF and self.order.status not in CLOSED

    @property
    def closed(self) -> bool:
        return self.order.status in CLOSED

    def due(self) -> bool:
        """Something had to happen by now, or has to happen now."""
        return self.order.next_deadline is not None and workflow.now() >= self.order.next_deadline

    def idle(self) -> bool:
        return not (self.under_way or self.deciding or self.order.changes)

    def learn(self, news: Snapshot) -> None:
        """Keeps the later of what is known and what is told, and shows it."""
        if news.order and news.order.version >= self.order.version:
            same = news.order.version == self.order.version
            # a restock does not raise the version of the orders it serves: what it gave stays known until reserved
            unplanned = news.order.unplanned or (same and self.order.unplanned)
            self.order = news.order.model_copy(update={"unplanned": unplanned})
        for told in news.fulfillments:
            known = self.fulfillments.get(told.fulfillment_id)
            if known is None or told.version >= known.version:
                self.fulfillments[told.fulfillment_id] = told
        self.placed_at = news.placed_at or self.placed_at
        self.policy = news.policy or self.policy
        self.show()

    def show(self) -> None:
        """Search attributes when they changed, and the page an operator sees in the web UI."""
        attention = sorted({hold.kind.reason.value for hold in self.order.holds})
        updates: list[Any] = []
        if self.order.status != self.shown[0]:
            updates.append(ORDER_STATUS.value_set(self.order.status))
        if attention != self.shown[1]:
            updates.append(ORDER_ATTENTION.value_set(attention) if attention else ORDER_ATTENTION.value_unset())
        if updates:
            workflow.upsert_search_attributes(updates)
        self.shown = (self.order.status, attention)
        workflow.set_current_details("\n".join(self.details()))

    def details(self) -> list[str]:
        lines = [f"- **{self.order.status}**, stage {self.stage}", f"- payment: {self.order.payment}"]
        if len(self.fulfillments) > LISTED:
            counts = Counter(f.status for f in self.fulfillments.values())
            lines.append("- fulfillments: " + ", ".join(f"{n} {status}" for status, n in counts.items()))
        else:
            for f in self.fulfillments.values():
                labels = "".join(f", label {parcel.label}" for parcel in f.parcels)
                lines.append(f"- {f.fulfillment_id}: {f.status}{labels}")
        for hold in self.order.holds[:LISTED]:
            kind, offered = hold.kind, ", ".join(hold.kind.actions)
            lines.append(f"- held `{hold.hold_id}` {hold.subject.id}: {kind.reason} ({kind}); resolve with {offered}")
        if len(self.order.holds) > LISTED:
            lines.append(f"- and {len(self.order.holds) - LISTED} more that are held")
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
