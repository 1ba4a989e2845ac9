"""One order, whole: a dozen queries, none of them per line."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import CompoundSelect, Date, Row, bindparam, cast, func, null, select, type_coerce, union_all
from sqlalchemy.orm import Session

from activities.facts.messages import blocked
from activities.intake.sale import POS
from activities.models import CALLED_OFF, OrderStatus, PaymentStatus, Subject
from activities.views import returns
from activities.views.fulfillments import Reserved, fulfillments, reserved
from activities.views.holds import of_order
from activities.views.model import (
    AddressView,
    CustomerView,
    DestinationView,
    LineView,
    MessageView,
    OrderView,
    SaleView,
    ShippingView,
    TaxLineView,
    TimelineView,
)
from activities.views.payments import payment
from infra.database.tables import (
    WORD,
    Backorder,
    Change,
    Contact,
    Customer,
    Event,
    LineCancellation,
    Message,
    Order,
    OrderLine,
    Sale,
    TaxLine,
)
from infra.words import (
    BackorderStatus,
    ChangeKind,
    Channel,
    ContactKind,
    LineCancellationStatus,
    ReservationStatus,
    ShippingMethod,
)

USUALLY = {ShippingMethod.PICKUP: ContactKind.PICKUP, ShippingMethod.COUNTER: None}
"""The destination of lines that have none of their own."""
AS_PLACED = 1
"""The version of an order to which nothing has happened but that it was placed. Whatever is answered is of a version
(it is the ETag): at this one nothing is reserved, asked, held or told, which saves its first answer the look."""


def read(tx: Session, order: Order, *, reader: str | None = None) -> OrderView:
    """`reader`: the API key that asks, by its id."""
    order_id, as_placed = order.order_id, order.version == AS_PLACED
    people = select(Contact, Customer).join(Customer, Customer.customer_id == order.customer_id)
    found = tx.execute(people.where(Contact.order_id == order_id)).all()
    contacts = {contact.contact_id: contact for contact, _ in found}
    units = [] if as_placed else reserved(tx, order_id)
    by_kind = {contact.kind: contact for contact in contacts.values()}
    of_lines = lines(tx, order, contacts, units, [] if as_placed else not_set_aside(tx, order_id))
    return OrderView(
        order_id=order_id,
        reference=order.reference,
        version=order.version,
        channel=order.channel,
        currency=order.currency,
        status=OrderStatus(order.status),
        payment_status=PaymentStatus(order.payment_status),
        fulfillment_status=order.fulfillment_status,
        placed_at=order.placed_at,
        trimmed_at=order.trimmed_at,
        customer=customer(found[0][1], order, by_kind[ContactKind.CUSTOMER]) if found else None,
        lines=of_lines,
        shipping=shipping(order, by_kind),
        destinations=destinations(contacts, of_lines),
        tax=order.tax,
        tax_included=order.tax_included,
        discount=order.discount,
        total=order.total,
        promised_on=order.promised_on,
        first_promised_on=order.first_promised_on,
        backorder=order.backorder,
        payment=payment(tx, order, reader),
        sale=sale(tx, order_id) if order.channel == POS else None,
        returns=[] if as_placed else returns.of_order(tx, order_id),
        fulfillments=[] if as_placed else fulfillments(tx, order_id, units, contacts),
        holds=[] if as_placed else of_order(tx, order_id),
        **({"cancellation": None, "cancel_reason": None} if as_placed else cancellation(tx, order)),
        messages=[] if as_placed else messages(tx, order_id),
        timeline=timeline(tx, order_id),
    )


def customer(known: Customer, order: Order, contact: Contact) -> CustomerView:
    return CustomerView(
        customer_id=known.customer_id,
        name=contact.name,
        email=contact.email,
        phone=contact.phone,
        locale=order.locale,
        notify=order.notify,
        unreachable={channel: why for channel in Channel if (why := blocked(known, contact, channel))},
    )


def shipping(order: Order, contacts: Mapping[ContactKind, Contact]) -> ShippingView:
    to, person = contacts.get(ContactKind.SHIP_TO), contacts.get(ContactKind.PICKUP)
    return ShippingView(
        method=order.shipping_method,
        service=order.service,
        price=order.shipping_price,
        address=to and address(to),
        location=order.pickup_location,
        person=person and person.name,
    )


def sale(tx: Session, order_id: str) -> SaleView | None:
    found = tx.get(Sale, order_id)
    if found is None:
        return None
    return SaleView(till=found.till_id, location=found.location_id, shift=found.shift, sold_at=found.sold_at)


def address(contact: Contact) -> AddressView:
    return AddressView.model_validate({field: getattr(contact, field) for field in AddressView.model_fields})


def destinations(contacts: dict[int, Contact], lines: list[LineView]) -> list[DestinationView]:
    places = [contact for contact in contacts.values() if contact.destination]
    return [
        DestinationView(
            destination=str(place.destination),
            address=address(place),
            lines=[line.line for line in lines if line.destination == place.destination],
        )
        for place in sorted(places, key=lambda place: place.contact_id)
    ]


MINE = bindparam("mine", type_=Order.order_id.type)
NOT_SET_ASIDE: CompoundSelect[Any] = union_all(
    select(Backorder.line_no, cast(null(), WORD), func.sum(Backorder.quantity), func.max(Backorder.promised_on))
    .where(Backorder.order_id == MINE, Backorder.status.in_((BackorderStatus.WAITING, BackorderStatus.ASKED)))
    .group_by(Backorder.line_no),
    select(
        LineCancellation.line_no,
        type_coerce(LineCancellation.status, WORD),
        func.sum(LineCancellation.quantity),
        cast(null(), Date()),
    )
    .where(LineCancellation.order_id == MINE)
    .group_by(LineCancellation.line_no, LineCancellation.status),
)
"""Of each line, what waits; and, with its status, what is cancelled or asked to be."""


def not_set_aside(tx: Session, order_id: str) -> Sequence[Row[Any, Any, Any, Any]]:
    return tx.execute(NOT_SET_ASIDE, {"mine": order_id}).all()


def lines(
    tx: Session,
    order: Order,
    contacts: dict[int, Contact],
    units: list[Reserved],
    not_set_aside: Sequence[Row[Any, Any, Any, Any]],
) -> list[LineView]:
    set_aside: Counter[tuple[int, ReservationStatus]] = Counter()
    for line_no, _, status, _, quantity in units:
        set_aside[line_no, status] += quantity
    waiting: dict[int, tuple[int, date | None]] = {}
    given_up: Counter[tuple[int, LineCancellationStatus]] = Counter()
    for line_no, word, quantity, promised_on in not_set_aside:
        if word is None:
            waiting[line_no] = (quantity, promised_on)
        else:
            given_up[line_no, LineCancellationStatus(word)] = quantity
    same_line = (TaxLine.order_id == OrderLine.order_id) & (TaxLine.line_no == OrderLine.line_no)
    with_taxes = select(OrderLine, TaxLine).outerjoin(TaxLine, same_line).where(OrderLine.order_id == order.order_id)
    usual = USUALLY.get(order.shipping_method, "d1")
    found: dict[OrderLine, list[TaxLineView]] = defaultdict(list)
    for line, part in tx.execute(with_taxes.order_by(OrderLine.line_no, TaxLine.n)):
        found[line] += [TaxLineView.model_validate(part, from_attributes=True)] if part else []
    return [
        LineView(
            line=line.line_no,
            sku=line.sku,
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax=line.tax,
            tax_lines=taxes,
            discount=line.discount,
            reserved=set_aside[line.line_no, ReservationStatus.HELD],
            shipped=set_aside[line.line_no, ReservationStatus.CONSUMED],
            waiting=waiting.get(line.line_no, (0, None))[0],
            cancelled=given_up[line.line_no, LineCancellationStatus.DONE],
            cancelling=given_up[line.line_no, LineCancellationStatus.ASKED],
            promised_on=waiting.get(line.line_no, (0, None))[1],
            ship_to=address(contacts[line.contact_id]) if line.contact_id else None,
            destination=str(contacts[line.contact_id].destination) if line.contact_id else usual,
            options=line.options,
        )
        for line, taxes in found.items()
    ]


def cancellation(tx: Session, order: Order) -> dict[str, Any]:
    """The decision, or that one is still out; and the reason."""
    asked = tx.scalars(
        select(Change)
        .where(Change.order_id == order.order_id, Change.kind == ChangeKind.CANCEL)
        .order_by(Change.change_id.desc())
        .limit(1)
    ).first()
    if asked is None or asked.decision is not None or order.cancellation in CALLED_OFF:
        reason = order.cancel_reason or (asked.reason if asked and order.cancellation else None)
        return {"cancellation": order.cancellation, "cancel_reason": reason}
    return {"cancellation": "asked", "cancel_reason": asked.reason}


def messages(tx: Session, order_id: str) -> list[MessageView]:
    found = tx.scalars(select(Message).where(Message.order_id == order_id).order_by(Message.message_id))
    return [MessageView.model_validate(m, from_attributes=True) for m in found]


def timeline(tx: Session, order_id: str) -> list[TimelineView]:
    found = tx.scalars(select(Event).where(Event.order_id == order_id).order_by(Event.sequence))
    return [
        TimelineView(
            sequence=event.sequence,
            event=event.type,
            at=event.occurred_at,
            recorded_at=event.recorded_at,
            fulfillment_id=Subject(event.subject_kind, event.subject_id).fulfillment_id,
            data=event.data,
        )
        for event in found
    ]
