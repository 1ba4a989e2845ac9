"""Where an order goes, changed while that is still possible."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.axes import derive, in_doubt
from activities.facts.record import fulfillments_of, note, nudge
from activities.intake import Address
from activities.models import FulfillmentStatus, HoldReason, LabelStatus
from infra.database.tables import Contact, Hold, Order, Parcel

UNLOCKING = (HoldReason.ADDRESS, HoldReason.STEP_FAILED)
NOT_YET_ASKED = (FulfillmentStatus.PLANNED, FulfillmentStatus.CANCELLED)
LABEL_EXISTS = (LabelStatus.BUYING, LabelStatus.BOUGHT, LabelStatus.USED)


def fixed_because(tx: Session, order: Order) -> str | None:
    """Why the address can't be changed any more, or None. The caller holds the order's lock."""
    if order.status in ("completed", "cancelled"):
        return f"the order is {order.status}"
    place = ship_to(tx, order.order_id)
    going = [f for f in fulfillments_of(tx, order.order_id) if f.contact_id == place.contact_id]
    unlocked = set(
        tx.scalars(
            select(Hold.fulfillment_id).where(
                Hold.order_id == order.order_id, Hold.closed_at.is_(None), Hold.reason.in_(UNLOCKING)
            )
        )
    )
    asked = in_doubt(tx, order.order_id, "request")
    for f in going:
        if f.fulfillment_id in unlocked:
            continue
        if f.status not in NOT_YET_ASKED:
            return f"fulfillment {f.fulfillment_id} is {f.status}"
        if f.fulfillment_id in asked:
            return f"the warehouse may have been asked for fulfillment {f.fulfillment_id}: try again in a minute"
    labelled = tx.scalars(
        select(Parcel.fulfillment_id).where(
            Parcel.fulfillment_id.in_([f.fulfillment_id for f in going if f.status != FulfillmentStatus.CANCELLED]),
            Parcel.label_status.in_(LABEL_EXISTS),
        )
    ).first()
    return f"fulfillment {labelled} has a label" if labelled else None


def address_given(tx: Session, order: Order, address: Address, at: datetime) -> None:
    """In place: fulfillments planned for the old address go to the new one."""
    place = ship_to(tx, order.order_id)
    for field, value in address.model_dump().items():
        setattr(place, field, value)
    note(tx, order, "address_given", at)
    derive(tx, order)
    nudge(tx, [order.order_id])


def ship_to(tx: Session, order_id: str) -> Contact:
    return tx.scalars(select(Contact).where(Contact.order_id == order_id, Contact.kind == "ship_to")).one()
