"""What may be sent to an order and asked of it, by our own processes and by whoever uses the web UI. Anything may come
in: what does not fit must neither be lost nor fail the workflow."""

import json
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from activities.models import ChangeStep, HoldKind, Snapshot, Subject
from activities.refund_steps import AskRefundStep
from workflows import calls, typed
from workflows.messages import Entry, Remark, Where
from workflows.order_progress import OrderProgress
from workflows.run import Run

MOST_REMARKS = 20


def as_written(word: object) -> str:
    if isinstance(word, RawValue):
        return word.payload.data.decode(errors="replace")
    return json.dumps(word, ensure_ascii=False)


def this_update() -> str:
    """A request that brings no id of its own: sent once, it is asked once."""
    update = workflow.current_update_info()
    return f"update {update.id if update else ''}"


class Handlers(Run[Snapshot]):
    progress: OrderProgress

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.progress = OrderProgress(entry.order_id)
        self.wish = entry.cancel
        """To cancel the order: said in the web UI, and not decided yet."""
        self.remarks = list(entry.remarks)
        """Signals that are not understood, and not on record yet."""
        self.remarked = 0

    def left(self) -> Entry:
        undecided: dict[str, Any] = {"cancel": self.wish} if self.wish else {}
        undecided |= {"remarks": tuple(self.remarks)} if self.remarks else {}
        return Entry(order_id=self.progress.order_id, **undecided)

    def asked_to_stop(self) -> None:
        self.wish = self.wish or typed.cancellation(("cancelled in the web UI",))

    @workflow.signal(description="Units arrived for this order: look. Sent by the API; harmless to repeat.")
    def restocked(self, *_: object) -> None:
        self.progress.nudged = True

    @workflow.signal(description="The customer is to hear something. Sent by the API; harmless to repeat.")
    def message(self, *_: object) -> None:
        self.progress.message_waits = True

    @workflow.signal(
        description='Cancel what has not left yet: {"by": "you", "why": "…"}. The same as "Request Cancellation". '
        "What became of it stands in the order: accepted, partly or refused."
    )
    def cancel(self, *words: object) -> None:
        if wish := typed.cancellation(words):
            self.wish = self.wish or wish
        else:
            self.remark("cancel", [as_written(word) for word in words])

    @workflow.signal(dynamic=True, description="Anything else is noted in the order's timeline, and does nothing.")
    def anything_else(self, name: str, words: Sequence[RawValue]) -> None:
        self.remark(name, [as_written(word) for word in words])

    def remark(self, signal: str, words: Sequence[str]) -> None:
        """A flood of them is no story: each run tells the first ones."""
        self.remarked += 1
        if self.remarked <= MOST_REMARKS:
            self.remarks.append(Remark(signal=typed.one_line(signal), words=typed.one_line(" ".join(words))))

    @workflow.update(
        description='Stop before the next step: {"by": "you", "why": "…", "fulfillment": "ID-1 or nothing"}. '
        "Resolve the hold with retry to go on."
    )
    async def hold(self, *words: object) -> Where:
        p, request = self.progress, typed.stop(words)
        await p.until(lambda: p.loaded)
        self.may_hold(*words)
        about = Subject.fulfillment(request.fulfillment) if request.fulfillment else p.subject
        await p.hold(HoldKind.STOPPED, about, advice=f"{request.by}: {request.why}")
        return self.where()

    @hold.validator
    def may_hold(self, *words: object) -> None:
        request, known = typed.stop(words), self.progress.loaded
        if known and request.fulfillment and request.fulfillment not in self.progress.fulfillments:
            raise ApplicationError("fulfillment must be one of this order's, or left out", type="NotFound")

    @workflow.update(
        description='Cancel units: {"lines": [{"line": 2, "quantity": 1}], "by": "you", "why": "…"}. Without a '
        "quantity, all that is left of the line. What a race with the warehouse decides stands in the order."
    )
    async def cancel_lines(self, *words: object) -> Where:
        p, wish = self.progress, typed.lines(words)
        await p.until(lambda: p.loaded)
        fields = wish.model_dump() | {"request_id": wish.request_id or this_update()}
        try:
            await p.cancel(ChangeStep(order_id=p.order_id, at=p.at, **fields))
        except ActivityError as failure:
            raise ApplicationError(str(failure.cause), type="NotPossible") from failure
        return self.where()

    @cancel_lines.validator
    def may_cancel_lines(self, *words: object) -> None:
        typed.lines(words)

    @workflow.update(
        name="refund",
        description='Give money back: {"lines": [{"line": 2, "quantity": 1}], "by": "you", "why": "…"}; or "amount" in '
        'minor units, or "shipping": true; without these, all that can be. After the order has ended: over HTTP.',
    )
    async def ask_refund(self, *words: object) -> Where:
        p, wish = self.progress, typed.refund(words)
        await p.until(lambda: p.loaded)
        fields = wish.model_dump() | {"request_id": wish.request_id or this_update()}
        try:
            await p.decide(calls.ASK_REFUND, AskRefundStep(order_id=p.order_id, at=p.at, **fields))
        except ActivityError as failure:
            raise ApplicationError(str(failure.cause), type="NotPossible") from failure
        return self.where()

    @ask_refund.validator
    def may_ask_refund(self, *words: object) -> None:
        typed.refund(words)

    @workflow.update(dynamic=True, description="Nothing else is known: refused.")
    async def any_other(self, name: str, words: Sequence[RawValue]) -> None:
        """Its validator refuses it."""

    @any_other.validator
    def refuse(self, name: str, words: Sequence[RawValue]) -> None:
        raise typed.unclear("there is no such update: send resolve, hold, cancel_lines or refund")

    @workflow.query(name="status", description="Where the order stands, as this run knows it.")
    def where(self) -> Where:
        p = self.progress
        return Where(
            order_id=p.order_id,
            status=p.order.status,
            stage=p.stage,
            payment=p.order.payment,
            fulfillments={f.id: f.status for f in p.fulfillments.values()},
            holds=list(p.parts.holds),
        )
