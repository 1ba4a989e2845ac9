"""A warehouse is asked to stop a fulfillment, and answers."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import deadlines, displacing, holds, inventory, refunds, set_aside
from activities.facts.cancelled_messages import tell_decided, tell_stopped
from activities.facts.fulfillments import (
    answered,
    changed,
    close_silence,
    known_by_news,
    locked,
    not_before,
    status_without,
)
from activities.facts.holds import close_of_cancelled
from activities.facts.journal import note
from activities.facts.line_cancellations import Wish, had_left, recall_wanted, requested_of, stopped
from activities.facts.pickup_asking import Lacking, asked, is_asked
from activities.facts.planning import worth
from activities.facts.set_aside import units_in
from activities.models import (
    AT_REST,
    CALLED_OFF,
    LEFT,
    CancelReason,
    FulfillmentStatus,
    Recall,
    ShippingMethod,
    Subject,
)
from infra.database.tables import Fulfillment, Order
from infra.hold_kinds import HoldKind
from infra.words import EventType


def refused(tx: Session, fulfillment_id: str, code: str, at: datetime) -> bool:
    """The warehouse will not do it: an operator decides."""
    order, f = locked(tx, fulfillment_id)
    if f.status not in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        return False
    at = not_before(f, at)
    if f.recall == Recall.ASKED or order.cancellation in CALLED_OFF:
        return recall_confirmed(tx, fulfillment_id, at)
    answered(tx, f, at)
    if f.method == ShippingMethod.PICKUP:
        return not_there(tx, order, f, code, at)
    f.status = FulfillmentStatus.PLANNED
    about = Subject.fulfillment(fulfillment_id)
    holds.opened(tx, order.order_id, HoldKind.FULFILLMENT_REFUSED, about, at, code=code)
    changed(tx, order, f)
    return True


def not_there(tx: Session, order: Order, f: Fulfillment, code: str, at: datetime) -> bool:
    """The customer chose this store, and no other is asked behind their back."""
    inventory.lock_of(tx, f.fulfillment_id)
    f.refusal, f.status = code, FulfillmentStatus.CANCELLED
    units = [Lacking(r.line_no, r.sku, r.first_unit, r.quantity) for r in set_aside.units_in(tx, f.fulfillment_id)]
    cut = None if is_asked(order) else Wish(CancelReason.STOCK)
    stopped(tx, order, f, at, otherwise=cut)
    if cut:
        refunds.owed_back(tx, order, at)
        tell_stopped(tx, order, f)
    else:
        asked(tx, order, units, at)
    close_of_cancelled(tx, order, at)
    note(tx, order, EventType.FULFILLMENT_CANCELLED, at, fulfillment_id=f.fulfillment_id, code=code)
    changed(tx, order, f)
    return True


def planned_elsewhere(tx: Session, fulfillment_id: str, code: str, at: datetime) -> None:
    """An operator wants it from another place: at once, where no warehouse has it; else when this one has stopped."""
    order, f = locked(tx, fulfillment_id)
    if f.status not in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        return
    inventory.lock_all_of(tx, order.order_id)
    f.refusal = code
    if f.status == FulfillmentStatus.PLANNED and fulfillment_id not in requested_of(tx, order.order_id):
        f.status = FulfillmentStatus.CANCELLED
        tell_decided(tx, order, stopped(tx, order, f, at, otherwise=None))
        close_of_cancelled(tx, order, at)
        note(tx, order, EventType.FULFILLMENT_CANCELLED, at, fulfillment_id=fulfillment_id)
    elif f.recall is None:
        recall_wanted(tx, order, f, at)
    changed(tx, order, f)


def recall_asked(tx: Session, fulfillment_id: str, at: datetime) -> None:
    order, f = locked(tx, fulfillment_id)
    if f.recall is None and f.status not in (*LEFT, FulfillmentStatus.CANCELLED):
        f.recall = Recall.ASKED
        note(tx, order, EventType.RECALL_ASKED, at, fulfillment_id=fulfillment_id)
        changed(tx, order, f)


def recall_confirmed(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """The warehouse stopped it: the units are back on the shelf. Those that were to be cancelled go to whoever waits,
    the others are planned anew. Unasked and before it had packed, that is a refusal; later, all of them are cancelled:
    the customer gets the money back and hears of it."""
    order, f = locked(tx, fulfillment_id)
    if f.status in LEFT or f.status == FulfillmentStatus.CANCELLED:
        return False
    at = not_before(f, at)
    ending = order.cancellation in CALLED_OFF
    unasked = f.recall is None and not ending
    if unasked and f.status not in AT_REST:
        return refused(tx, fulfillment_id, "stopped_by_warehouse", at)
    if not unasked:
        recall_answered(tx, f, Recall.CONFIRMED, at)
    inventory.lock_of(tx, fulfillment_id)
    f.status = status_without(tx, f)
    if f.ready_at:
        deadlines.close(tx, Subject.fulfillment(fulfillment_id))
    close_silence(tx, f, HoldKind.RELEASE_UNANSWERED, at)
    reason = order.cancel_reason or CancelReason.STOCK
    decided = stopped(tx, order, f, at, otherwise=Wish(reason, whole=ending) if unasked or ending else None)
    if f.status == FulfillmentStatus.PICKED_UP:
        f.amount = worth(tx, f)
    refunds.owed_back(tx, order, at)
    close_of_cancelled(tx, order, at)
    tell_decided(tx, order, decided)
    if unasked:
        tell_stopped(tx, order, f)
    note(tx, order, EventType.FULFILLMENT_CANCELLED, at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)
    return True


def recall_answered(tx: Session, f: Fulfillment, answer: Recall, at: datetime) -> None:
    f.recall = answer
    known_by_news(tx, f, "recall")
    answered(tx, f, at)
    close_silence(tx, f, HoldKind.RECALL_UNANSWERED, at)


def recall_refused(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    order, f = locked(tx, fulfillment_id)
    if f.recall != Recall.ASKED or f.status == FulfillmentStatus.CANCELLED:
        return False
    at = not_before(f, at)
    inventory.lock_of(tx, fulfillment_id)
    displacing.found(tx, f, units_in(tx, fulfillment_id))
    not_stopped(tx, order, f, at)
    note(tx, order, EventType.RECALL_REFUSED, at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)
    return True


def not_stopped(tx: Session, order: Order, f: Fulfillment, at: datetime) -> None:
    """It goes on, or has left: what was to be cancelled of it may be returned."""
    recall_answered(tx, f, Recall.REFUSED, at)
    tell_decided(tx, order, had_left(tx, order, f, at))
