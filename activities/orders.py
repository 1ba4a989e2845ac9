"""What the process asks of its own tables: where the order stands, what is decided, what is held."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import facts
from activities.facts.journal import locked_order, mark_read, note
from activities.models import (
    CancelReason,
    ChangeStep,
    HoldReason,
    HoldStep,
    LoadStep,
    OrderStep,
    Policy,
    RemarkStep,
    ResolveStep,
    Snapshot,
)
from activities.views.snapshot import of_fulfillment, snapshot, whole
from infra.database.tables import Change, Event, Hold
from infra.words import Decision, EventType

SILENT = "silent "
"""Before the call that a warehouse does not answer."""


class OrderActivities:
    def __init__(self, sessions: sessionmaker[Session], policy: Policy) -> None:
        self.sessions = sessions
        self.policy = policy

    @activity.defn(name="load_order")
    def load(self, step: LoadStep) -> Snapshot:
        """Where the order stands, as far as it is newer. What the relay had to say has now been read."""
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)
            mark_read(tx, step.subject)
            known = whole(tx, order, step.since)
            return known if self.policy == Policy() else known.model_copy(update={"policy": self.policy})

    @activity.defn(name="decide_cancellation")
    def decide_cancellation(self, step: ChangeStep) -> Snapshot:
        """Accepted, partly, or refused because all has left: by the tables, in one transaction."""
        with self.sessions.begin() as tx:
            facts.cancellation.cancellation_decided(
                tx, step.order_id, step.change_id, reason=step.reason, by=step.by, why=step.why, at=step.at
            )
            return snapshot(tx, step.order_id)

    @activity.defn(name="open_hold")
    def open_hold(self, step: HoldStep) -> Snapshot:
        """The order, or one fulfillment, waits for a person. Opened twice it is one hold."""
        with self.sessions.begin() as tx:
            locked_order(tx, step.order_id)
            if not answered_meanwhile(tx, step):
                facts.holds.opened(
                    tx,
                    step.order_id,
                    reason=step.reason,
                    step=step.step,
                    code=step.code,
                    advice=step.advice,
                    actions=step.actions,
                    at=step.at,
                    fulfillment_id=step.fulfillment_id,
                )
            return snapshot(tx, step.order_id, [step.fulfillment_id] if step.fulfillment_id else [])

    @activity.defn(name="resolve_hold")
    def resolve_hold(self, step: ResolveStep) -> Snapshot:
        """Closes a hold with an operator's decision. Closed already: stays as it was."""
        with self.sessions.begin() as tx:
            hold = tx.get(Hold, step.hold_id)
            if hold is None or hold.order_id != step.order_id:
                settle_change(tx, step)
                return snapshot(tx, step.order_id)
            decided = facts.holds.closed(
                tx,
                step.hold_id,
                action=step.action,
                by=step.by,
                why=step.why,
                at=step.at,
                change_id=step.change_id,
            )
            if decided and step.action == "skip":
                skipped(tx, hold, step.at)
            if decided and step.action == "retry" and hold.step.startswith(SILENT) and hold.fulfillment_id:
                facts.fulfillments.to_ask_again(tx, hold.fulfillment_id, hold.step.removeprefix(SILENT))
            if decided and step.action == "retry" and hold.reason == HoldReason.BACKORDER_OVERDUE:
                facts.promises.waits_on(tx, step.order_id, step.at)
            if decided and step.action == "cancel":
                # in the same transaction: a decision that was half heard would be lost
                facts.cancellation.cancellation_decided(
                    tx,
                    step.order_id,
                    step.change_id,
                    reason=CancelReason.OPERATOR,
                    by=step.by,
                    why=step.why,
                    at=step.at,
                )
            touched = [hold.fulfillment_id] if hold.fulfillment_id else []
            return snapshot(tx, step.order_id, touched)

    @activity.defn(name="pass_deadlines")
    def pass_deadlines(self, step: OrderStep) -> Snapshot:
        """What is due by now is done, or found to be over; what needs a provider is asked for."""
        with self.sessions.begin() as tx:
            facts.passing.passed(tx, step.order_id, step.at)
            return snapshot(tx, step.order_id)

    @activity.defn(name="note_remark")
    def note_remark(self, step: RemarkStep) -> Snapshot:
        """Somebody sent what the order does not understand: on record, once, so that they see it and say it again."""
        remark = {"signal": step.signal, "words": step.words}
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)
            noted = (Event.order_id == step.order_id, Event.type == EventType.NOT_UNDERSTOOD)
            if remark not in tx.scalars(select(Event.data).where(*noted)).all():
                note(tx, order, EventType.NOT_UNDERSTOOD, step.at, **remark)
            return Snapshot()


def answered_meanwhile(tx: Session, step: HoldStep) -> bool:
    """A deadline acts on what is on record, not on what the run last heard: has the silent warehouse spoken?"""
    if step.fulfillment_id is None or not step.step.startswith(SILENT):
        return False
    [now] = of_fulfillment(tx, step.fulfillment_id).fulfillments
    return not now.awaits(step.step.removeprefix(SILENT))


def skipped(tx: Session, hold: Hold, at: datetime) -> None:
    """What was to be done is given up, and nothing waits for it any more."""
    if hold.reason == "delivery" and hold.fulfillment_id:
        facts.tracking.given_up(tx, hold.fulfillment_id, at)
    if hold.step == "handed_over" and hold.fulfillment_id:
        facts.tracking.taken_for_delivered(tx, hold.fulfillment_id, at)
    if hold.step == "tell_customer":
        facts.messages.given_up(tx, hold.order_id, at)
    if hold.step == "authorize":
        facts.rest.given_up(tx, hold.order_id, at)
    if hold.step == "void_payments":
        facts.money.void_given_up(tx, hold.order_id, at)
    if hold.step == "refund_payment" and hold.fulfillment_id:
        facts.money.refund_given_up(tx, hold.fulfillment_id, at)
    if hold.step == "recall_fulfillment" and hold.fulfillment_id:
        facts.recall.recall_confirmed(tx, hold.fulfillment_id, at)
    if hold.step.startswith("refund_label") and hold.fulfillment_id:
        facts.labels.written_off(tx, hold.fulfillment_id, at)


def settle_change(tx: Session, step: ResolveStep) -> None:
    for change in tx.scalars(select(Change).where(Change.change_id == step.change_id)):
        change.decision, change.decided_at = Decision.REFUSED, step.at
