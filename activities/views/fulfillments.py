"""An order's fulfillments, with what is in them and where their parcels are."""

from collections import Counter, defaultdict
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts.bill import UNPAID
from activities.models import FulfillmentStatus, LabelStatus, Recall
from activities.ports import TrackingStatus
from activities.views.model import FulfilledLine, FulfillmentView, HandOverView, ParcelContentView, ParcelView
from infra.database.tables import Contact, Fulfillment, HandOver, Parcel, ParcelContent, Reservation
from infra.words import ReservationStatus, ShippingMethod


class Reserved(NamedTuple):
    """Units of one line that are, or were, set aside, for one fulfillment or none."""

    line_no: int
    sku: str
    status: ReservationStatus
    fulfillment_id: str | None
    quantity: int


def reserved(tx: Session, order_id: str) -> list[Reserved]:
    kinds = (Reservation.line_no, Reservation.sku, Reservation.status, Reservation.fulfillment_id)
    units = select(*kinds, func.sum(Reservation.quantity)).where(Reservation.order_id == order_id).group_by(*kinds)
    return [Reserved(*row) for row in tx.execute(units.order_by(Reservation.line_no))]


def fulfillments(
    tx: Session, order_id: str, units: list[Reserved], contacts: dict[int, Contact]
) -> list[FulfillmentView]:
    parcels: dict[Fulfillment, list[Parcel]] = defaultdict(list)
    inside: dict[tuple[str, int], list[ParcelContentView]] = defaultdict(list)
    same_parcel = (ParcelContent.fulfillment_id == Parcel.fulfillment_id) & (ParcelContent.n == Parcel.n)
    unpaid: dict[str, int] = {}
    rows = (
        select(Fulfillment, UNPAID, Parcel, ParcelContent)
        .outerjoin(Parcel, Parcel.fulfillment_id == Fulfillment.fulfillment_id)
        .outerjoin(ParcelContent, same_parcel)
        .where(Fulfillment.order_id == order_id)
        .order_by(Fulfillment.n, Parcel.n, ParcelContent.sku)
    )
    for f, amount, row, content in tx.execute(rows):
        unpaid[f.fulfillment_id] = amount
        parcels[f] += [row] if row and row not in parcels[f][-1:] else []
        if content:
            view = ParcelContentView(sku=content.sku, quantity=content.quantity)
            inside[content.fulfillment_id, content.n].append(view)
    handed = hand_overs(tx, order_id) if any(f.method == ShippingMethod.PICKUP for f in parcels) else defaultdict(list)
    lines: dict[str | None, Counter[tuple[int, str]]] = defaultdict(Counter)
    for line_no, sku, status, fulfillment_id, quantity in units:
        if status != ReservationStatus.RELEASED:
            lines[fulfillment_id][line_no, sku] += quantity
    return [
        FulfillmentView(
            fulfillment_id=f.fulfillment_id,
            status=FulfillmentStatus(f.status),
            method=f.method,
            location=f.location_id,
            destination=contacts[f.contact_id].destination if f.contact_id else None,
            recall=Recall(f.recall) if f.recall else None,
            amount=f.amount,
            captured=unpaid[f.fulfillment_id] <= 0 and f.status != FulfillmentStatus.CANCELLED,
            lines=[
                FulfilledLine(line=line_no, sku=sku, quantity=quantity)
                for (line_no, sku), quantity in lines[f.fulfillment_id].items()
            ],
            parcels=[
                parcel(row, inside.get((row.fulfillment_id, row.n)) or all_of(its_parcels, lines[f.fulfillment_id]))
                for row in its_parcels
            ],
            requested_at=f.requested_at,
            shipped_at=f.shipped_at,
            delivered_at=f.delivered_at,
            ready_at=f.ready_at,
            pickup_until=f.pickup_until,
            extended_at=f.extended_at,
            hand_overs=handed[f.fulfillment_id],
        )
        for f, its_parcels in parcels.items()
    ]


def hand_overs(tx: Session, order_id: str) -> dict[str, list[HandOverView]]:
    found: dict[str, list[HandOverView]] = defaultdict(list)
    mine = select(HandOver).where(HandOver.order_id == order_id).order_by(HandOver.fulfillment_id, HandOver.n)
    for each in tx.scalars(mine):
        found[each.fulfillment_id].append(HandOverView.model_validate(each, from_attributes=True))
    return found


def all_of(parcels: list[Parcel], lines: Counter[tuple[int, str]]) -> list[ParcelContentView] | None:
    """What one parcel holds of which nobody says it."""
    units: Counter[str] = Counter()
    for (_, sku), quantity in lines.items():
        units[sku] += quantity
    whole = [ParcelContentView(sku=sku, quantity=quantity) for sku, quantity in sorted(units.items())]
    return whole if len(parcels) == 1 else None


def parcel(row: Parcel, contents: list[ParcelContentView] | None) -> ParcelView:
    return ParcelView(
        n=row.n,
        contents=contents,
        weight_g=row.weight_g,
        carrier=row.carrier,
        service=row.service,
        label=LabelStatus(row.label_status),
        tracking=TrackingStatus(row.tracking_status),
        tracking_number=row.tracking_number,
        tracking_url=row.tracking_url,
        tracked_at=row.tracked_at,
    )
