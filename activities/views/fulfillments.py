"""An order's fulfillments, with what is in them and where their parcels are."""

from collections import defaultdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.models import FulfillmentStatus, LabelStatus, Recall
from activities.ports import TrackingStatus
from activities.views.model import FulfilledLine, FulfillmentView, ParcelView
from infra.database.tables import Fulfillment, Parcel, Reservation
from infra.words import ReservationStatus


def fulfillments(tx: Session, order_id: str) -> list[FulfillmentView]:
    parcels: dict[str, list[ParcelView]] = defaultdict(list)
    for row in tx.scalars(
        select(Parcel)
        .join(Fulfillment)
        .where(Fulfillment.order_id == order_id)
        .order_by(Parcel.fulfillment_id, Parcel.n)
    ):
        parcels[row.fulfillment_id].append(parcel(row))
    units: dict[str, list[FulfilledLine]] = defaultdict(list)
    for fulfillment_id, line_no, sku, quantity in tx.execute(
        select(Fulfillment.fulfillment_id, Reservation.line_no, Reservation.sku, func.sum(Reservation.quantity))
        .join(Fulfillment, Fulfillment.fulfillment_id == Reservation.fulfillment_id)
        .where(Reservation.order_id == order_id, Reservation.status != ReservationStatus.RELEASED)
        .group_by(Fulfillment.fulfillment_id, Reservation.line_no, Reservation.sku)
        .order_by(Reservation.line_no)
    ):
        units[fulfillment_id].append(FulfilledLine(line=line_no, sku=sku, quantity=quantity))
    return [
        FulfillmentView(
            fulfillment_id=f.fulfillment_id,
            status=FulfillmentStatus(f.status),
            location=f.location_id,
            recall=Recall(f.recall) if f.recall else None,
            amount=f.amount,
            captured=f.captured,
            lines=units[f.fulfillment_id],
            parcels=parcels[f.fulfillment_id],
            requested_at=f.requested_at,
            shipped_at=f.shipped_at,
            delivered_at=f.delivered_at,
        )
        for f in tx.scalars(select(Fulfillment).where(Fulfillment.order_id == order_id).order_by(Fulfillment.n))
    ]


def parcel(row: Parcel) -> ParcelView:
    return ParcelView(
        n=row.n,
        weight_g=row.weight_g,
        carrier=row.carrier,
        service=row.service,
        label=LabelStatus(row.label_status),
        tracking=TrackingStatus(row.tracking_status),
        tracking_number=row.tracking_number,
        tracking_url=row.tracking_url,
        tracked_at=row.tracked_at,
    )
