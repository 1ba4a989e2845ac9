"""The life of an order, from where it stands to its end: entered at its start, after a reset, after continue-as-new,
and again when there is late news."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.models import (
    CancelReason,
    ChangeStanding,
    FulfillmentStatus,
    HoldReason,
    HoldStanding,
    OrderStatus,
    PaymentStatus,
)
from workflows import calls
from workflows.fulfillment import FulfillmentRun, unfinished
from workflows.messages import ORDER, Cancel, Entry, HoldOrder, Resolve, Where
from workflows.progress import CalledOff, Progress


@workflow.defn(name=ORDER)
class OrderWorkflow:
    @workflow.init
    def __init__(self, entry: Entry) -> None:
        self.progress = Progress(entry.order_id)
        self.tasks: list[asyncio.Task[None]] = []
        self.runs: dict[str, asyncio.Task[None]] = {}
        self.nudged = False
        self.wish = entry.cancel
        """To cancel the order: said in the web UI, and not decided yet."""

    @workflow.run
    async def run(self, entry: Entry) -> OrderStatus:
        """Runs until every fulfillment has arrived or was undone, and every refund is final."""
        life = self.spawn(self.live())
        while not life.done():
            try:
                await workflow.wait_condition(lambda: life.done() or self.progress.renewal or bool(self.bugs()))
            except asyncio.CancelledError:
                self.wish = self.wish or Cancel(why="cancelled in the web UI")
            for bug in self.bugs():
                raise bug
            if self.progress.renewal:
                workflow.continue_as_new(Entry(order_id=entry.order_id, cancel=self.wish))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.progress.head.status

    async def live(self) -> None:
        """Payment, reservation, fulfillment; and what is not shipped is not charged."""
        await self.look()
        self.spawn(self.listen())
        self.spawn(self.keep_telling())
        try:
            if not self.progress.closed:
                await self.payment()
                await self.reservation()
                await self.fulfillment()
        except CalledOff:
            await self.undo()
        while not await self.concluded():
            await self.undo()

    # --- stages ------------------------------------------------------------------------------------------------------

    async def payment(self) -> None:
        """Sets the money aside. Declined, or waiting for the customer: until the deadline, then the order ends."""
        p = self.enter("payment")
        deadline = p.placed_at + p.policy.payment_deadline
        while not p.head.funded:
            if p.head.payment_ready:
                await p.do(calls.AUTHORIZE)
            elif not await p.until(lambda: p.head.payment_ready or p.head.funded or p.called_off, at=deadline):
                await self.give_up_payment()
            await p.still_wanted(None)

    async def give_up_payment(self) -> None:
        """The deadline has passed. The bank is asked once more: its word may have come before we could hear it."""
        p = self.progress
        if p.head.payment == PaymentStatus.ACTION_REQUIRED:
            await p.do(calls.AUTHORIZE)
        if not p.head.funded:
            await p.cancel(reason=CancelReason.PAYMENT, by="deadline", why="no payment came in time")

    async def reservation(self) -> None:
        """Sets units aside, or takes a place in the queue for them."""
        p = self.enter("reservation")
        while p.head.unplanned:
            await p.do(calls.RESERVE)

    async def fulfillment(self) -> None:
        """Every fulfillment side by side; more of them as backordered units arrive."""
        p = self.enter("fulfillment")
        self.begin_fulfillments()
        while p.called_off or p.head.unplanned or p.head.waiting or not self.all_settled():
            await p.still_wanted(None)
            if p.head.unplanned:
                await p.do(calls.RESERVE)
                self.begin_fulfillments()
            else:
                await p.until(lambda: p.called_off or p.head.unplanned or (not p.head.waiting and self.all_settled()))

    async def undo(self) -> None:
        """Newest first: goods where the warehouse can stop them, then stock, then money."""
        p = self.enter("undo")
        self.begin_fulfillments()
        await p.until(self.all_decided)
        await p.do(calls.RELEASE_STOCK, undoing=True)
        await p.until(self.all_paid)  # from what is set aside, before the rest of it is given back
        await self.void()

    async def concluded(self) -> bool:
        """Parcels arrive, refunds become final, operators close what is held; then nothing is left anywhere. False when
        it is cancelled before that."""
        p = self.enter("aftermath")
        await p.until(lambda: p.head.to_undo or self.all_settled())
        if p.head.to_undo:
            return False
        for hold in p.stale_holds():
            await p.resolve(hold, "retry", by="order", why="nothing waits for this step any more")
        if p.head.money_left:
            await self.void()
        await p.until(lambda: p.head.to_undo or (p.closed and not self.asked_something()))
        return not p.head.to_undo

    async def void(self) -> None:
        async with self.progress.money:
            await self.progress.do(calls.VOID, undoing=True)

    def asked_something(self) -> bool:
        p = self.progress
        return bool(p.head.telling or p.head.changes or p.deciding or self.wish)

    def enter(self, stage: str) -> Progress:
        self.progress.stage = stage
        self.progress.show()
        return self.progress

    # --- fulfillments ------------------------------------------------------------------------------------------------

    def begin_fulfillments(self) -> None:
        """A task for each that is not finished and that nobody looks after yet."""
        for f in self.progress.fulfillments.values():
            if f.fulfillment_id not in self.runs and unfinished(f):
                run = FulfillmentRun(self.progress, f.fulfillment_id)
                self.runs[f.fulfillment_id] = self.spawn(run.run())

    def all_settled(self) -> bool:
        return all(task.done() for task in self.runs.values())

    def all_decided(self) -> bool:
        """Whether each has left, or is known never to leave."""
        standing = self.progress.fulfillments
        return all(
            task.done() or standing[name].has_left or standing[name].status == FulfillmentStatus.CANCELLED
            for name, task in self.runs.items()
        )

    def all_paid(self) -> bool:
        """Whether the share of each that has left was captured."""
        return not any(f.has_left and f.amount and not f.captured for f in self.progress.fulfillments.values())

    # --- beside the stages -------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Reads where the order stands. What was heard until now is then known."""
        self.nudged = False
        self.progress.learn(await self.progress.attempt(calls.LOAD))

    async def listen(self) -> None:
        """A nudge says that the tables have something new; a wish to cancel is decided by them."""
        p = self.progress
        while True:
            for change in p.head.changes:
                await self.carry_out(change)
            if self.wish:
                await p.cancel(reason=self.wish.reason, by=self.wish.by, why=self.wish.why)
                self.wish = None
            await p.until(lambda: self.nudged or self.wish is not None)
            await p.renewed()
            if self.nudged:
                await self.look()

    async def carry_out(self, change: ChangeStanding) -> None:
        """What was asked over HTTP: stored as asked, decided here."""
        p = self.progress
        if change.kind == "cancel":
            await p.cancel(change_id=change.change_id)
        elif change.hold_id and change.action:
            hold = HoldStanding(hold_id=change.hold_id, reason=HoldReason.OPERATOR, actions=())
            await p.resolve(hold, change.action, change_id=change.change_id)

    async def keep_telling(self) -> None:
        """What the customer is to hear goes out beside everything else, and holds nothing up."""
        p = self.progress
        while True:
            await p.until(lambda: p.head.telling)
            await p.do(calls.TELL, undoing=True)

    def bugs(self) -> list[BaseException]:
        """Tasks beside the stages never fail; if one did, the run must say so instead of waiting for ever."""
        ended = (task.exception() for task in self.tasks if task.done() and not task.cancelled())
        return [error for error in ended if error is not None]

    def spawn(self, life: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(life)
        self.tasks.append(task)
        return task

    # --- what may be sent and asked ----------------------------------------------------------------------------------

    @workflow.signal(description="There is news in the order's tables: look. Sent by the API; harmless to repeat.")
    def news(self) -> None:
        self.nudged = True

    @workflow.signal(description="Units arrived for this order: look. Sent by the API; harmless to repeat.")
    def restocked(self) -> None:
        self.nudged = True

    @workflow.signal(description="The customer is to hear something. Sent by the API; harmless to repeat.")
    def message(self) -> None:
        self.progress.head = self.progress.head.model_copy(update={"telling": True})

    @workflow.signal(
        description='Cancel what has not left yet: {"by": "you", "why": "…"}. The same as "Request Cancellation". '
        "What became of it stands in the order: accepted, partly or refused."
    )
    def cancel(self, request: Cancel | None = None) -> None:
        self.wish = self.wish or request or Cancel()

    @workflow.update(
        description='Decide an open hold: {"hold": "ID-h1", "action": "retry|skip|cancel", "by": "you", "why": "…"}. '
        "The open holds and what they offer stand in the current details."
    )
    async def resolve(self, decision: Resolve) -> Where:
        p = self.progress
        await p.until(lambda: p.head.version >= 0)
        hold = self.open_hold(decision)
        await p.resolve(hold, decision.action, by=decision.by, why=decision.why)
        return self.where()

    @resolve.validator
    def may_resolve(self, decision: Resolve) -> None:
        if not decision.by.strip() or not decision.why.strip():
            raise ValueError("by and why must say who decides, and for what reason")
        if self.progress.head.version >= 0:
            self.open_hold(decision)

    def open_hold(self, decision: Resolve) -> HoldStanding:
        hold = next((h for h in self.progress.head.holds if h.hold_id == decision.hold), None)
        if hold is None:
            open_now = ", ".join(h.hold_id for h in self.progress.head.holds) or "none"
            raise ApplicationError(f"hold {decision.hold} is not open; open holds: {open_now}", type="NotOpen")
        if decision.action not in hold.actions:
            offered = ", ".join(hold.actions)
            raise ApplicationError(
                f"{decision.action} is not offered for this hold; offered: {offered}", type="NotOffered"
            )
        return hold

    @workflow.update(
        description='Stop before the next step: {"by": "you", "why": "…", "fulfillment": "ID-1 or nothing"}. '
        "Resolve the hold with retry to go on."
    )
    async def hold(self, request: HoldOrder) -> Where:
        p = self.progress
        await p.hold(
            HoldReason.OPERATOR,
            "operator",
            "stopped",
            f"{request.by}: {request.why}",
            ("retry", "cancel"),
            request.fulfillment,
        )
        return self.where()

    @hold.validator
    def may_hold(self, request: HoldOrder) -> None:
        if not request.by.strip() or not request.why.strip():
            raise ValueError("by and why must say who stops the order, and for what reason")
        if request.fulfillment and request.fulfillment not in self.progress.fulfillments:
            raise ValueError(f"fulfillment {request.fulfillment} is not one of this order's")

    @workflow.query(name="standing", description="Where the order stands, as this run knows it.")
    def where(self) -> Where:
        p = self.progress
        return Where(
            order_id=p.order_id,
            status=p.head.status,
            stage=p.stage,
            payment=p.head.payment,
            fulfillments={f.fulfillment_id: f.status for f in p.fulfillments.values()},
            holds=[hold.hold_id for hold in p.head.holds],
        )
