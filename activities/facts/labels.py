"""Labels: priced, bought, and the money asked back for those that will not be used."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import promises
from activities.facts.fulfillments import changed, locked, parcels_of
from activities.facts.holds import opened
from activities.facts.journal import note, outcome_known
from activities.models import OPEN_LABELS, FulfillmentStatus, LabelStatus, Subject
from activities.ports import Label, Rate
from infra.database.tables import Fulfillment, Order, Parcel
from infra.hold_kinds import HoldKind
from infra.words import EventType


def parcel_of(tx: Session, fulfillment_id: str, n: int) -> Parcel:
    return next(parcel for parcel in parcels_of(tx, fulfillment_id) if parcel.n == n)


def known_parcel(tx: Session, fulfillment_id: str, n: int) -> Parcel | None:
    """None when it was packed anew, in fewer parcels."""
    return next((parcel for parcel in parcels_of(tx, fulfillment_id) if parcel.n == n), None)


def buying(tx: Session, fulfillment_id: str, n: int, rate: Rate, at: datetime) -> None:
    """The purchase of this rate begins: from now on there may be a label."""
    order, f = locked(tx, fulfillment_id)
    parcel = parcel_of(tx, fulfillment_id, n)
    known = (parcel.service, parcel.rate_amount) == (rate.service, rate.amount)
    parcel.label_status = LabelStatus.BUYING
    parcel.rate_id, parcel.rate_amount, parcel.rate_currency = rate.rate_id, rate.amount, rate.currency.lower()
    parcel.carrier, parcel.service = rate.carrier, rate.service
    if not known:
        note(
            tx,
            order,
            EventType.RATED,
            at,
            fulfillment_id=fulfillment_id,
            parcel=n,
            service=rate.service,
            amount=rate.amount,
        )
    promises.carrier_needs(tx, order, rate.days, at)
    changed(tx, order, f)


def not_bought(tx: Session, fulfillment_id: str, n: int) -> None:
    """The purchase came to nothing."""
    order, f = locked(tx, fulfillment_id)
    parcel = parcel_of(tx, fulfillment_id, n)
    if parcel.label_status == LabelStatus.BUYING:
        parcel.label_status = LabelStatus.NONE
        changed(tx, order, f)


def bought(tx: Session, fulfillment_id: str, n: int, label: Label, at: datetime) -> bool:
    """False: it is known, or was given up."""
    order, f = locked(tx, fulfillment_id)
    parcel = parcel_of(tx, fulfillment_id, n)
    if parcel.label_status != LabelStatus.BUYING:
        return False
    parcel.label_status, parcel.label_id = LabelStatus.BOUGHT, label.label_id
    parcel.label_url, parcel.tracking_url = label.label_url, label.tracking_url
    parcel.tracking_number = label.tracking_number
    parcel.carrier = label.carrier or parcel.carrier
    note(tx, order, EventType.LABEL_BOUGHT, at, fulfillment_id=fulfillment_id, parcel=n, amount=parcel.rate_amount)
    changed(tx, order, f)
    return True


def may_end(parcel: Parcel, status: LabelStatus) -> bool:
    """Whether a label can still become that: what ended once stays as it is."""
    return parcel.label_status in (LabelStatus.BOUGHT, LabelStatus.REFUND_REQUESTED) and parcel.label_status != status


def refund_seen(tx: Session, parcel: Parcel, status: LabelStatus, at: datetime) -> bool:
    """What became of the wish to have a label's money back. A no reaches an operator."""
    order, f = locked(tx, parcel.fulfillment_id)
    tx.refresh(parcel)
    if not may_end(parcel, status):
        return False
    elsewhere = parcel.label_status == LabelStatus.BOUGHT and f.status == FulfillmentStatus.PACKED and not f.recall
    parcel.label_status = status
    note(tx, order, EventType(f"label_{status}"), at, fulfillment_id=f.fulfillment_id, parcel=parcel.n)
    if status == LabelStatus.REFUND_REJECTED:
        about = Subject.parcel(f.fulfillment_id, parcel.n)
        opened(tx, order.order_id, HoldKind.LABEL_REFUND_REJECTED, about, at)
    elif elsewhere and status == LabelStatus.REFUNDED:
        given_back_elsewhere(tx, order, f, parcel, at)
    changed(tx, order, f)
    return True


def given_back_elsewhere(tx: Session, order: Order, f: Fulfillment, parcel: Parcel, at: datetime) -> None:
    """Nothing may travel on it: another is bought, or, where the warehouse has this one already, a person must act."""
    if not f.released:
        parcel.label_status = LabelStatus.NONE
        parcel.label_id = parcel.label_url = parcel.tracking_url = parcel.tracking_number = None
        return
    opened(tx, order.order_id, HoldKind.LABEL_REFUNDED_ELSEWHERE, Subject.parcel(f.fulfillment_id, parcel.n), at)


def written_off(tx: Session, fulfillment_id: str, n: int, at: datetime) -> None:
    """An operator gives up the price of a label that the carrier will not take back."""
    order, f = locked(tx, fulfillment_id)
    parcel = parcel_of(tx, fulfillment_id, n)
    if parcel.label_status not in OPEN_LABELS:
        return
    parcel.label_status = LabelStatus.REFUND_REJECTED
    outcome_known(tx, order.order_id, f"label:{fulfillment_id}/{n}", "given_up")
    outcome_known(tx, order.order_id, f"refund-label:{fulfillment_id}/{n}", "given_up")
    note(tx, order, EventType.LABEL_WRITTEN_OFF, at, fulfillment_id=fulfillment_id, parcel=n)
    changed(tx, order, f)
