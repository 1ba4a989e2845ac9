"""Goods that come back over a counter: a return, an exchange, a sale that its till undoes."""

from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts import requests, returns
from activities.facts.requests import WrongFields
from activities.facts.returns import BroughtBack, Exchange, Wanted
from activities.intake.fields import Id, Instant
from activities.intake.order import AskedOrder
from activities.intake.sale import POS
from activities.views.base import View
from activities.views.returns import ReturnView, of_change
from infra.database.tables import Location, Order, OrderLine, Till
from infra.words import Condition, RefundWay, TenderKind
from starter.accepting import accepted
from starter.api.changes import Body, Note
from starter.api.requests import MOST_LINES, Cause, IdempotencyKey, RequestId, refusals, request_id_of
from starter.http.dependencies import Counter, Dependencies, Guarded, Here, location_for
from starter.http.problems import Refusal, wrong
from starter.http.responses import OrderId, problems, to_change
from starter.keys import Caller
from starter.transactions import written

router = APIRouter(tags=["Tills"], route_class=Guarded)


class ReturnedLine(Body):
    line: Annotated[int, Field(ge=1, le=MOST_LINES)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    condition: Annotated[Condition, Field(description="What is damaged is on the shelf, and not for sale")] = (
        Condition.SELLABLE
    )


class ReturnAsked(Body):
    """What came back, where, and how the money is given. `sale`: what is taken instead, one of whose tenders is
    `external` of the kind `exchange`, with the return's id as its reference; only the difference is paid."""

    return_id: RequestId | None = Field(None, description="The till's own: the same again is the same return")
    received_at: Instant
    till: Id | None = Field(None, description="Left out: the one that the API key is bound to")
    location: Id | None = Field(None, description="Left out: where the till is, or what the API key is bound to")
    shift: Id | None = None
    lines: Annotated[list[ReturnedLine], Field(max_length=MOST_LINES)] = []
    void: bool = Field(False, description="All of a sale, undone by the till that made it, on its day; without `lines`")
    refund: Annotated[RefundWay, Field(description="Cash is given back only for what was paid in cash")] = (
        RefundWay.ORIGINAL
    )
    sale: AskedOrder | None = None
    cause: Cause | None = Field(None, examples=["too_small"], description="Why, by a code of your own")
    why: Note = ""

    @model_validator(mode="after")
    def whole(self) -> Self:
        if self.void == bool(self.lines):
            why = "are not for a void, which is of all of a sale" if self.void else "are missing"
            raise PydanticCustomError("lines", "{why}", {"field": "lines", "why": why})
        if self.void and self.sale:
            raise PydanticCustomError("sale", "is not for a void: bring the goods back", {"field": "sale"})
        if self.sale and self.sale.channel != POS:
            raise PydanticCustomError("channel", "must be pos: it is sold at the counter", {"field": "sale.channel"})
        return self


class ReturnAnswer(View):
    """The return as it was taken. `refunded` by how it goes back."""

    order_id: str
    returned: ReturnView


@router.post(
    "/v1/orders/{order_id}/returns",
    status_code=201,
    summary="Take goods back over the counter",
    responses={
        200: {"model": ReturnAnswer, "description": "Known already: the same return"},
        **problems(400, 404, 409, 413),
    },
)
def take_back(
    order_id: OrderId,
    asked: ReturnAsked,
    here: Here,
    who: Counter,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ReturnAnswer:
    """Of any order whose goods are with the customer, at any location: stock rises there, the money goes back to what
    paid for them. What was paid in cash is given back by whoever tells this."""
    return_id = request_id_of(asked.return_id, idempotency_key, "return_id")
    if return_id is None:
        raise wrong([("return_id", "is missing: the till gives it")])

    def work(tx: Session) -> ReturnAnswer:
        order = to_change(tx, order_id, None, who)
        back = wanted(tx, asked, who)
        with refusals("return_id"):
            known = requests.asked_before(tx, order_id, return_id, back.digest)
            response.status_code = 200 if known else 201
            if known is None:
                exchange = sold_instead(tx, here, order, asked.sale, return_id, who) if asked.sale else None
                made = returns.received(
                    tx,
                    order,
                    back,
                    by=who.name,
                    return_id=return_id,
                    why=asked.why,
                    cause=asked.cause,
                    exchange=exchange,
                )
                return ReturnAnswer(order_id=order_id, returned=of_change(tx, made.change_id))
        return ReturnAnswer(order_id=order_id, returned=of_change(tx, known.change_id))

    answer = written(here.sessions, work)
    here.relay.wake()
    return answer


def wanted(tx: Session, asked: ReturnAsked, who: Caller) -> Wanted:
    """Where it came back: as it is told, or as the key is bound. 403 where the key is of another till or place."""
    till_id = asked.till or who.till
    till = tx.get(Till, till_id) if till_id else None
    if who.till not in (None, till_id):
        raise Refusal(403, f"this API key is for the till {who.till}", [("till", "is not that of this API key")])
    if till_id and till is None:
        raise wrong([("till", "is not known")])
    place = location_for(who, asked.location) or (till.location_id if till else None)
    if place is None or tx.get(Location, place) is None:
        raise wrong([("location", "is missing" if place is None else "is not known")])
    if till and till.location_id != place:
        raise wrong([("location", f"is not where this till is: {till.location_id}")])
    return Wanted(
        location=place,
        received_at=asked.received_at,
        till=till_id,
        shift=asked.shift,
        lines=[BroughtBack(line.line, line.quantity, line.condition) for line in asked.lines],
        refund=asked.refund,
        void=asked.void,
        exchange=f"{asked.sale.order_id} {asked.sale.content_hash()}" if asked.sale else None,
    )


def sold_instead(
    tx: Session, here: Dependencies, order: Order, sale: AskedOrder, return_id: str, who: Caller
) -> Exchange:
    """The sale that goods are exchanged for, in the same transaction. First the products of both, in one order."""
    paying = [tender.pays for tender in sale.tenders() if tender.kind == TenderKind.EXCHANGE]
    if sale.currency != order.currency:
        raise WrongFields([("sale.currency", f"is not that of the order: {order.currency}")])
    if len(paying) != 1:
        raise WrongFields([("sale.payments", "need one of the kind exchange: what the return pays")])
    ours = tx.scalars(select(OrderLine.sku).where(OrderLine.order_id == order.order_id)).all()
    named = facts.catalogue.skus_of(tx, {line.sku for line in sale.lines}).values()
    facts.inventory.lock(tx, {*ours, *named})
    try:
        placed = accepted(tx, here, sale, who, exchange_of=return_id)
    except Refusal as refusal:
        errors = [(f"sale.{field}", message) for field, message in refusal.errors]
        raise (wrong(errors) if refusal.status == 422 else Refusal(refusal.status, refusal.detail, errors)) from None
    if not placed.new:
        raise Refusal(409, "sale.order_id was used before", [("sale.order_id", "was used for another order")])
    return Exchange(tx.get_one(Order, placed.order_id), paying[0])
