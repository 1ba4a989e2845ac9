"""Money that is asked back: written as asked at once, and carried out by the order's own loop."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from activities.facts import refund_requests
from activities.facts.refund_requests import Wanted
from activities.intake.fields import Currency
from activities.models import WantedLine
from starter.api.changes import Body, Note, changed
from starter.api.requests import MOST_LINES, Cause, IdempotencyKey, RequestId, refusals, request_id_of
from starter.http.dependencies import Guarded, Here, Operator
from starter.http.responses import IfMatch, OrderAnswer, OrderId, problems, shown, to_change

router = APIRouter(tags=["Changes"], route_class=Guarded)


class RefundedLine(Body):
    line: Annotated[int, Field(ge=1, le=MOST_LINES)]
    quantity: (
        Annotated[int, Field(ge=1, le=1_000_000, description="All that was paid for and not refunded, where left out")]
        | None
    ) = None


class RefundAsked(Body):
    """All that can be refunded; or one of `lines`, `amount` and `shipping`."""

    lines: Annotated[list[RefundedLine], Field(min_length=1, max_length=MOST_LINES)] | None = Field(
        None, examples=[[{"line": 1, "quantity": 1}]]
    )
    amount: Annotated[int, Field(ge=1, le=2**53, description="Minor units of the order's currency")] | None = None
    shipping: bool = False
    currency: Currency | None = None
    cause: Cause | None = Field(None, examples=["damaged"], description="Why, by a code of your own")
    why: Note = ""
    refund_request_id: RequestId | None = Field(None, description="The same again is the same request")

    @model_validator(mode="after")
    def one_way(self) -> Any:
        if sum((self.lines is not None, self.amount is not None, self.shipping)) > 1:
            raise PydanticCustomError("refund", "names more than one of lines, amount and shipping", {"field": "lines"})
        return self


@router.post(
    "/v1/orders/{order_id}/refunds",
    status_code=202,
    responses={
        200: {"model": OrderAnswer, "description": "Known already: the same request"},
        **problems(400, 404, 409, 412, 413),
    },
)
def refund(
    order_id: OrderId,
    asked: RefundAsked,
    here: Here,
    who: Operator,
    response: Response,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> OrderAnswer:
    """Asks for money to be given back, before or after delivery: one refund per charge, the newest first, and one
    message. Tax and discount of a unit go back with it. Refundable is what was captured, less what was refunded or is
    on its way; what became of each refund stands in `payment.refunds`."""
    request_id = request_id_of(asked.refund_request_id, idempotency_key, "refund_request_id")
    lines = None if asked.lines is None else [WantedLine(**line.model_dump()) for line in asked.lines]

    def work(tx: Session) -> OrderAnswer:
        order = to_change(tx, order_id, if_match, who)
        with refusals("refund_request_id"):
            found = refund_requests.asked(
                tx,
                order,
                Wanted(lines, asked.amount, asked.shipping),
                by=who.name,
                why=asked.why,
                cause=asked.cause,
                currency=asked.currency,
                request_id=request_id,
            )
        response.status_code = 202 if found.new else 200
        return shown(tx, order_id, who)

    return changed(here, response, work)
