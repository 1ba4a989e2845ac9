"""A warehouse packs: in parcels, anew in others, or without units that its shelf did not have."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import holds
from activities.facts.fulfillments import answered, changed, locked, not_before, parcels_of, replace_parcels
from activities.facts.journal import note
from activities.models import FulfillmentStatus, LabelStatus
from activities.ports import Parcel as Packed
from activities.ports import TrackingStatus
from infra.database.tables import Fulfillment, Order, Parcel
from infra.hold_kinds import HoldKind
from infra.words import EventType


def packed(tx: Session, fulfillment_id: str, parcels: Sequence[Packed], at: datetime) -> bool:
    """The warehouse packed and weighed; or packed anew, until the labels are bought. False when this is late or known
    already."""
    order, f = locked(tx, fulfillment_id)
    if f.status == FulfillmentStatus.PACKED and not f.recall:
        return packed_anew(tx, order, f, parcels, at)
    if f.status not in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        return False
    answered(tx, f, at)
    at = not_before(f, at)
    f.status, f.packed_at = FulfillmentStatus.PACKED, at
    changed(tx, order, f)
    replace_parcels(tx, order, f, [], [to_be_labelled(f, n, parcel) for n, parcel in enumerate(parcels, start=1)])
    note(tx, order, EventType.PACKED, at, fulfillment_id=fulfillment_id, parcels=len(parcels))
    return True


def packed_anew(tx: Session, order: Order, f: Fulfillment, parcels: Sequence[Packed], at: datetime) -> bool:
    """A parcel that has a label, or may have one, stays as it is; the others are replaced."""
    before = parcels_of(tx, f.fulfillment_id)
    without = [parcel for parcel in before if parcel.label_status == LabelStatus.NONE]
    sizes = dict(enumerate(parcels, start=1))
    fixed = all(sizes.get(parcel.n) == size(parcel) for parcel in before if parcel not in without)
    if not without or not fixed or {parcel.n: size(parcel) for parcel in before} == sizes:
        return False
    labelled = {parcel.n for parcel in before} - {parcel.n for parcel in without}
    packed_now = [to_be_labelled(f, n, parcel) for n, parcel in sizes.items() if n not in labelled]
    replace_parcels(tx, order, f, without, packed_now)
    note(tx, order, EventType.PACKED, not_before(f, at), fulfillment_id=f.fulfillment_id, parcels=len(parcels))
    kinds, among = (HoldKind.BUY_LABEL_FAILED,), {f.fulfillment_id}
    holds.close_mended(tx, order.order_id, kinds, at, by="warehouse", why="packed anew", among=among)
    changed(tx, order, f)
    return True


def to_be_labelled(f: Fulfillment, n: int, parcel: Packed) -> Parcel:
    return Parcel(
        fulfillment_id=f.fulfillment_id,
        n=n,
        label_status=LabelStatus.NONE,
        tracking_status=TrackingStatus.UNKNOWN,
        **parcel.model_dump(),
    )


def size(parcel: Parcel) -> Packed:
    return Packed.model_validate({field: getattr(parcel, field) for field in Packed.model_fields})
