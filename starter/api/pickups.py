"""What is to be picked up, and waits: listed, extended once, told again, taken by somebody else."""

from collections import Counter
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import catalogue, hand_overs, waiting_pickups
from activities.facts.fulfillments import locked
from activities.facts.hand_overs import AtCounter, Paid
from activities.facts.requests import NothingLeft
from activities.intake.fields import FULFILLMENT, Id, Reference, Text, one_line
from activities.pickup_codes import PickupCodes
from activities.views.base import View
from infra.clock import wall_clock
from infra.database.tables import Fulfillment, Order
from infra.words import FulfillmentStatus
from starter.api.changes import Body, Note, Who, changed
from starter.api.requests import RequestId, refusals
from starter.http.dependencies import Guarded, Here, Keeper, Writer, acting_at, location_for
from starter.http.problems import Refusal, wrong
from starter.http.responses import IfMatch, OrderAnswer, OrderId, problems, seen, shown, tagged, to_change
from starter.keys import Caller
from starter.transactions import written

FulfillmentId = Annotated[str, Path(pattern=FULFILLMENT, examples=["W-1001-1"])]

router = APIRouter(tags=["Pickups"], route_class=Guarded)


class PersonGiven(Body):
    """Who comes for it instead of the customer."""

    name: Text


class Units(Body):
    sku: Reference
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class PaidThere(Body):
    """What is paid as it is handed over: the till's id for it, and how much."""

    reference: Reference
    amount: Annotated[int, Field(ge=0, le=10**12, strict=True)]


class HandedOver(Body):
    """With the code that the customer shows; without it, with a note of what staff have looked at."""

    code: Annotated[str, StringConstraints(max_length=20), BeforeValidator(one_line)] | None = None
    note: Note = ""
    by: Who | None = Field(None, description="Who of the staff, beside the key's name")
    units: Annotated[tuple[Units, ...], Field(max_length=2_000)] = Field((), description="None: all that is left")
    paid: PaidThere | None = None
    request_id: RequestId | None = Field(None, description="The same again is the same hand-over")


class PickupView(View):
    fulfillment_id: str
    order_id: str
    location: str
    ready_at: datetime
    pickup_until: datetime
    extended_at: datetime | None


class PickupPage(View):
    pickups: list[PickupView]
    more: bool


@router.get("/v1/pickups", summary="List what waits to be picked up", responses=problems())
def list_pickups(
    here: Here, who: Keeper, location: Id | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> PickupPage:
    """Ready, and not taken yet: what has waited longest first."""
    place = location_for(who, location)
    rows = select(Fulfillment).where(Fulfillment.status == FulfillmentStatus.READY_FOR_PICKUP)
    rows = rows.where(Fulfillment.location_id == place) if place else rows
    if who.channel:
        rows = rows.join(Order, Order.order_id == Fulfillment.order_id).where(Order.channel == who.channel)
    with here.reading() as tx:
        found = tx.scalars(rows.order_by(Fulfillment.ready_at, Fulfillment.fulfillment_id).limit(limit + 1)).all()
        views = [
            PickupView(
                fulfillment_id=f.fulfillment_id,
                order_id=f.order_id,
                location=f.location_id,
                ready_at=f.ready_at or f.requested_at,
                pickup_until=f.pickup_until or f.requested_at,
                extended_at=f.extended_at,
            )
            for f in found[:limit]
        ]
    return PickupPage(pickups=views, more=len(found) > limit)


@router.post("/v1/fulfillments/{fulfillment_id}/extension", status_code=202, responses=problems(404, 409))
def extend(fulfillment_id: FulfillmentId, here: Here, who: Keeper, response: Response) -> OrderAnswer:
    """It waits as long again, once."""
    window = here.settings.orders_pickup_window

    def work(tx: Session) -> OrderAnswer:
        order_id = of_caller(tx, fulfillment_id, who)
        try:
            waiting_pickups.extended(tx, fulfillment_id, window, wall_clock(), by=who.name)
        except NothingLeft as why:
            raise Refusal(409, f"{fulfillment_id}: {why}") from None
        return shown(tx, order_id, who)

    return changed(here, response, work)


@router.post("/v1/fulfillments/{fulfillment_id}/pick-up", responses=problems(400, 404, 409, 413))
def hand_over(
    fulfillment_id: FulfillmentId, asked: HandedOver, here: Here, who: Keeper, response: Response
) -> OrderAnswer:
    """The customer stands there and is given it, all or these units. A wrong code is refused, and counted: after five
    the customer is sent another."""
    by = f"{asked.by} ({who.name})"[:100] if asked.by else who.name
    paid = Paid(asked.paid.reference, asked.paid.amount) if asked.paid else None
    codes = PickupCodes(here.settings.orders_pickup_key)

    def work(tx: Session) -> OrderAnswer | None:
        order_id = of_caller(tx, fulfillment_id, who)
        names = catalogue.skus_of(tx, {each.sku for each in asked.units}) if asked.units else {}
        units: Counter[str] = Counter()
        for each in asked.units:
            units[names.get(each.sku, each.sku)] += each.quantity
        counter = AtCounter(by, asked.code, asked.note, units or None, asked.request_id, paid)
        with refusals("request_id"):
            done = hand_overs.handed_over(tx, fulfillment_id, counter, codes, wall_clock())
        return shown(tx, order_id, who) if done else None

    order: OrderAnswer | None = written(here.sessions, work)
    here.relay.wake()
    if order is None:
        raise wrong([("code", "is not the code of this pickup")])
    return tagged(response, order)


@router.post("/v1/fulfillments/{fulfillment_id}/notice", status_code=202, responses=problems(404, 409))
def send_again(fulfillment_id: FulfillmentId, here: Here, who: Keeper, response: Response) -> OrderAnswer:
    """The customer is told once more where it is, until when, and with which code."""

    def work(tx: Session) -> OrderAnswer:
        order_id = of_caller(tx, fulfillment_id, who)
        try:
            waiting_pickups.sent_again(tx, fulfillment_id, wall_clock(), by=who.name)
        except NothingLeft as why:
            raise Refusal(409, f"{fulfillment_id}: {why}") from None
        return shown(tx, order_id, who)

    return changed(here, response, work)


@router.post("/v1/orders/{order_id}/pickup-person", status_code=202, responses=problems(400, 404, 409, 412, 413))
def give_person(
    order_id: OrderId, given: PersonGiven, here: Here, who: Writer, response: Response, if_match: IfMatch = None
) -> OrderAnswer:
    """Somebody else comes for it. The code of what is ready is another one from now on, and is sent to the customer."""

    def work(tx: Session) -> OrderAnswer:
        to_change(tx, order_id, if_match, who)
        try:
            waiting_pickups.person_given(tx, order_id, given.name, wall_clock(), by=who.name)
        except NothingLeft as why:
            raise Refusal(409, f"{order_id}: {why}") from None
        return shown(tx, order_id, who)

    return changed(here, response, work)


def of_caller(tx: Session, fulfillment_id: str, who: Caller) -> str:
    """Its order, locked, where the key may act there. 404 when there is none that it may know of."""
    known = tx.get(Fulfillment, fulfillment_id)
    if known is None:
        raise Refusal(404, f"fulfillment {fulfillment_id} is not known")
    seen(tx, known.order_id, who)
    acting_at(who, known.location_id)
    return locked(tx, fulfillment_id)[0].order_id
