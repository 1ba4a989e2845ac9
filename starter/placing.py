"""An order comes in: once, however often and from however many places at once it is sent."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false, literal, or_, select, union_all
from sqlalchemy.orm import Session

from activities import facts
from activities.facts import addresses
from activities.facts.requests import WrongFields
from activities.intake.delivery_times import USUAL, DeliveryTimes
from activities.intake.fields import MADE
from activities.intake.order import AskedOrder
from infra.clock import wall_clock
from infra.database.tables import Location, Order, Payment, Product, Till
from infra.words import PaymentMethod, TenderKind

FARTHEST = timedelta(days=730)
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class OtherContent(Exception):
    """`field` (an order id or a key) was used before, for something else."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True)
class Placed:
    order_id: str
    new: bool


def place(
    tx: Session,
    asked: AskedOrder,
    *,
    idempotency_key: str | None = None,
    placed_by: str | None = None,
    known_contact: bool = True,
    times: DeliveryTimes = USUAL,
    exchange_of: str | None = None,
) -> Placed:
    """Stores the order and that it is to be started, in one transaction; known already, it is the same one.
    `known_contact`: what it leaves out of its customer's contact is filled in. The transaction must be done again when
    another was first. `exchange_of`: the return that one of its tenders is."""
    skus, origins, used = offered(tx, asked, idempotency_key)
    if used and (known := double_of(tx, asked, idempotency_key)):
        return Placed(known, new=False)
    if errors := [
        *doubts(asked, skus, origins),
        *intent_doubts(tx, asked),
        *pickup_doubts(tx, asked),
        *till_doubts(tx, asked),
        *exchange_doubts(asked, exchange_of),
    ]:
        raise WrongFields(errors)
    order_id = asked.order_id or made_id(MADE)
    order = facts.placing.placed(
        tx,
        asked,
        order_id=order_id,
        idempotency_key=idempotency_key,
        placed_by=placed_by,
        skus=skus,
        known_contact=known_contact,
        times=times,
    )
    if asked.reservation_id:
        lines = [(skus[line.sku], line.quantity) for line in asked.lines]
        facts.checkout.used(tx, order, lines, asked.reservation_id)
    return Placed(order_id, new=True)


def offered(tx: Session, asked: AskedOrder, key: str | None) -> tuple[dict[str, str], set[str], bool]:
    """The SKU that each line's name of a product means, the countries that goods are shipped from, and whether the
    order's id or key was used before."""
    names = {line.sku for line in asked.lines}
    # in one statement: every order passes here
    offer = select(literal("sku"), Product.sku).where(Product.sku.in_(names))
    origin = select(literal("origin"), Location.address["country"].as_string())
    same = select(literal("order"), Order.order_id).where(or_(false(), *of_same_name(asked, key)))
    found = tx.execute(union_all(offer, origin, same)).all()
    sold, origins, used = ({value for kind, value in found if kind == wanted} for wanted in ("sku", "origin", "order"))
    return {sku: sku for sku in sold} | facts.catalogue.referred_to(tx, names - sold), origins, bool(used)


def of_same_name(asked: AskedOrder, key: str | None) -> list[ColumnElement[bool]]:
    by_id = [Order.order_id == asked.order_id] if asked.order_id else []
    return by_id + ([Order.idempotency_key == key] if key else [])


def doubts(asked: AskedOrder, skus: Mapping[str, str], origins: set[str]) -> list[tuple[str, str]]:
    errors = [(f"lines[{n}].sku", "is not known") for n, line in enumerate(asked.lines) if line.sku not in skus]
    errors += [(field, addresses.CUSTOMS) for field, to in destinations(asked) if addresses.abroad(origins, to)]
    return errors + doubts_of_day(asked, wall_clock())


def doubts_of_day(asked: AskedOrder, now: datetime) -> list[tuple[str, str]]:
    """Past is what is past everywhere on earth."""
    if asked.promised_on and asked.promised_on < (now - timedelta(hours=12)).date():
        return [("promised_on", "has passed")]
    if asked.promised_on and asked.promised_on > now.date() + FARTHEST:
        return [("promised_on", f"is more than {FARTHEST.days} days away")]
    return []


def intent_doubts(tx: Session, asked: AskedOrder) -> list[tuple[str, str]]:
    for tender in asked.tenders():
        if tender.method == PaymentMethod.PAYMENT_INTENT:
            known = select(Payment.payment_id).where(Payment.intent == tender.reference)
            return [(f"{tender.field}.reference", "pays another order already")] if tx.scalars(known).first() else []
    return []


def pickup_doubts(tx: Session, asked: AskedOrder) -> list[tuple[str, str]]:
    if asked.shipping.location is None:
        return []
    place = tx.get(Location, asked.shipping.location)
    if place is None:
        return [("shipping.location", "is not known")]
    return [] if place.pickup else [("shipping.location", "takes no pickups")]


def till_doubts(tx: Session, asked: AskedOrder) -> list[tuple[str, str]]:
    if asked.till is None:
        return []
    till = tx.get(Till, asked.till)
    if till is None:
        return [("till", "is not known")]
    here = asked.location in (None, till.location_id)
    return [] if here else [("location", f"is not where this till is: {till.location_id}")]


def exchange_doubts(asked: AskedOrder, return_id: str | None) -> list[tuple[str, str]]:
    mine = [tender for tender in asked.tenders() if tender.kind == TenderKind.EXCHANGE]
    if return_id is None:
        return [(f"{tender.field}.kind", "comes with its return: POST /v1/orders/ID/returns") for tender in mine]
    return [(f"{tender.field}.reference", "is not the return's id") for tender in mine if tender.reference != return_id]


def destinations(asked: AskedOrder) -> list[tuple[str, str]]:
    """The fields that say to which country goods go; the order's own address, where no line has another."""
    own = [(f"lines[{n}].ship_to.country", line.ship_to.country) for n, line in enumerate(asked.lines) if line.ship_to]
    to = asked.shipping.address
    whole = [("shipping.address.country", to.country)] if to and len(own) < len(asked.lines) else []
    return whole + own


def double_of(tx: Session, asked: AskedOrder, key: str | None) -> str | None:
    found = tx.scalars(select(Order).where(or_(false(), *of_same_name(asked, key)))).all()
    by_id = next((order for order in found if order.order_id == asked.order_id), None)
    by_key = next((order for order in found if key and order.idempotency_key == key), None)
    if by_key and (by_key.content_hash != asked.content_hash() or asked.order_id not in (None, by_key.order_id)):
        raise OtherContent("Idempotency-Key")
    if by_id and by_id.content_hash != asked.content_hash():
        raise OtherContent("order_id")
    known = by_id or by_key
    return known.order_id if known else None


def made_id(kind: str) -> str:
    return f"{kind}{wall_clock():%y%m%d}-{''.join(secrets.choice(LETTERS) for _ in range(10))}"
