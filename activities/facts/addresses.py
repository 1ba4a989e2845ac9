"""Where an order goes and by which service, changed while that is still possible."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.holds import MENDED_BY_ADDRESS, close_mended, subject
from activities.facts.journal import fulfillments_of, note, nudge
from activities.facts.statuses import derive, in_doubt
from activities.facts.sums import sums
from activities.intake.customs import crosses_customs
from activities.intake.people import Address
from activities.models import CLOSED, FulfillmentStatus, LabelStatus
from infra.database.tables import Contact, Fulfillment, Hold, Location, Order, Parcel
from infra.hold_kinds import HoldKind
from infra.words import ContactKind, EventType

NOT_YET_ASKED = (FulfillmentStatus.PLANNED, FulfillmentStatus.CANCELLED, FulfillmentStatus.RETURNED)
UNDELIVERED = (HoldKind.DELIVERY_FAILED,)
"""What is to be sent again may go elsewhere."""
BEFORE_PACKED = (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED)
LABEL_EXISTS = (LabelStatus.BUYING, LabelStatus.BOUGHT, LabelStatus.USED)
CUSTOMS = "is another country than goods are shipped from: customs declarations are not supported yet"


# --- the address ------------------------------------------------------------------------------------------------------


def place_meant(tx: Session, order_id: str, fulfillment_id: str | None, destination: str | None) -> Contact | None:
    """That destination, or where that fulfillment goes, or else the order. None when it is not the order's."""
    if destination is not None:
        mine = (Contact.order_id == order_id, Contact.destination == destination)
        return tx.scalars(select(Contact).where(*mine)).first()
    if fulfillment_id is None:
        return ship_to(tx, order_id)
    found = tx.get(Fulfillment, fulfillment_id)
    return tx.get_one(Contact, found.contact_id) if found and found.order_id == order_id else None


def lines_address_held(tx: Session, order_id: str) -> str | None:
    """A held fulfillment that goes to an address of its lines' own: it may be the one that is meant."""
    own = (
        select(Fulfillment.fulfillment_id)
        .join(Contact, Contact.contact_id == Fulfillment.contact_id)
        .where(Fulfillment.fulfillment_id.in_(held_for_address(tx, order_id)), Contact.kind == ContactKind.LINE)
    )
    return tx.scalars(own).first()


def held_for_address(tx: Session, order_id: str, *besides: HoldKind) -> set[str | None]:
    """Fulfillments that another address may help."""
    kinds = (*MENDED_BY_ADDRESS, *besides)
    mine = (Hold.order_id == order_id, Hold.closed_at.is_(None), Hold.kind.in_(kinds))
    return {subject(hold).fulfillment_id for hold in tx.scalars(select(Hold).where(*mine))}


def fixed_because(tx: Session, order: Order, place: Contact) -> str | None:
    """Why this address can't be changed any more, or None. The caller holds the order's lock."""
    if order.status in CLOSED:
        return f"the order is {order.status}"
    going = [f for f in fulfillments_of(tx, order.order_id) if f.contact_id == place.contact_id]
    unlocked = held_for_address(tx, order.order_id, *UNDELIVERED)
    asked = in_doubt(tx, order.order_id, "request")
    for f in going:
        if f.fulfillment_id in unlocked:
            continue
        if f.status not in NOT_YET_ASKED:
            return f"fulfillment {f.fulfillment_id} is {f.status}"
        if f.fulfillment_id in asked:
            return f"the warehouse may have been asked for fulfillment {f.fulfillment_id}: try again in a minute"
    gone = (FulfillmentStatus.CANCELLED, FulfillmentStatus.SHIPPED, FulfillmentStatus.RETURNED)
    labelled = tx.execute(
        select(Parcel.fulfillment_id, Parcel.label_status).where(
            Parcel.fulfillment_id.in_([f.fulfillment_id for f in going if f.status not in gone]),
            Parcel.label_status.in_(LABEL_EXISTS),
        )
    ).first()
    if labelled is None:
        return None
    name, label = labelled
    if label == LabelStatus.BUYING:
        return f"a label for fulfillment {name} may be bought just now: try again in a minute"
    return f"fulfillment {name} has a label"


def address_given(tx: Session, order: Order, place: Contact, address: Address, at: datetime, *, by: str) -> None:
    """In place: fulfillments planned for the old address go to the new one, and what failed for it goes on."""
    for field, value in address.model_dump().items():
        setattr(place, field, value)
    note(tx, order, EventType.ADDRESS_GIVEN, at, destination=place.destination)
    going = [f.fulfillment_id for f in fulfillments_of(tx, order.order_id) if f.contact_id == place.contact_id]
    close_mended(tx, order.order_id, MENDED_BY_ADDRESS, at, by=by, why="another address was given", among=going)
    derive(tx, order)
    nudge(tx, [order.order_id])


def ship_to(tx: Session, order_id: str) -> Contact:
    """Where the order goes; or who picks it up."""
    kinds = (ContactKind.SHIP_TO, ContactKind.PICKUP)
    mine = select(Contact).where(Contact.order_id == order_id, Contact.kind.in_(kinds))
    return tx.scalars(mine.order_by(Contact.kind.desc()).limit(1)).one()


def needs_customs(tx: Session, country: str) -> bool:
    """Whether goods get there from no location without a customs declaration."""
    return abroad(set(tx.scalars(select(Location.address["country"].as_string()))), country)


def abroad(origins: set[str], country: str) -> bool:
    return bool(origins) and all(crosses_customs(origin, country) for origin in origins)


# --- the service ------------------------------------------------------------------------------------------------------


def service_fixed_because(tx: Session, order: Order) -> str | None:
    """Why the service can't be changed any more, or None. The caller holds the order's lock."""
    if order.status in ("completed", "cancelled", "cancelling"):
        return f"the order is {order.status}"
    now = sums(tx, order)
    unlabelled = (
        select(Parcel.n)
        .join(Fulfillment, Fulfillment.fulfillment_id == Parcel.fulfillment_id)
        .where(
            Fulfillment.order_id == order.order_id,
            Fulfillment.status == FulfillmentStatus.PACKED,
            Parcel.label_status.in_((LabelStatus.NONE, LabelStatus.BUYING)),
        )
    )
    if now.to_come or any(f.status in BEFORE_PACKED for f in now.fulfillments) or tx.scalars(unlabelled).first():
        return None
    return "every parcel has its label"


def service_given(tx: Session, order: Order, service: str, at: datetime, *, by: str) -> None:
    """For every label that is not bought yet; what failed for the old one goes on."""
    order.service = service
    note(tx, order, EventType.SERVICE_GIVEN, at, service=service)
    labels = (HoldKind.BUY_LABEL_FAILED,)
    close_mended(tx, order.order_id, labels, at, by=by, why="another service was chosen")
    derive(tx, order)
    nudge(tx, [order.order_id])
