"""The life of an order, from where it stands to its end: entered at its start, after a reset, after continue-as-new,
and again when there is late news."""

import asyncio
from datetime import datetime

from temporalio import workflow

from activities.models import (
    CancelReason,
    ChangeKind,
    ChangeSnapshot,
    ChangeStep,
    FulfillmentStatus,
    OrderStatus,
    PaymentStatus,
    RefundStatus,
    RemarkStep,
)
from workflows import calls
from workflows.call import Condition
from workflows.fulfillment import FulfillmentRun, unfinished
from workflows.handlers import Handlers
from workflows.messages import ORDER, Entry
from workflows.order_progress import OrderProgress
from workflows.progress import CalledOff


@workflow.defn(name=ORDER)
class OrderWorkflow(Handlers):
    @workflow.init
    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.runs: dict[str, asyncio.Task[None]] = {}
        self.refunding: set[str] = set()

    @workflow.run
    async def run(self, entry: Entry) -> OrderStatus:
        """Runs until every fulfillment has arrived or was undone, and every refund is final."""
        await self.run_to_end(self.process())
        return self.progress.order.status

    async def process(self) -> None:
        """Payment, reservation, fulfillment; and what is not shipped is not charged."""
        await self.progress.look()
        self.spawn(self.listen())
        self.spawn(self.keep_telling())
        self.spawn(self.keep_refunding())
        self.spawn(self.keep_deadlines())
        self.spawn(self.keep_authorized())
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
        while not p.order.funded:
            if workflow.now() >= deadline:
                await self.give_up_payment(deadline)
            elif p.order.payment_ready:
                await p.do(calls.AUTHORIZE, p.step, until=deadline)
            else:
                await p.until(lambda: p.order.payment_ready or p.order.funded or p.called_off, at=deadline)
            await p.still_wanted(p.subject)

    async def give_up_payment(self, deadline: datetime) -> None:
        """The deadline has passed. The bank is asked once more: its word, or another way to pay, may have come before
        we could hear it."""
        p = self.progress
        await p.look()
        if p.order.payment_ready or p.order.payment == PaymentStatus.ACTION_REQUIRED:
            await p.do(calls.AUTHORIZE, p.step, until=deadline)
        if not p.order.funded:
            why = "no payment came in time"
            await p.cancel(
                ChangeStep(order_id=p.order_id, at=p.at, reason=CancelReason.PAYMENT, by="deadline", why=why)
            )

    async def reservation(self) -> None:
        """Sets units aside, or takes a place in the queue for them."""
        p = self.enter("reservation")
        while p.order.unplanned:
            await p.do(calls.RESERVE, p.step)

    async def fulfillment(self) -> None:
        """Every fulfillment side by side; more of them as backordered units arrive."""
        p = self.enter("fulfillment")
        self.begin_fulfillments()
        while p.called_off or p.order.unplanned or p.order.waiting or not self.all_settled():
            await p.still_wanted(p.subject)
            if p.order.unplanned:
                await p.do(calls.RESERVE, p.step)
                self.begin_fulfillments()
            else:
                await p.until(lambda: p.called_off or p.order.unplanned or (not p.order.waiting and self.all_settled()))

    async def undo(self) -> None:
        """Newest first: goods where the warehouse can stop them, then stock, then money."""
        p = self.enter("undo")
        self.begin_fulfillments()
        await p.until(self.all_decided)
        await p.do(calls.RELEASE_STOCK, p.step, undoing=True)
        await p.until(self.all_paid)  # from what is set aside, before the rest of it is given back
        await self.void()

    async def concluded(self) -> bool:
        """Parcels arrive, refunds become final, operators close what is held; then nothing is left anywhere. False when
        it is cancelled before that."""
        p = self.enter("aftermath")
        await p.until(lambda: p.order.to_undo or self.all_settled())
        if p.order.to_undo:
            return False
        for hold in p.stale_holds():
            await p.close(hold, by="order", why="nothing waits for this step any more")
        if p.order.money_left:
            await self.void()
        await p.until(lambda: p.order.to_undo or (p.closed and not (self.asked_something() or p.unread())))
        return not p.order.to_undo

    async def void(self) -> None:
        p = self.progress
        async with p.money:
            await p.do(calls.VOID, p.step, undoing=True)

    def asked_something(self) -> bool:
        p = self.progress
        return bool(
            p.order.telling or p.order.refunds or p.order.changes or p.deciding or p.due() or self.wish or self.remarks
        )

    def enter(self, stage: str) -> OrderProgress:
        self.progress.stage = stage
        self.progress.show()
        return self.progress

    # --- fulfillments ------------------------------------------------------------------------------------------------

    def begin_fulfillments(self) -> None:
        """A task for each that is not finished and that nobody looks after yet."""
        for f in self.progress.fulfillments.values():
            if f.id not in self.runs and unfinished(f):
                run = FulfillmentRun(self.progress, f.id)
                self.runs[f.id] = self.spawn(run.run())

    def all_settled(self) -> bool:
        return all(task.done() for task in self.runs.values())

    def all_decided(self) -> bool:
        """Whether each has left, or is known never to leave."""
        known = self.progress.fulfillments
        return all(
            task.done() or known[name].has_left or known[name].status == FulfillmentStatus.CANCELLED
            for name, task in self.runs.items()
        )

    def all_paid(self) -> bool:
        """Whether the share of each that has left was captured."""
        return not any(f.has_left and f.amount for f in self.progress.fulfillments.values())

    # --- beside the stages -------------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """A nudge says that the tables have something new; a wish to cancel is decided by them."""
        p = self.progress
        while True:
            await p.may_begin()
            for change in p.order.changes:
                await self.carry_out(change)
            if self.wish:
                about = self.wish.model_dump()
                await p.cancel(ChangeStep(order_id=p.order_id, at=p.at, **about))
                self.wish = None
            while self.remarks:
                about = self.remarks[0].model_dump()
                await p.attempt(calls.NOTE_REMARK, RemarkStep(order_id=p.order_id, at=p.at, **about))
                del self.remarks[0]
            await p.until(lambda: p.nudged or self.wish is not None or bool(self.remarks))
            await p.renewed()
            if p.nudged:
                await p.look()

    async def carry_out(self, change: ChangeSnapshot) -> None:
        """What was asked over HTTP: stored as asked, decided here."""
        p = self.progress
        if change.kind == ChangeKind.CANCEL:
            await p.cancel(ChangeStep(order_id=p.order_id, at=p.at, change_id=change.change_id))
        elif change.hold_id and change.action:
            await p.resolve(change.hold_id, change.action, change_id=change.change_id)

    async def keep_telling(self) -> None:
        """What the customer is to hear goes out beside everything else, and holds nothing up."""
        p = self.progress
        while True:
            await p.until(lambda: p.message_waits or bool(p.order.telling))
            p.message_waits = False
            p.order = p.order.model_copy(update={"telling": p.order.telling or 1})  # for the answer to change
            await p.do(calls.TELL, p.step, undoing=True)

    async def keep_refunding(self) -> None:
        """Money goes back beside everything else, in an order that is closed too: each refund by itself, as one that
        the provider refuses is no matter of the others."""
        p = self.progress
        while True:
            await p.until(lambda: not self.refunding >= p.order.refunds.keys())
            for refund_id in [each for each in p.order.refunds if each not in self.refunding]:
                self.refunding.add(refund_id)
                self.spawn(self.refund(refund_id))

    async def refund(self, refund_id: str) -> None:
        """Asked of the provider; then until the bank has said its last word, which it is asked for now and then. One
        that waits for a dispute's end is begun again then."""
        p = self.progress
        pending: Condition = lambda: p.order.refunds.get(refund_id) == RefundStatus.PENDING  # noqa: E731
        while refund_id in p.order.refunds:
            if pending() and await p.until(lambda: not pending(), within=p.policy.first_poll):
                continue
            await p.do(calls.REFUND, p.refund_step(refund_id), undoing=True)
        self.refunding.discard(refund_id)

    async def keep_deadlines(self) -> None:
        """What must happen at a time is in the tables: looked at when the nearest is due. The alarm is set when nothing
        else is under way, as what is may do away with it."""
        p = self.progress
        while True:
            await p.until(lambda: p.due() or (p.order.due is not None and not p.closed and p.idle()))
            if await self.nearest_passes():
                await p.do(calls.PASS_DEADLINES, p.step, undoing=True)

    async def nearest_passes(self) -> bool:
        """False: another has become the nearest."""
        p, nearest = self.progress, self.progress.order.due
        return not await p.until(lambda: p.order.due != nearest, at=nearest)

    async def keep_authorized(self) -> None:
        """Another authorization is wanted while the old one is good, or has ended before any goods need it: as nothing
        waits for it, a provider in trouble is no hold."""
        p = self.progress
        ended: Condition = lambda: p.order.funded and not (p.called_off or p.closed)  # noqa: E731
        wanted: Condition = lambda: p.order.payment_ready and (p.order.capturable > 0 or ended())  # noqa: E731
        while True:
            await p.until(wanted)
            async with p.money:
                if wanted():
                    await p.do(calls.AUTHORIZE, p.step, undoing=True, until=workflow.now())
            await p.until(lambda: not wanted(), within=p.policy.held_retry)
