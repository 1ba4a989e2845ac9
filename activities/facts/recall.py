"""A warehouse is asked to stop a fulfillment, and answers."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import cancellation, holds, inventory, reserving
from activities.facts.fulfillments import answered, changed, close_silence, held, known_by_news, locked, not_before
from activities.facts.journal import note
from activities.models import CALLED_OFF, LEFT, FulfillmentStatus, Recall, Subject
from infra.database.tables import Fulfillment
from infra.hold_kinds import HoldKind
from infra.words import EventType


def refused(tx: Session, fulfillment_id: str, code: str, at: datetime) -> bool:
    """The warehouse will not do it: an operator decides."""
    order, f = locked(tx, fulfillment_id)
    if f.status not in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        return False
    at = not_before(f, at)
    if f.recall == Recall.ASKED:
        return recall_confirmed(tx, fulfillment_id, at)
    answered(tx, f, at)
    f.status = FulfillmentStatus.PLANNED
    about = Subject.fulfillment(fulfillment_id)
    holds.opened(tx, order.order_id, HoldKind.FULFILLMENT_REFUSED, about, at, code=code)
    changed(tx, order, f)
    return True


def recall_asked(tx: Session, fulfillment_id: str, at: datetime) -> None:
    order, f = locked(tx, fulfillment_id)
    if f.recall is None and f.status not in (*LEFT, FulfillmentStatus.CANCELLED):
        f.recall = Recall.ASKED
        note(tx, order, EventType.RECALL_ASKED, at, fulfillment_id=fulfillment_id)
        changed(tx, order, f)


def recall_confirmed(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """The warehouse stopped it: the units are back on the shelf, and go to whoever waits. Unasked and before it had
    packed, that is a refusal; later, the customer gets the money back and hears of it."""
    order, f = locked(tx, fulfillment_id)
    if f.status in LEFT or f.status == FulfillmentStatus.CANCELLED:
        return False
    at = not_before(f, at)
    unasked = f.recall is None and order.cancellation not in CALLED_OFF
    if unasked and f.status != FulfillmentStatus.PACKED:
        return refused(tx, fulfillment_id, "stopped_by_warehouse", at)
    if not unasked:
        recall_answered(tx, f, Recall.CONFIRMED, at)
    f.status = FulfillmentStatus.CANCELLED
    close_silence(tx, f, HoldKind.RELEASE_UNANSWERED, at)
    back = held(tx, fulfillment_id)
    reserving.cancel_units(tx, order.order_id, [(reservation.line_no, reservation.quantity) for reservation in back])
    inventory.give_back(tx, order, back)
    if unasked:
        cancellation.tell_stopped(tx, order, f)
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
    recall_answered(tx, f, Recall.REFUSED, at)
    note(tx, order, EventType.RECALL_REFUSED, at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)
    return True
