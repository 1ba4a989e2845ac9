"""What a run knows of its order, what it shows of it, and when a step is still wanted."""

import asyncio
from itertools import islice
from typing import Any

from temporalio import workflow

from activities.models import (
    CALLED_OFF,
    CLOSED,
    Action,
    AnyHoldKind,
    ChangeStep,
    FulfillmentSnapshot,
    FulfillmentStatus,
    HoldKind,
    HoldReason,
    HoldSnapshot,
    HoldStep,
    LoadStep,
    OrderSnapshot,
    OrderStatus,
    OrderStep,
    Policy,
    Recall,
    RefundStep,
    ResolveStep,
    Snapshot,
    Subject,
)
from workflows import calls
from workflows.messages import ORDER_ATTENTION, ORDER_STATUS
from workflows.order_parts import Parts
from workflows.progress import Progress

LISTED = 20
"""Fulfillments, or holds, that are listed one by one on the page of the web UI; more are counted."""


class OrderProgress(Progress[Snapshot]):
    policy: Policy
    no_progress = HoldKind.NO_PROGRESS

    def __init__(self, order_id: str) -> None:
        super().__init__(Subject.order(order_id))
        self.order_id = order_id
        self.order = OrderSnapshot(version=-1, status=OrderStatus.PLACED)
        self.parts = Parts()
        self.placed_at = workflow.now()
        self.policy = Policy()
        self.stage = "loading"
        self.money = asyncio.Lock()
        """One money step of an order at a time."""
        self.last_load = -1
        """The version of the last load. What a step answers never moves it: news of other parts may lie between."""
        self.message_waits = False
        """There is a message in the tables, which an answer that is under way may not know of."""
        self.shown: tuple[str, list[str]] = (OrderStatus.PLACED, [])

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def step(self) -> OrderStep:
        return OrderStep(order_id=self.order_id, at=self.at)

    def refund_step(self, refund_id: str) -> RefundStep:
        return RefundStep(order_id=self.order_id, at=self.at, refund_id=refund_id)

    @property
    def loaded(self) -> bool:
        return self.order.version >= 0

    @property
    def fulfillments(self) -> dict[str, FulfillmentSnapshot]:
        return self.parts.fulfillments

    @property
    def holds(self) -> tuple[HoldSnapshot, ...]:
        return tuple(self.parts.holds.values())

    def holds_about(self, subject: Subject) -> tuple[HoldSnapshot, ...]:
        f = self.fulfillments.get(subject.fulfillment_id or "")
        return f.holds if f else self.order.holds

    @property
    def called_off(self) -> bool:
        return self.order.cancellation in CALLED_OFF and self.order.status not in CLOSED

    @property
    def closed(self) -> bool:
        return self.order.status in CLOSED

    def due(self) -> bool:
        """Something had to happen by now, or has to happen now."""
        return self.order.due is not None and workflow.now() >= self.order.due

    def unread(self) -> bool:
        return self.message_waits or super().unread()

    def idle(self) -> bool:
        return not (self.under_way or self.deciding or self.order.changes)

    def learn(self, news: Snapshot) -> None:
        """Keeps the later of what is known and what is told, and shows it."""
        before = self.order
        if news.order and news.order.version >= before.version:
            same = news.order.version == before.version
            # a restock does not raise the version of the orders it serves: what it gave stays known until reserved
            unplanned = news.order.unplanned or (same and before.unplanned)
            self.order = news.order.model_copy(update={"unplanned": unplanned})
            self.parts.held(before.holds, self.order.holds)
        newer = [f.id for f in news.fulfillments if self.parts.learn(f)]
        self.placed_at = news.placed_at or self.placed_at
        self.policy = news.policy or self.policy
        self.show()
        if self.order != before.model_copy(update={"version": self.order.version}):
            self.waits.all_changed()
        else:
            self.waits.changed(newer)

    def show(self) -> None:
        """Search attributes when they changed, and the page an operator sees in the web UI."""
        attention = sorted(reason.value for reason, n in self.parts.reasons.items() if n)
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
            counts = [f"{n} {status}" for status, n in self.parts.statuses.items() if n]
            lines.append("- fulfillments: " + ", ".join(counts))
        else:
            for f in self.fulfillments.values():
                labels = "".join(f", label {parcel.label}" for parcel in f.parcels)
                lines.append(f"- {f.id}: {f.status}{labels}")
        for hold in islice(self.parts.holds.values(), LISTED):
            kind, offered = hold.kind, ", ".join(hold.kind.actions)
            lines.append(f"- held `{hold.hold_id}` {hold.subject.id}: {kind.reason} ({kind}); resolve with {offered}")
        if (more := len(self.parts.holds) - LISTED) > 0:
            lines.append(f"- and {more} more that are held")
        return lines

    def known(self, about: Subject) -> tuple[OrderSnapshot, FulfillmentSnapshot | None]:
        nothing = {"version": 0, "status": OrderStatus.PLACED, "holds": (), "changes": ()}
        f = self.fulfillments.get(about.fulfillment_id or "")
        return self.order.model_copy(update=nothing), f and f.model_copy(update={"version": 0, "holds": ()})

    def stopping(self, about: Subject) -> bool:
        """Whether the order is to end, or this fulfillment is to be stopped, and it has not left or become
        unstoppable."""
        f = self.fulfillments.get(about.fulfillment_id or "")
        if f is None:
            return self.called_off
        wanted = self.called_off or f.recall == Recall.ASKED or f.status == FulfillmentStatus.CANCELLED
        return wanted and not (f.has_left or f.recall == Recall.REFUSED)

    # --- holds and wishes --------------------------------------------------------------------------------------------

    async def open_hold(self, kind: AnyHoldKind, held: Subject, code: str, advice: str) -> None:
        known: dict[str, Any] = {key: text for key, text in (("code", code), ("advice", advice)) if text}
        step = HoldStep(order_id=self.order_id, at=self.at, kind=kind, held=held, **known)
        self.learn(await self.attempt(calls.OPEN_HOLD, step))

    async def close_hold(
        self, hold_id: str, action: Action | None, *, by: str, why: str, change_id: int | None = None
    ) -> None:
        about: dict[str, Any] = {"change_id": change_id} if change_id else {"by": by, "why": why}
        about |= {"action": action} if action else {}
        await self.decide(calls.RESOLVE_HOLD, ResolveStep(order_id=self.order_id, at=self.at, hold_id=hold_id, **about))

    async def look(self) -> None:
        await self.may_begin()
        self.nudged = False
        self.message_waits = self.message_waits and self.loaded  # the first look knows of all
        known: dict[str, Any] = {"since": self.last_load} if self.last_load >= 0 else {}
        news = await self.attempt(calls.LOAD, LoadStep(order_id=self.order_id, at=self.at, **known))
        self.learn(news)
        self.last_load = news.order.version if news.order else self.last_load

    def stale_holds(self) -> list[HoldSnapshot]:
        """Of steps that failed in a run before this one, and that what came meanwhile has made needless."""
        wanted = self.steps | ({(calls.TELL, self.subject)} if self.order.telling else set())
        wanted |= {(calls.REFUND, self.refund_step(refund_id).subject) for refund_id in self.order.refunds}
        failing, repeated = {(call.fails_as, about) for call, about in wanted}, {about for _, about in wanted}

        def stale(hold: HoldSnapshot) -> bool:
            if hold.kind.reason == HoldReason.STEP_FAILED:
                return (hold.kind, hold.subject) not in failing
            if hold.kind == HoldKind.NO_PROGRESS:
                return hold.subject not in repeated
            return hold.kind.reason == HoldReason.PAYMENT_ACTION

        return [hold for hold in self.holds if stale(hold)]

    def payment_held(self) -> bool:
        """A person, or the customer, must decide how the rest is paid."""
        return any(hold.kind.reason == HoldReason.PAYMENT_ACTION for hold in self.order.holds)

    async def cancel(self, wish: ChangeStep) -> None:
        """Whether the order can still be cancelled is for the tables to say."""
        await self.decide(calls.DECIDE, wish)
