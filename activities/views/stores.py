"""What waits at a place, for its people: no name and no address, but for a label's."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.models import FulfillmentStatus, LabelStatus, Recall
from activities.views.base import View
from activities.views.model import ParcelContentView
from infra.database.tables import Fulfillment, Parcel, ParcelContent, Product, Reservation
from infra.words import ReservationStatus, ShippingMethod

AT_WORK = (FulfillmentStatus.REQUESTED, FulfillmentStatus.PACKED, FulfillmentStatus.READY_FOR_PICKUP)
"""What somebody there has to see to."""


class StoreLineView(View):
    sku: str
    name: str
    quantity: int


class StoreParcelView(View):
    n: int
    contents: list[ParcelContentView] | None
    """None: of several parcels nobody says."""
    weight_g: int
    label: LabelStatus
    label_url: str | None
    """What to print: it shows the recipient."""
    carrier: str | None
    service: str | None
    tracking_number: str | None


class StoreFulfillmentView(View):
    """`recall` is `asked`: it is to be stopped, and they say whether it is. `released`: it may be handed over."""

    fulfillment_id: str
    order_id: str
    location: str
    method: ShippingMethod
    status: FulfillmentStatus
    recall: Recall | None
    refusal: str | None
    released: bool
    requested_at: datetime | None
    accepted_at: datetime | None
    picking_at: datetime | None
    packed_at: datetime | None
    shipped_at: datetime | None
    lines: list[StoreLineView]
    parcels: list[StoreParcelView]


class StorePage(View):
    fulfillments: list[StoreFulfillmentView]
    """The one that was asked for first comes first."""
    more: bool


def at_place(tx: Session, location_id: str, statuses: Sequence[FulfillmentStatus], limit: int) -> StorePage:
    mine = select(Fulfillment).where(Fulfillment.location_id == location_id, Fulfillment.status.in_(statuses))
    first = mine.order_by(Fulfillment.requested_at, Fulfillment.fulfillment_id).limit(limit + 1)
    found = list(tx.scalars(first))
    return StorePage(fulfillments=views(tx, found[:limit]), more=len(found) > limit)


def views(tx: Session, fulfillments: Sequence[Fulfillment]) -> list[StoreFulfillmentView]:
    """Three queries."""
    ids = [f.fulfillment_id for f in fulfillments]
    lines: dict[str, list[StoreLineView]] = defaultdict(list)
    its = Reservation.fulfillment_id
    units = (
        select(its, Product.sku, Product.name, func.sum(Reservation.quantity))
        .join(Product, Product.sku == Reservation.sku)
        .where(its.in_(ids), Reservation.status != ReservationStatus.RELEASED)
        .group_by(its, Product.sku, Product.name)
        .order_by(Product.sku)
    )
    for fulfillment_id, sku, name, quantity in tx.execute(units):
        lines[str(fulfillment_id)].append(StoreLineView(sku=sku, name=name, quantity=quantity))
    inside: dict[tuple[str, int], list[ParcelContentView]] = defaultdict(list)
    contents = select(ParcelContent).where(ParcelContent.fulfillment_id.in_(ids)).order_by(ParcelContent.sku)
    for row in tx.scalars(contents):
        inside[row.fulfillment_id, row.n].append(ParcelContentView(sku=row.sku, quantity=row.quantity))
    parcels: dict[str, list[Parcel]] = defaultdict(list)
    for parcel in tx.scalars(select(Parcel).where(Parcel.fulfillment_id.in_(ids)).order_by(Parcel.n)):
        parcels[parcel.fulfillment_id].append(parcel)
    return [view(f, lines[f.fulfillment_id], parcels[f.fulfillment_id], inside) for f in fulfillments]


def view(
    f: Fulfillment,
    lines: list[StoreLineView],
    parcels: list[Parcel],
    inside: dict[tuple[str, int], list[ParcelContentView]],
) -> StoreFulfillmentView:
    whole = [ParcelContentView(sku=line.sku, quantity=line.quantity) for line in lines] if len(parcels) == 1 else None
    return StoreFulfillmentView(
        fulfillment_id=f.fulfillment_id,
        order_id=f.order_id,
        location=f.location_id,
        method=f.method,
        status=f.status,
        recall=f.recall,
        refusal=f.refusal,
        released=f.released,
        requested_at=f.requested_at,
        accepted_at=f.accepted_at,
        picking_at=f.picking_at,
        packed_at=f.packed_at,
        shipped_at=f.shipped_at,
        lines=lines,
        parcels=[
            StoreParcelView(
                n=parcel.n,
                contents=inside.get((parcel.fulfillment_id, parcel.n), whole),
                weight_g=parcel.weight_g,
                label=parcel.label_status,
                label_url=parcel.label_url,
                carrier=parcel.carrier,
                service=parcel.service,
                tracking_number=parcel.tracking_number,
            )
            for parcel in parcels
        ],
    )
