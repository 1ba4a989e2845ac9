"""What the process asks of its own tables: where the order stands, what is decided, what is held."""

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import facts, resolutions
from activities.facts import refund_requests
from activities.facts.cancellation import Decided
from activities.facts.journal import Trimmed, locked_order, mark_read, note
from activities.facts.refund_requests import Wanted
from activities.facts.requests import Impossible
from activities.models import (
    CLOSED,
    ChangeStep,
    HoldStep,
    LoadStep,
    OrderStep,
    Policy,
    RemarkStep,
    ResolveStep,
    Snapshot,
)
from activities.refund_steps import AskRefundStep
from activities.views.snapshot import of_fulfillment, snapshot, whole
from infra.database.tables import Change, Event, Hold
from infra.words import Decision, EventType


class OrderActivities:
    def __init__(self, sessions: sessionmaker[Session], policy: Policy) -> None:
        self.sessions = sessions
        self.policy = policy

    @activity.defn(name="load_order", no_thread_cancel_exception=True)
    def load(self, step: LoadStep) -> Snapshot:
        """Where the order stands, as far as it is newer. What the relay had to say has now been read: also by one that
        was trimmed, which is entered no more."""
        try:
            return self.loaded(step)
        except Trimmed as over:
            with self.sessions.begin() as tx:
                mark_read(tx, step.subject)
            raise ApplicationError(str(over), type="Trimmed", non_retryable=True) from None

    def loaded(self, step: LoadStep) -> Snapshot:
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)
            mark_read(tx, step.subject)
            known = whole(tx, order, step.since)
            if order.status in CLOSED and known.order and (known.order.due or step.at) > step.at:
                later = known.order.due  # which this run will not wait for
                facts.deadlines.leave(tx, order, later, first=False)
            return known if self.policy == Policy() else known.model_copy(update={"policy": self.policy})

    @activity.defn(name="decide_cancellation", no_thread_cancel_exception=True)
    def decide_cancellation(self, step: ChangeStep) -> Snapshot:
        """Accepted, partly, or refused because all has left: by the tables, in one transaction."""
        with self.sessions.begin() as tx:
            change_id = wanted(tx, step) if step.lines else step.change_id
            changed = facts.cancellation.cancellation_decided(
                tx, step.order_id, change_id, reason=step.reason, by=step.by, why=step.why, at=step.at
            )
            return snapshot(tx, step.order_id, changed)

    @activity.defn(name="ask_refund", no_thread_cancel_exception=True)
    def ask_refund(self, step: AskRefundStep) -> Snapshot:
        """Money asked back in the web UI, by the rules of what is asked over HTTP."""
        wanted = Wanted(step.lines, step.amount, step.shipping)
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)
            try:
                refund_requests.asked(tx, order, wanted, by=step.by, why=step.why, request_id=step.request_id)
            except Impossible as refusal:
                raise not_possible(refusal) from None
            return snapshot(tx, step.order_id)

    @activity.defn(name="open_hold", no_thread_cancel_exception=True)
    def open_hold(self, step: HoldStep) -> Snapshot:
        """The order, or a part of it, waits for a person. Opened twice it is one hold."""
        with self.sessions.begin() as tx:
            locked_order(tx, step.order_id)
            if not answered_meanwhile(tx, step):
                facts.holds.opened(tx, step.order_id, step.kind, step.held, step.at, code=step.code, advice=step.advice)
            return snapshot(tx, step.order_id, filter(None, [step.held.fulfillment_id]))

    @activity.defn(name="resolve_hold", no_thread_cancel_exception=True)
    def resolve_hold(self, step: ResolveStep) -> Snapshot:
        """Closes a hold with an operator's decision, one that it offers. Closed already: stays as it was."""
        with self.sessions.begin() as tx:
            hold = tx.get(Hold, step.hold_id)
            known = hold and hold.order_id == step.order_id and step.action in (None, *hold.kind.actions)
            if not known or hold is None or (step.action and resolutions.impossible(tx, hold, step.action)):
                settle_change(tx, step)
                return snapshot(tx, step.order_id)
            decided = facts.holds.closed(
                tx,
                step.hold_id,
                step.at,
                action=step.action,
                by=step.by,
                why=step.why,
                change_id=step.change_id,
            )
            if decided and step.action:
                # in the same transaction: a decision that was half heard would be lost
                resolutions.carried_out(tx, hold, step.action, Decided(step.by, step.why, step.change_id), step.at)
            return snapshot(tx, step.order_id, filter(None, [hold.fulfillment_id]))

    @activity.defn(name="pass_deadlines", no_thread_cancel_exception=True)
    def pass_deadlines(self, step: OrderStep) -> Snapshot:
        """What is due by now is done, or found to be over; what needs a provider is asked for."""
        with self.sessions.begin() as tx:
            return snapshot(tx, step.order_id, facts.passing.passed(tx, step.order_id, step.at))

    @activity.defn(name="note_remark", no_thread_cancel_exception=True)
    def note_remark(self, step: RemarkStep) -> Snapshot:
        """Somebody sent what the order does not understand: on record, once, so that they see it and say it again."""
        remark = {"signal": step.signal, "words": step.words}
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)
            noted = (Event.order_id == step.order_id, Event.type == EventType.NOT_UNDERSTOOD)
            if remark not in tx.scalars(select(Event.data).where(*noted)).all():
                note(tx, order, EventType.NOT_UNDERSTOOD, step.at, **remark)
            return Snapshot()


def wanted(tx: Session, step: ChangeStep) -> int | None:
    """Asked in the web UI: put on record first, as what is asked over HTTP is."""
    order = locked_order(tx, step.order_id)
    try:
        asked = facts.cancellation_requests.asked(
            tx, order, by=step.by, why=step.why, reason=step.reason, lines=step.lines, request_id=step.request_id
        )
    except Impossible as refusal:
        raise not_possible(refusal) from None
    return asked.change.change_id if asked.change else None


def not_possible(refusal: Exception) -> ApplicationError:
    return ApplicationError(str(refusal), type="NotPossible", non_retryable=True)


def answered_meanwhile(tx: Session, step: HoldStep) -> bool:
    """A deadline acts on what is on record, not on what the run last heard: has the silent warehouse spoken?"""
    call = resolutions.AWAITED.get(step.kind)
    if call is None:
        return False
    [now] = of_fulfillment(tx, step.held.id).fulfillments
    return not now.awaits(call)


def settle_change(tx: Session, step: ResolveStep) -> None:
    for change in tx.scalars(select(Change).where(Change.change_id == step.change_id)):
        change.decision, change.decided_at = Decision.REFUSED, step.at
