"""What a customer chooses for units that their store does not have: another store, shipping, or their money."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import addresses, deadlines, inventory, promises
from activities.facts.cancelled_messages import tell_unavailable
from activities.facts.journal import locked_order, note, nudge
from activities.facts.line_cancellations import Part, Where, Wish, cancelled
from activities.facts.requests import NothingLeft, WrongFields
from activities.facts.statuses import derive
from activities.intake.delivery_times import DeliveryTimes
from activities.intake.people import Address
from activities.models import CancelReason, Subject
from infra.database.tables import Backorder, Contact, Fulfillment, Location, Order, Tender
from infra.words import BackorderStatus, ContactKind, DeadlineKind, EventType, ShippingMethod, TenderDue

MOST_OFFERS = 3


class Offer(NamedTuple):
    location: Location
    units: int
    whole: bool
    """All that is lacking."""


class Offers(NamedTuple):
    stores: list[Offer]
    shipping: bool
    """All of it is somewhere, and is not paid as it is handed over. What nobody has can always be cancelled."""


def lacking(tx: Session, order_id: str) -> list[Backorder]:
    mine = (Backorder.order_id == order_id, Backorder.status == BackorderStatus.ASKED)
    rows = select(Backorder).where(*mine).order_by(Backorder.line_no, Backorder.first_unit)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def offers(tx: Session, order: Order, rows: Sequence[Backorder]) -> Offers:
    """Stores that have all of it, by priority; or else the one that has most."""
    wanted: Counter[str] = Counter()
    for row in rows:
        wanted[row.sku] += row.quantity
    on_shelves = inventory.availability(tx, list(wanted))
    refused = select(Fulfillment.location_id).where(
        Fulfillment.order_id == order.order_id, Fulfillment.refusal.is_not(None)
    )
    avoided = {order.pickup_location, *tx.scalars(refused)}
    places = {place.location_id: place for place in tx.scalars(select(Location).where(Location.pickup.is_(True)))}
    found = []
    for name, shelf in on_shelves.items():  # by priority
        units = sum(min(quantity, shelf.get(sku, 0)) for sku, quantity in wanted.items())
        if units and name in places and name not in avoided:
            found.append(Offer(places[name], units, units == wanted.total()))
    whole = [offer for offer in found if offer.whole]
    best = whole[:MOST_OFFERS] or sorted(found, key=lambda offer: -offer.units)[:1]
    somewhere: Counter[str] = Counter()
    for name, shelf in on_shelves.items():
        if name not in avoided - {order.pickup_location}:
            somewhere.update(shelf)
    return Offers(best, not wanted - somewhere and not paid_at_store(tx, order))


def paid_at_store(tx: Session, order: Order) -> bool:
    """As it is handed over: a carrier takes no money for us."""
    due = (Tender.order_id == order.order_id, Tender.due == TenderDue.AT_HAND_OVER)
    return tx.scalars(select(Tender.n).where(*due)).first() is not None


def another_store(tx: Session, order_id: str, location_id: str, at: datetime) -> None:
    """Raises `NothingLeft` where it is not offered any more: nothing has changed."""
    order, rows = locked(tx, order_id)
    if location_id not in {offer.location.location_id for offer in offers(tx, order, rows).stores}:
        raise NothingLeft("this store is not offered any more")
    order.pickup_location = location_id
    chosen(tx, order, rows, "store", at, location=location_id)


def shipped(tx: Session, order_id: str, address: Address | None, times: DeliveryTimes, at: datetime) -> None:
    """To the address that the order has, unless another is given."""
    order, rows = locked(tx, order_id)
    mine = (Contact.order_id == order_id, Contact.kind == ContactKind.SHIP_TO)
    place = tx.scalars(select(Contact).where(*mine)).first()
    if place is None and address is None:
        raise WrongFields([("street1", "is missing")])
    if address and addresses.needs_customs(tx, address.country):
        raise WrongFields([("country", addresses.CUSTOMS)])
    if not offers(tx, order, rows).shipping:
        raise NothingLeft("it can't be shipped: there is not enough of it, or it is to be paid at the store")
    if place is None:
        customer = (Contact.order_id == order_id, Contact.kind == ContactKind.CUSTOMER)
        who = tx.scalars(select(Contact).where(*customer)).one()
        place = Contact(order_id=order_id, kind=ContactKind.SHIP_TO, destination="d1", email=who.email, phone=who.phone)
        tx.add(place)
    for field, value in address.model_dump().items() if address else ():
        setattr(place, field, value)
    order.shipping_method = ShippingMethod.SHIP
    tx.flush()
    day = at.date() + timedelta(days=times.days(order.service, place.country))
    if day > order.promised_on:
        promises.move(tx, order, day)
    chosen(tx, order, rows, "ship", at)


def given_up(tx: Session, order_id: str, at: datetime) -> None:
    order, rows = locked(tx, order_id)
    note(tx, order, EventType.PICKUP_CHOSEN, at, choice="cancel")
    cut(tx, order, rows, CancelReason.CUSTOMER, at)
    derive(tx, order)
    nudge(tx, [order_id])


def not_chosen(tx: Session, order: Order, _: str, at: datetime) -> None:
    """No answer in time: cancelled, and paid back."""
    inventory.lock_all_of(tx, order.order_id)
    if rows := lacking(tx, order.order_id):
        cut(tx, order, rows, CancelReason.STOCK, at)


def locked(tx: Session, order_id: str) -> tuple[Order, list[Backorder]]:
    order = locked_order(tx, order_id)
    inventory.lock_all_of(tx, order_id)
    rows = lacking(tx, order_id)
    if not rows:
        raise NothingLeft("nothing is asked of you any more")
    return order, rows


def chosen(tx: Session, order: Order, rows: Sequence[Backorder], how: str, at: datetime, **about: str) -> None:
    """They are units like any others again: the order looks for them next."""
    for row in rows:
        row.status = BackorderStatus.ANSWERED
    deadlines.close(tx, Subject.order(order.order_id), DeadlineKind.PICKUP_CHOICE)
    note(tx, order, EventType.PICKUP_CHOSEN, at, choice=how, **about)
    derive(tx, order)
    nudge(tx, [order.order_id])


def cut(tx: Session, order: Order, rows: Sequence[Backorder], reason: CancelReason, at: datetime) -> None:
    parts = [Part(row.line_no, row.first_unit, row.quantity, Where.WAITING, row) for row in rows]
    cancelled(tx, order, parts, Wish(reason), at)
    deadlines.close(tx, Subject.order(order.order_id), DeadlineKind.PICKUP_CHOICE)
    tell_unavailable(tx, order, parts)
