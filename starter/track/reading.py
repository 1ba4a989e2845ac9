"""What the customer's page shows of their order: no name, no address, no code."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import pickup_choices
from activities.facts.units import listed
from activities.messages.wording import day_of, language_of
from activities.models import ENDED
from infra.database.tables import (
    Contact,
    Customer,
    Deadline,
    Fulfillment,
    Location,
    Order,
    Product,
    Reservation,
)
from infra.words import ContactKind, DeadlineKind, FulfillmentStatus, ReservationStatus
from starter.track.page import Asked, Page, Store, Waiting


def found(tx: Session, token: str) -> Order | None:
    return tx.scalars(select(Order).where(Order.track_token == token)).first()


def read(tx: Session, order: Order) -> Page:
    zone = tx.get_one(Customer, order.customer_id).time_zone
    fulfillments = tx.scalars(select(Fulfillment).where(Fulfillment.order_id == order.order_id)).all()
    kinds = set(tx.scalars(select(Contact.kind).where(Contact.order_id == order.order_id)))
    still = ContactKind.PICKUP in kinds and any(f.status not in ENDED for f in fulfillments)
    return Page(
        order_id=order.order_id,
        locale=order.locale,
        status=order.status,
        parts=parts(tx, order),
        waiting=waiting(tx, order, zone),
        asked=asked(tx, order, zone, address_known=ContactKind.SHIP_TO in kinds),
        person=still,
    )


def instant(order: Order, at: object, zone: str) -> str:
    return day_of(str(at), language_of(order.locale), zone)


def parts(tx: Session, order: Order) -> list[tuple[str, str]]:
    kept = (ReservationStatus.HELD, ReservationStatus.CONSUMED)
    rows = (
        select(Fulfillment.n, Fulfillment.status, Product.name, Reservation.quantity)
        .join(Reservation, Reservation.fulfillment_id == Fulfillment.fulfillment_id)
        .join(Product, Product.sku == Reservation.sku)
        .where(Fulfillment.order_id == order.order_id, Reservation.status.in_(kept))
    )
    units: dict[tuple[int, str], Counter[str]] = {}
    for n, status, name, quantity in tx.execute(rows.order_by(Fulfillment.n)):
        units.setdefault((n, status), Counter())[name] += quantity
    return [(listed(inside, {}), status) for (_, status), inside in units.items()]


def waiting(tx: Session, order: Order, zone: str) -> list[Waiting]:
    rows = (
        select(Fulfillment, Location)
        .join(Location, Location.location_id == Fulfillment.location_id)
        .where(Fulfillment.order_id == order.order_id, Fulfillment.status == FulfillmentStatus.READY_FOR_PICKUP)
        .where(Fulfillment.recall.is_(None))
    )
    return [
        Waiting(f.fulfillment_id, place.name, instant(order, f.pickup_until, zone), f.extended_at is None)
        for f, place in tx.execute(rows.order_by(Fulfillment.n))
    ]


def asked(tx: Session, order: Order, zone: str, *, address_known: bool) -> Asked | None:
    rows = pickup_choices.lacking(tx, order.order_id)
    if not rows:
        return None
    units: Counter[str] = Counter()
    for row in rows:
        units[row.sku] += row.quantity
    names = dict(tx.execute(select(Product.sku, Product.name).where(Product.sku.in_(units))).all())
    until = tx.scalars(
        select(Deadline.at).where(
            Deadline.order_id == order.order_id,
            Deadline.kind == DeadlineKind.PICKUP_CHOICE,
            Deadline.done_at.is_(None),
        )
    ).first()
    offers = pickup_choices.offers(tx, order, rows)
    return Asked(
        items=listed(units, names),
        units=units.total(),
        until=instant(order, until, zone) if until else "",
        stores=[Store(o.location.location_id, o.location.name, o.units, o.whole) for o in offers.stores],
        shipping=offers.shipping,
        address_known=address_known,
    )
