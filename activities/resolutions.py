"""What an operator's decision about a hold does."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from activities import facts
from activities.facts.cancellation import Decided
from infra.database.tables import Hold
from infra.hold_kinds import HoldKind
from infra.holds import Action, AnyHoldKind

AWAITED: Mapping[AnyHoldKind, str] = {
    HoldKind.REQUEST_UNANSWERED: "request",
    HoldKind.RELEASE_UNANSWERED: "release",
    HoldKind.RECALL_UNANSWERED: "recall",
}
"""The call that a warehouse does not answer."""
UNPAID = (HoldKind.PAYMENT_NEEDS_CUSTOMER, HoldKind.PAYMENT_METHOD_NEEDED, HoldKind.ENDED_ELSEWHERE)
"""Of these goods may have left: where nobody will ever pay for them, the order could not end."""


def carried_out(tx: Session, hold: Hold, action: Action, by: Decided, at: datetime) -> None:
    order_id = str(hold.order_id)
    match action, hold.kind:
        case Action.SKIP, HoldKind.BACKORDER_OVERDUE:
            facts.cancellation.cancelled_for_hold(tx, order_id, hold, by, at)
        case Action.SKIP, _:
            skipped(tx, order_id, hold, at)
        case Action.RETRY, kind if call := AWAITED.get(kind):
            facts.fulfillments.to_ask_again(tx, hold.subject_id, call)
        case Action.RETRY, HoldKind.BACKORDER_OVERDUE:
            facts.promises.waits_on(tx, order_id, at)
        case Action.RETRY, kind if kind in facts.holds.OF_AUTHORIZATION:
            facts.renewal.asked_again(tx, order_id, at)
        case Action.RETRY, HoldKind.REFUND_FAILED:
            facts.refunds.asked_again(tx, hold.subject_id, at)
        case Action.DONE, HoldKind.REFUND_FAILED:
            facts.refunds.given_up(tx, hold.subject_id, at)
        case Action.DONE, HoldKind.EXTERNAL_REFUND:
            facts.refunds.paid_otherwise(tx, hold.subject_id, at)
        case Action.REPLAN, _:
            facts.recall.planned_elsewhere(tx, hold.subject_id, hold.code, at)
        case Action.RESHIP, _:
            facts.undelivered.sent_again(tx, str(hold.fulfillment_id), at)
        case Action.REFUND, _:
            facts.undelivered.paid_back(tx, str(hold.fulfillment_id), by.change_id, at)
        case Action.CANCEL, _:
            facts.cancellation.cancelled_for_hold(tx, order_id, hold, by, at)


def impossible(tx: Session, hold: Hold, action: Action) -> str | None:
    """Why what this hold offers can't be done as things stand."""
    if action in (Action.RESHIP, Action.REFUND) and hold.fulfillment_id:
        return facts.undelivered.not_as_a_whole(tx, hold.fulfillment_id)
    if action == Action.SKIP and hold.kind in UNPAID:
        return facts.rest.not_left_unpaid(tx, str(hold.order_id))
    return None


def skipped(tx: Session, order_id: str, hold: Hold, at: datetime) -> None:
    """What was to be done is given up, and nothing waits for it any more."""
    match hold.kind, hold.fulfillment_id:
        case HoldKind.VOID_FAILED, _:
            facts.money.void_given_up(tx, order_id, at)
        case HoldKind.REST_TOO_SMALL, _:
            facts.rest.given_up(tx, order_id, at)
        case kind, _ if kind in UNPAID:
            facts.rest.given_up(tx, order_id, at, only_left=True)
        case HoldKind.TELL_FAILED, _:
            facts.messages.given_up(tx, order_id, at)
        case ((HoldKind.REFUND_PAYMENT_FAILED | HoldKind.EXTERNAL_REFUND), _):
            facts.refunds.given_up(tx, hold.subject_id, at)
        case HoldKind.RECALL_FAILED, str(fulfillment_id):
            facts.recall.recall_confirmed(tx, fulfillment_id, at)
        case HoldKind.REFUND_LABEL_FAILED, str(fulfillment_id):
            facts.labels.written_off(tx, fulfillment_id, int(hold.subject_id.rpartition("/")[2]), at)
        case HoldKind.NOT_RELEASED, str(fulfillment_id):
            facts.tracking.taken_for_delivered(tx, fulfillment_id, at)
        case HoldKind.DELIVERY_FAILED, str(fulfillment_id):
            facts.tracking.given_up(tx, fulfillment_id, at)
