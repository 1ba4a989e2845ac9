"""One fulfillment inside its order: requested → packed → labelled → captured → released → shipped → delivered; or,
to be picked up, requested → packed → captured → ready → picked up."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from temporalio import workflow

from activities.models import (
    ENDED,
    OPEN_LABELS,
    FulfillmentSnapshot,
    FulfillmentStatus,
    FulfillmentStep,
    HoldKind,
    LabelStatus,
    ParcelStep,
    Recall,
    ShippingMethod,
    Snapshot,
    Subject,
)
from workflows import calls
from workflows.call import Call, Condition, StepT
from workflows.order_progress import OrderProgress
from workflows.progress import CalledOff

Status = FulfillmentStatus
BEFORE_PACKED = frozenset({Status.PLANNED, Status.REQUESTED})


class FulfillmentRun:
    def __init__(self, progress: OrderProgress, fulfillment_id: str) -> None:
        self.progress = progress
        self.fulfillment_id = fulfillment_id
        self.subject = Subject.fulfillment(fulfillment_id)

    @property
    def now(self) -> FulfillmentSnapshot:
        return self.progress.fulfillments[self.fulfillment_id]

    async def run(self) -> None:
        """From wherever it stands to its end. Called off, it is undone; where the warehouse cannot stop it, it goes
        on."""
        while not self.now.has_left and not self.now.ended:
            try:
                for stage in WAYS[self.now.method]:
                    await stage(self)
            except CalledOff:
                if not await self.recalled():
                    return
        await self.captured()
        await self.delivered()
        await self.given_back()

    # --- the way forward ---------------------------------------------------------------------------------------------

    async def packed(self) -> None:
        """Asks the warehouse, and waits until it has packed. A silent warehouse is a hold."""
        while self.now.status in BEFORE_PACKED:
            await self.until(lambda: self.progress.hold_of(HoldKind.FULFILLMENT_REFUSED, self.subject) is None)
            await self.do(calls.REQUEST, self.step)
            patience = (self.now.since or workflow.now()) + self.progress.policy.packing_patience
            if not await self.until(self.request_answered, at=patience):
                await self.silent(HoldKind.REQUEST_UNANSWERED, self.request_answered)
            await self.progress.still_wanted(self.subject)

    def request_answered(self) -> bool:
        return not self.now.awaits("request") or self.progress.stopping(self.subject)

    async def labelled(self) -> None:
        """One label a parcel, bought once; not before there is money for it."""
        if not self.unlabelled():
            return
        await self.packed_right()
        async with self.progress.money:
            await self.covered()
        while lacking := self.unlabelled():  # whatever it is packed in by then
            if self.progress.hold_of(HoldKind.PACKED_OTHERWISE, self.subject):
                await self.packed_right()
                continue
            await self.do(calls.BUY, self.of_parcel(lacking[0]))

    async def packed_right(self) -> None:
        """More than was asked for, or something else, is packed anew, or let go by a person."""
        while self.progress.hold_of(HoldKind.PACKED_OTHERWISE, self.subject):
            await self.until(lambda: self.progress.hold_of(HoldKind.PACKED_OTHERWISE, self.subject) is None)
            await self.progress.still_wanted(self.subject)

    def unlabelled(self) -> list[int]:
        return self.labels(LabelStatus.NONE, LabelStatus.BUYING) if self.now.status == Status.PACKED else []

    async def captured(self) -> None:
        """This fulfillment's share, now that its goods are ready."""
        if not self.unpaid():
            return
        async with self.progress.money:
            while self.unpaid():
                await self.covered()
                await self.do(calls.CAPTURE, self.step)

    def unpaid(self) -> bool:
        """Ready, or gone without our release, and not paid for."""
        ours = self.now.amount > 0 and not self.progress.order.due_later
        return ours and (self.now.status == Status.PACKED or self.now.has_left)

    async def released(self) -> None:
        if self.now.status == Status.PACKED and not self.now.released:
            await self.do(calls.RELEASE, self.step)

    async def shipped(self) -> None:
        """Waits until it has left. A warehouse that does not say so is a hold; the carrier's word counts too."""
        while self.now.awaits("release"):
            if not await self.until(self.release_answered, within=self.progress.policy.packing_patience):
                await self.silent(HoldKind.RELEASE_UNANSWERED, self.release_answered)
            await self.progress.still_wanted(self.subject)

    async def captured_when_ready(self) -> None:
        if not self.progress.policy.captured_at_hand_over:
            await self.captured()

    async def ready(self) -> None:
        """The customer is told."""
        if self.now.status == Status.PACKED:
            await self.do(calls.READY, self.step)

    async def picked_up(self) -> None:
        """Waits until nothing of it is there any more. A store that could not stop it has to say that it is gone."""
        while self.now.status == Status.READY_FOR_PICKUP:
            patience = self.progress.policy.packing_patience if self.now.recall == Recall.REFUSED else None
            if not await self.until(self.collected, within=patience):
                await self.silent(HoldKind.RELEASE_UNANSWERED, self.collected)
            await self.progress.still_wanted(self.subject)

    def collected(self) -> bool:
        return self.now.status != Status.READY_FOR_PICKUP or self.progress.stopping(self.subject)

    def release_answered(self) -> bool:
        return not self.now.awaits("release") or self.progress.stopping(self.subject)

    async def delivered(self) -> None:
        """Carriers tell by webhook; where they do not, they are asked, ever less often."""
        overdue = self.now.since and workflow.now() >= self.now.since + self.progress.policy.first_poll
        while self.now.status == Status.SHIPPED:
            if overdue or not await self.arrived():
                await self.do(calls.POLL, self.step, undoing=True)
                overdue = False

    async def arrived(self) -> bool:
        p = self.progress
        return await p.until(lambda: self.now.status != Status.SHIPPED, self.next_poll(), about=self.subject)

    def next_poll(self) -> datetime:
        interval = self.progress.policy.first_poll
        at = (self.now.since or workflow.now()) + interval
        while at <= workflow.now():
            interval *= 2
            at += interval
        return at

    async def covered(self) -> None:
        """An authorization that is good for this fulfillment's share."""
        p = self.progress
        while not self.has_cover():
            if p.order.payment_ready:
                await p.do(calls.AUTHORIZE, p.step, wanted_for=self.subject)
            elif not p.payment_held():
                await self.do(calls.REAUTHORIZE, self.step)
            await self.until(lambda: self.has_cover() or p.order.payment_ready or not p.payment_held())
            await p.still_wanted(self.subject)

    def has_cover(self) -> bool:
        order = self.progress.order
        return order.paid_elsewhere or order.capturable + order.elsewhere >= self.now.amount

    # --- the way back ------------------------------------------------------------------------------------------------

    async def recalled(self) -> bool:
        """Undo of the request: the warehouse says whether it could stop. False when it was never asked."""
        while not self.recall_answered():
            await self.do(calls.RECALL, self.step, undoing=True)
            if self.now.status == Status.PLANNED and not self.now.recall:
                return False
            patience = self.progress.policy.packing_patience
            if not await self.progress.until(self.recall_answered, within=patience, about=self.subject):
                await self.silent(HoldKind.RECALL_UNANSWERED, self.recall_answered)
        return True

    def recall_answered(self) -> bool:
        return self.now.recall in (Recall.CONFIRMED, Recall.REFUSED) or self.now.has_left or self.now.ended

    async def given_back(self) -> None:
        """Undo of the label, when the goods do not leave, or left without it; the money goes back beside. Of a capture
        in doubt it is looked up whether there is any."""
        if self.now.capture_in_doubt:
            await self.do(calls.CAPTURE, self.step, undoing=True)
        for n in self.labels(LabelStatus.BUYING, LabelStatus.BOUGHT):
            await self.do(calls.REFUND_LABEL, self.of_parcel(n), undoing=True)
        while self.labels(LabelStatus.REFUND_REQUESTED):
            answered: Condition = lambda: not self.labels(LabelStatus.REFUND_REQUESTED)  # noqa: E731
            if await self.progress.until(answered, within=self.progress.policy.first_poll, about=self.subject):
                return
            for n in self.labels(LabelStatus.REFUND_REQUESTED):
                await self.do(calls.REFUND_LABEL, self.of_parcel(n), undoing=True)

    # --- steps and waits of this fulfillment -------------------------------------------------------------------------

    @property
    def step(self) -> FulfillmentStep:
        p = self.progress
        return FulfillmentStep(order_id=p.order_id, at=p.at, fulfillment_id=self.fulfillment_id)

    def of_parcel(self, n: int) -> ParcelStep:
        p = self.progress
        return ParcelStep(order_id=p.order_id, at=p.at, fulfillment_id=self.fulfillment_id, parcel=n)

    async def do(self, call: Call[StepT, Snapshot], step: StepT, *, undoing: bool = False) -> bool:
        return await self.progress.do(call, step, undoing=undoing)

    async def until(self, true: Condition, at: datetime | None = None, *, within: timedelta | None = None) -> bool:
        """As `Progress.until`, and wakes when this fulfillment is to be stopped."""
        wakes = lambda: true() or self.progress.stopping(self.subject)  # noqa: E731
        return await self.progress.until(wakes, at, within=within, about=self.subject)

    async def silent(self, kind: HoldKind, answered: Condition) -> None:
        """The warehouse does not answer: a person asks it. Any answer of the warehouse ends the wait too."""
        await self.progress.decision(await self.progress.hold(kind, self.subject), answered)

    def labels(self, *states: LabelStatus) -> list[int]:
        return [parcel.n for parcel in self.now.parcels if parcel.label in states]


WAYS: Mapping[ShippingMethod, tuple[Callable[[FulfillmentRun], Awaitable[None]], ...]] = {
    ShippingMethod.SHIP: (
        FulfillmentRun.packed,
        FulfillmentRun.labelled,
        FulfillmentRun.captured,
        FulfillmentRun.released,
        FulfillmentRun.shipped,
    ),
    ShippingMethod.PICKUP: (
        FulfillmentRun.packed,
        FulfillmentRun.captured_when_ready,
        FulfillmentRun.ready,
        FulfillmentRun.picked_up,
    ),
}


def unfinished(f: FulfillmentSnapshot) -> bool:
    """Whether something is still to be done for it."""
    open_labels = any(p.label in OPEN_LABELS for p in f.parcels)
    unpaid = f.has_left and f.amount > 0
    return f.status not in ENDED or unpaid or f.capture_in_doubt or open_labels
