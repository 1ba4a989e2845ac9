"""Where parcels are, as carriers tell it; and what becomes of those that no carrier tells of."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import holds
from activities.facts.fulfillments import changed, locked, not_before, parcels_of
from activities.facts.handing_over import arrived, handed_over
from activities.facts.journal import note, tell
from activities.models import ENDED, FulfillmentStatus, Subject
from activities.ports import TrackingStatus
from infra.database.tables import Parcel
from infra.hold_kinds import HoldKind
from infra.words import EventType, MessageKind

RANK = {
    status: rank
    for rank, status in enumerate(
        (
            TrackingStatus.UNKNOWN,
            TrackingStatus.PRE_TRANSIT,
            TrackingStatus.IN_TRANSIT,
            TrackingStatus.OUT_FOR_DELIVERY,
            TrackingStatus.AVAILABLE_FOR_PICKUP,
            TrackingStatus.DELIVERED,
        )
    )
}
FINAL = (TrackingStatus.DELIVERED, TrackingStatus.RETURN_TO_SENDER)
ON_ITS_WAY = (
    TrackingStatus.IN_TRANSIT,
    TrackingStatus.OUT_FOR_DELIVERY,
    TrackingStatus.AVAILABLE_FOR_PICKUP,
    TrackingStatus.DELIVERED,
    TrackingStatus.RETURN_TO_SENDER,
)
"""What only a parcel can be that the carrier has."""


def newer(parcel: Parcel, status: TrackingStatus, at: datetime) -> bool:
    """News that is older than what we know, or a step back, changes nothing: neither now nor later."""
    known = TrackingStatus(parcel.tracking_status)
    if known in FINAL or status == known:
        return False
    if status in RANK and known in RANK and RANK[status] <= RANK[known]:
        return False
    if known == TrackingStatus.FAILURE and status in RANK and status != TrackingStatus.DELIVERED:
        return False
    return not (status == TrackingStatus.FAILURE and parcel.tracked_at and at < parcel.tracked_at)


def tracked(tx: Session, parcel: Parcel, status: TrackingStatus, at: datetime) -> bool:
    """The carrier saw the parcel."""
    order, f = locked(tx, parcel.fulfillment_id)
    if not newer(parcel, status, at):
        return False
    if status in ON_ITS_WAY and f.status == FulfillmentStatus.PACKED and f.released:
        handed_over(tx, f.fulfillment_id, at)  # the warehouse's own word is late, or lost
    parcel.tracking_status, parcel.tracked_at = status, at  # by the carrier's clock: compared with its own news only
    changed(tx, order, f)
    at = not_before(f, at)
    note(tx, order, EventType(status), at, fulfillment_id=f.fulfillment_id, parcel=parcel.n)
    if status == TrackingStatus.OUT_FOR_DELIVERY:
        tell(tx, order, MessageKind.OUT_FOR_DELIVERY, f.fulfillment_id)
    if status in (TrackingStatus.RETURN_TO_SENDER, TrackingStatus.FAILURE) and f.status not in ENDED:
        about = Subject.parcel(f.fulfillment_id, parcel.n)
        holds.opened(tx, order.order_id, HoldKind.DELIVERY_FAILED, about, at, code=status)
    if status == TrackingStatus.DELIVERED:
        among = {Subject.parcel(f.fulfillment_id, parcel.n).id}
        kinds = (HoldKind.DELIVERY_FAILED,)
        holds.close_mended(tx, order.order_id, kinds, at, by="carrier", why="it has arrived", among=among)
    arrived(tx, order, f, at)
    return True


def given_up(tx: Session, fulfillment_id: str, at: datetime) -> None:
    """An operator closes a delivery that failed: the fulfillment counts as returned."""
    order, f = locked(tx, fulfillment_id)
    if f.status == FulfillmentStatus.SHIPPED:
        f.status = FulfillmentStatus.RETURNED
        note(tx, order, EventType.RETURNED, at, fulfillment_id=fulfillment_id)
        changed(tx, order, f)


def taken_for_delivered(tx: Session, fulfillment_id: str, at: datetime) -> None:
    """An operator has seen to what left without our labels: parcels that no carrier tells of."""
    order, f = locked(tx, fulfillment_id)
    if f.status != FulfillmentStatus.SHIPPED:
        return
    parcels = parcels_of(tx, fulfillment_id)
    for parcel in parcels:
        if parcel.tracking_status == TrackingStatus.UNKNOWN:
            parcel.tracking_status, parcel.tracked_at = TrackingStatus.DELIVERED, at
    if all(parcel.tracking_status == TrackingStatus.DELIVERED for parcel in parcels):
        f.status, f.delivered_at = FulfillmentStatus.DELIVERED, at
        note(tx, order, EventType.TAKEN_FOR_DELIVERED, at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)
