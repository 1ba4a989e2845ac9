"""What customers and operators want changed: stored as asked, then the order is nudged and decides."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts import addresses
from activities.facts.authorizations import REFUSED_FOR_GOOD
from activities.facts.holds import MENDED_BY_METHOD, OF_AUTHORIZATION
from activities.intake.fields import (
    DESTINATION,
    FULFILLMENT,
    INTENT,
    LINES,
    METHOD,
    PRINTABLE,
    SERVICE,
    one_line,
    unmarked,
)
from activities.intake.people import Address
from activities.models import CALLED_OFF, CLOSED, PaymentStatus
from infra.clock import wall_clock
from infra.database.tables import Hold, Order, Payment
from infra.words import AuthorizationStatus, ContactKind
from starter.http.dependencies import Dependencies, Guarded, Here, Writer
from starter.http.problems import Refusal, wrong
from starter.http.responses import IfMatch, OrderAnswer, OrderId, problems, shown, tagged, to_change
from starter.transactions import written

Note = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500, pattern=LINES), BeforeValidator(unmarked)
]
OneOfIts = Annotated[
    str | None,
    Query(
        pattern=FULFILLMENT,
        description="The fulfillment whose address is meant, where lines have addresses of their own",
    ),
]
Who = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=PRINTABLE), BeforeValidator(one_line)]

router = APIRouter(tags=["Changes"], route_class=Guarded)


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodGiven(Body):
    """A payment method, or a payment intent that was authorized on the shop's own page for what is still to be paid."""

    payment_method: Annotated[str, StringConstraints(pattern=METHOD)] | None = Field(
        default=None, examples=["pm_card_visa"]
    )
    payment_intent: Annotated[str, StringConstraints(pattern=INTENT)] | None = Field(default=None, examples=[None])

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        if (self.payment_method is None) == (self.payment_intent is None):
            raise PydanticCustomError(
                "payment_method", "or payment_intent is needed, one of them", {"field": "payment_method"}
            )
        return self


class ServiceGiven(Body):
    service: Annotated[str, StringConstraints(pattern=SERVICE)] = Field(examples=["fastest"])


@router.post("/v1/orders/{order_id}/payment-method", status_code=202, responses=problems(400, 404, 409, 412, 413))
def give_payment_method(
    order_id: OrderId, given: MethodGiven, here: Here, who: Writer, response: Response, if_match: IfMatch = None
) -> OrderAnswer:
    """Another card, or a payment intent, while the payment waits for one or cannot be renewed."""

    def work(tx: Session) -> OrderAnswer:
        order = to_change(tx, order_id, if_match, who)
        last = tx.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.n.desc())).first()
        same = last and (
            last.given == given.payment_intent if given.payment_intent else last.method == given.payment_method
        )
        if last and same and last.status == AuthorizationStatus.ASKED and last.n > 1:
            return shown(tx, order_id, who)
        refused = held_for_method(tx, order)  # as it was given: Stripe knows no such method
        if not waits_for_method(tx, order):
            raise Refusal(409, f"the payment waits for no other method: it is {order.payment_status}")
        if last and last.status == AuthorizationStatus.ASKED and not refused:
            raise Refusal(409, "another payment method is just being asked for the money: wait for its answer")
        if doubt := method_doubt(tx, order_id, given):
            raise wrong([doubt])
        method, intent = given.payment_method, given.payment_intent
        facts.placing.payment_method_given(tx, order_id, method, wall_clock(), intent=intent)
        return shown(tx, order_id, who)

    return changed(here, response, work)


@router.post("/v1/orders/{order_id}/shipping-address", status_code=202, responses=problems(400, 404, 409, 412, 413))
def give_address(
    order_id: OrderId,
    address: Address,
    here: Here,
    who: Writer,
    response: Response,
    destination: Annotated[
        str | None, Query(pattern=DESTINATION, description="Which of its destinations; left out: where the order goes")
    ] = None,
    fulfillment: OneOfIts = None,
    if_match: IfMatch = None,
) -> OrderAnswer:
    """Corrects one of the order's addresses, while no warehouse has been asked for it or a hold waits for a better one.
    What was held for the old address goes on; what goes to other destinations is not touched, also where their
    addresses are the same by then."""

    def work(tx: Session) -> OrderAnswer:
        order = to_change(tx, order_id, if_match, who)
        if destination and fulfillment:
            raise wrong([("destination", "is not needed where the fulfillment is named: give one of them")])
        place = addresses.place_meant(tx, order_id, fulfillment, destination)
        if place is not None and place.kind == ContactKind.PICKUP:
            raise Refusal(409, "what is picked up goes to no address")
        if place is None:
            raise wrong([("destination" if destination else "fulfillment", "is not one of this order")])
        unnamed = not (destination or fulfillment)
        if unnamed and (held := addresses.lines_address_held(tx, order_id)):
            raise Refusal(409, f"the order goes to several addresses, and {held} is held: name the destination meant")
        if why := addresses.fixed_because(tx, order, place):
            raise Refusal(409, f"the address can't be changed any more: {why}")
        if addresses.needs_customs(tx, address.country):
            raise wrong([("country", addresses.CUSTOMS)])
        addresses.address_given(tx, order, place, address, wall_clock(), by=who.name)
        return shown(tx, order_id, who)

    return changed(here, response, work)


@router.post("/v1/orders/{order_id}/shipping-service", status_code=202, responses=problems(400, 404, 409, 412, 413))
def give_service(
    order_id: OrderId, given: ServiceGiven, here: Here, who: Writer, response: Response, if_match: IfMatch = None
) -> OrderAnswer:
    """Another service, for every label that is not bought yet. What was held for the old one goes on."""

    def work(tx: Session) -> OrderAnswer:
        order = to_change(tx, order_id, if_match, who)
        if order.service == given.service:
            return shown(tx, order_id, who)
        if why := addresses.service_fixed_because(tx, order):
            raise Refusal(409, f"the service can't be changed any more: {why}")
        addresses.service_given(tx, order, given.service, wall_clock(), by=who.name)
        return shown(tx, order_id, who)

    return changed(here, response, work)


def changed(here: Dependencies, response: Response, work: Any) -> OrderAnswer:
    order: OrderAnswer = written(here.sessions, work)
    here.relay.wake()
    return tagged(response, order)


def waits_for_method(tx: Session, order: Order) -> bool:
    """Declined, to be confirmed, or ended before it was good; or held for it, be it by what a cancellation could not
    stop."""
    if order.status in CLOSED:
        return False
    if held_for_method(tx, order) or renewal_refused(tx, order):
        return True
    unpaid = (PaymentStatus.DECLINED, PaymentStatus.ACTION_REQUIRED, PaymentStatus.VOIDED)
    return order.payment_status in unpaid and order.cancellation not in CALLED_OFF


def method_doubt(tx: Session, order_id: str, given: MethodGiven) -> tuple[str, str] | None:
    if given.payment_intent:
        known = select(Payment.payment_id).where(Payment.intent == given.payment_intent)
        return ("payment_intent", "pays an order already") if tx.scalars(known).first() else None
    mine = (Payment.order_id == order_id, Payment.method == given.payment_method)
    refused = select(Payment.payment_id).where(*mine, Payment.decline_code.in_(REFUSED_FOR_GOOD))
    return ("payment_method", "is refused by its bank for good: give another") if tx.scalars(refused).first() else None


def renewal_refused(tx: Session, order: Order) -> bool:
    """Another authorization was declined, while an earlier one is still good; or this one cannot be renewed."""
    mine = select(Payment).where(Payment.order_id == order.order_id).order_by(Payment.n.desc()).limit(1)
    newest = tx.scalars(mine).first()
    waits = newest is not None and (
        newest.status in (AuthorizationStatus.DECLINED, AuthorizationStatus.ACTION_REQUIRED)
        or (newest.status == AuthorizationStatus.AUTHORIZED and not newest.reusable)
    )
    return waits and order.payment_status in (PaymentStatus.AUTHORIZED, PaymentStatus.PARTIALLY_CAPTURED)


def held_for_method(tx: Session, order: Order) -> bool:
    asks = Hold.kind.in_((*OF_AUTHORIZATION, *MENDED_BY_METHOD))
    waiting = select(Hold.hold_id).where(Hold.order_id == order.order_id, asks, Hold.closed_at.is_(None))
    return tx.scalars(waiting).first() is not None
