"""Where parcels are, and whether an unused label's price comes back."""

from datetime import datetime

from sqlalchemy import bindparam, case, select
from sqlalchemy.orm import Session

from activities import ports
from activities.facts import labels, tracking
from activities.facts.journal import nudge
from activities.models import LabelStatus
from activities.news import LabelChanged, ParcelSeen
from activities.ports import TrackingStatus
from infra.database.tables import Fulfillment, Order, Parcel
from infra.words import NewsOutcome

AWAITED = {
    TrackingStatus.OUT_FOR_DELIVERY: "message",
    TrackingStatus.DELIVERED: "news",
    TrackingStatus.RETURN_TO_SENDER: "news",
    TrackingStatus.FAILURE: "news",
}
"""What an order acts on, or only tells its customer."""
REFUNDS = {
    ports.LabelStatus.REFUNDED: LabelStatus.REFUNDED,
    ports.LabelStatus.REFUND_REJECTED: LabelStatus.REFUND_REJECTED,
}


def seen(tx: Session, content: ParcelSeen, at: datetime) -> NewsOutcome:
    found = parcel_with(tx, content.tracking_number)
    if found is None:
        return not_known(tx, content.order)
    parcel, f = found
    before = f.status
    if not tracking.newer(parcel, content.status, at) or not tracking.tracked(tx, parcel, content.status, at):
        return NewsOutcome.UNCHANGED
    if f.status != before:
        nudge(tx, [f.order_id])
    elif kind := AWAITED.get(content.status):
        nudge(tx, [f.order_id], kind)
    return NewsOutcome.TAKEN


ARRIVED = case((Parcel.tracking_status.in_(tracking.FINAL), 1), else_=0)
BY_NUMBER = (
    select(Parcel, Fulfillment)
    .join(Fulfillment)
    .where(Parcel.tracking_number == bindparam("number"))
    .order_by(ARRIVED, Fulfillment.requested_at.desc())
    .limit(1)
)


def parcel_with(tx: Session, tracking_number: str) -> tuple[Parcel, Fulfillment] | None:
    """Carriers use numbers again: the one that is still on its way, or else the latest."""
    row = tx.execute(BY_NUMBER, {"number": tracking_number}).first()
    return (row[0], row[1]) if row else None


def label_changed(tx: Session, content: LabelChanged, at: datetime) -> NewsOutcome:
    parcel = tx.scalars(select(Parcel).where(Parcel.label_id == content.label)).first()
    if parcel is None:
        return not_known(tx, content.order)
    end = REFUNDS.get(content.status)
    if end is None or not labels.may_end(parcel, end) or not labels.refund_seen(tx, parcel, end, at):
        return NewsOutcome.UNCHANGED
    nudge(tx, [tx.get_one(Fulfillment, parcel.fulfillment_id).order_id])
    return NewsOutcome.TAKEN


def not_known(tx: Session, order: str | None) -> NewsOutcome:
    """Who buys labels by hand in the same account names no order of ours."""
    return NewsOutcome.WAITING if order is None or tx.get(Order, order) is not None else NewsOutcome.IGNORED
