"""An order is placed; somebody wants it changed."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from activities.facts import charges, promises, sales
from activities.facts.bill import bill
from activities.facts.holds import MENDED_BY_METHOD, close_mended
from activities.facts.journal import locked_order, note, nudge
from activities.facts.statuses import conclude, derive, first_statuses
from activities.intake.delivery_times import USUAL, DeliveryTimes
from activities.intake.fields import GUEST
from activities.intake.order import AskedOrder
from activities.intake.payment import AskedTender
from activities.intake.people import Address, AskedCustomer, Person
from infra.clock import wall_clock
from infra.database.tables import Contact, Customer, Order, OrderLine, Payment, TaxLine, Tender, UnitAmount
from infra.words import AuthorizationStatus, ContactKind, EventType, PaymentMethod, TenderDue

WALK_IN = Person(notify=())
"""Who buys over the counter, and does not say who they are."""
NO_ADDRESS = {"street1": "", "street2": "", "city": "", "state": "", "zip": "", "country": ""}


class Unreachable(Exception):
    """Fields of the customer without which nobody could be told, and why."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__([field for field, _ in errors])
        self.errors = errors


def placed(
    tx: Session,
    asked: AskedOrder,
    *,
    order_id: str,
    idempotency_key: str | None,
    placed_by: str | None = None,
    skus: Mapping[str, str] = MappingProxyType({}),
    known_contact: bool = True,
    times: DeliveryTimes = USUAL,
) -> Order:
    """Stores an order whole, and that its workflow is to be started. The caller has checked SKUs and doubles; `skus`
    are those of products that are named otherwise."""
    now = wall_clock()
    customer, person = buyer(tx, asked.customer, order_id, known_contact) if asked.customer else (None, WALK_IN)
    day = promises.day_promised(asked, times, now, customer.time_zone if customer else "UTC")
    order = Order(
        order_id=order_id,
        reference=asked.reference,
        channel=asked.channel,
        customer_id=customer.customer_id if customer else None,
        currency=asked.currency,
        backorder=asked.backorder,
        shipping_method=asked.shipping.method,
        pickup_location=asked.shipping.location,
        service=asked.shipping.service,
        shipping_price=asked.shipping.price,
        tax=asked.tax,
        tax_included=asked.tax_included,
        discount=asked.discount,
        total=asked.total,
        promised_on=day,
        first_promised_on=day,
        locale=person.locale,
        notify=list(person.notify),
        cancellation_settled=False,
        track_token=secrets.token_urlsafe(24),
        placed_by=placed_by,
        idempotency_key=idempotency_key,
        content_hash=asked.content_hash(),
        version=0,
        placed_at=min(asked.sold_at.astimezone(UTC), now) if asked.sold_at else now,
        recorded_at=now,
    )
    tenders = asked.tenders()
    to_charge = next((each for each in tenders if each.due == TenderDue.BEFORE_RELEASE and each.pays), None)
    first_statuses(order, paid_elsewhere=to_charge is None, due_later=any(each.at_hand_over for each in tenders))
    tx.add(order)
    note(tx, order, EventType.PLACED, now, total=order.total, lines=len(asked.lines))
    conclude(tx)  # before the rows that refer to it, and with the version that it keeps
    store_lines(tx, asked, order_id, person, skus, order.placed_at)
    tx.execute(
        insert(Tender),
        [
            {"order_id": order_id, "due": tender.due}
            | {name: getattr(tender, name) for name in ("n", "method", "reference", "amount", "kind")}
            for tender in tenders
        ],
    )
    charges.placed_paid(tx, order, [each for each in tenders if each.pays], now)
    if to_charge:
        tx.add(first_payment(order, to_charge))
    elif customer and not asked.handed_over:
        promises.confirmed(tx, order, customer, first=True)
    if asked.till:
        sales.sold(tx, order, asked, skus)
    if not asked.handed_over:
        nudge(tx, [order_id], "start")
    return order


def buyer(tx: Session, asked: AskedCustomer, order_id: str, known_contact: bool) -> tuple[Customer, Person]:
    """The customer, made now if need be, and who they are to this order. What an order says of a known customer does
    not change the customer; what it leaves out of name and addresses is filled in only with `known_contact`."""
    customer_id = asked.customer_id or guest(order_id)
    customer = tx.get(Customer, customer_id)
    known = as_known(customer) if customer else Person()
    person = asked.person(known if known_contact else Person(locale=known.locale, notify=known.notify))
    if not person.name:
        why = "no customer has this customer_id yet" if known_contact else "this API key reads no customer"
        raise Unreachable([("name", f"is missing: {why}")])
    if missing := person.unreachable():
        raise Unreachable(missing)
    if customer is None:
        customer = Customer(
            customer_id=customer_id,
            time_zone="UTC",
            unreachable={},
            recorded_at=wall_clock(),
            **person._asdict() | {"notify": list(person.notify)},
        )
        tx.add(customer)
        tx.flush()
    return customer, person


def as_known(customer: Customer) -> Person:
    return Person(customer.name, customer.email, customer.phone, customer.locale, tuple(customer.notify))


def guest(order_id: str) -> str:
    """The id of a customer who has only this order; cut short, two orders' could be the same."""
    whole = f"{GUEST}{order_id}"
    return whole if len(whole) <= 64 else f"{GUEST}{hashlib.sha256(order_id.encode()).hexdigest()[:40]}"


def store_lines(
    tx: Session, asked: AskedOrder, order_id: str, who: Person, skus: Mapping[str, str], placed_at: datetime
) -> None:
    if asked.customer:
        reached_at = {"email": who.email, "phone": who.phone}
        tx.add(Contact(order_id=order_id, kind=ContactKind.CUSTOMER, name=who.name, **reached_at, **NO_ADDRESS))
    if asked.shipping.location:
        tx.add(who_comes(order_id, asked.shipping.person or who.name))
    wanted = dict.fromkeys(filter(None, [asked.shipping.address, *(line.ship_to for line in asked.lines)]))
    places = {address: to_destination(order_id, n, address, who) for n, address in enumerate(wanted, start=1)}
    tx.add_all(places.values())
    tx.flush()
    tax, discount = asked.line_taxes(), asked.line_discounts()
    tx.execute(
        insert(OrderLine),
        [
            {
                "order_id": order_id,
                "line_no": number,
                "sku": skus.get(line.sku, line.sku),
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "tax": tax[number - 1],
                "discount": discount[number - 1],
                "contact_id": own_address(line.ship_to, places),
                "options": line.options,
                "placed_at": placed_at,
            }
            for number, line in enumerate(asked.lines, start=1)
        ],
    )
    taxed = [
        {"order_id": order_id, "line_no": number, "n": n, **part.model_dump()}
        for number, line in enumerate(asked.lines, start=1)
        for n, part in enumerate(line.tax_lines, start=1)
    ]
    if taxed:
        tx.execute(insert(TaxLine), taxed)
    tx.execute(
        insert(UnitAmount),
        [
            {"order_id": order_id, "line_no": number, **amounts._asdict()}
            for number, runs in enumerate(asked.unit_amounts(), start=1)
            for amounts in runs
        ],
    )


def to_destination(order_id: str, n: int, address: Address, who: Person) -> Contact:
    """The first is the order's own."""
    kind = ContactKind.SHIP_TO if n == 1 else ContactKind.LINE
    reached_at = {"email": who.email, "phone": who.phone}
    return Contact(order_id=order_id, kind=kind, destination=f"d{n}", **reached_at, **address.model_dump())


def who_comes(order_id: str, name: str) -> Contact:
    reached_at = {"email": "", "phone": ""}
    return Contact(
        order_id=order_id,
        kind=ContactKind.PICKUP,
        destination=ContactKind.PICKUP,
        name=name,
        **reached_at,
        **NO_ADDRESS,
    )


def own_address(address: Address | None, places: Mapping[Address, Contact]) -> int | None:
    """Of a line that does not go where the order goes."""
    place = places[address] if address else None
    return place.contact_id if place and place.kind == ContactKind.LINE else None


def ask_payment(tx: Session, order: Order, method: str, amount: int, *, off_session: bool) -> Payment:
    """A payment to be authorized next, of the tender that the one before was of."""
    mine = select(Payment.n, Payment.tender_n).where(Payment.order_id == order.order_id)
    last, tender_n = tx.execute(mine.order_by(Payment.n.desc())).first() or (0, 1)
    payment = new_payment(order, last + 1, tender_n, method, amount, off_session=off_session)
    tx.add(payment)
    tx.flush()
    return payment


def new_payment(order: Order, n: int, tender_n: int | None, method: str, amount: int, *, off_session: bool) -> Payment:
    return Payment(
        order_id=order.order_id,
        n=n,
        tender_n=tender_n,
        method=method,
        off_session=off_session,
        amount=amount,
        status=AuthorizationStatus.ASKED,
        multicapture=False,
        reusable=True,
        recorded_at=wall_clock(),
    )


def first_payment(order: Order, tender: AskedTender) -> Payment:
    if tender.method == PaymentMethod.CARD:
        return new_payment(order, 1, tender.n, tender.reference, tender.pays, off_session=False)
    payment = new_payment(order, 1, tender.n, "", tender.pays, off_session=False)
    is_given(payment, tender.reference)
    return payment


def is_given(payment: Payment, intent: str) -> None:
    """Authorized before it was given to us: to be looked at first. No other order may name it meanwhile."""
    payment.given = payment.intent = intent
    payment.reusable = False


def payment_method_given(
    tx: Session, order_id: str, method: str | None, at: datetime, *, intent: str | None = None
) -> Payment:
    """Another card or payment intent, after a decline or for a payment that needs the customer."""
    order = locked_order(tx, order_id)
    payment = ask_payment(tx, order, method or "", bill(tx, order).to_capture, off_session=False)
    if intent:
        is_given(payment, intent)
    note(tx, order, EventType.PAYMENT_METHOD_GIVEN, at)
    close_mended(tx, order_id, MENDED_BY_METHOD, at, by="customer", why="another payment method was given")
    derive(tx, order)
    nudge(tx, [order_id])
    return payment
