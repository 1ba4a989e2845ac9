"""Money that is asked back: written as asked at once, and carried out by the order's own loop."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from activities.facts import refund_requests, requests
from activities.facts.refund_requests import Wanted
from activities.intake.fields import CAUSE, KEY, Currency
from activities.models import WantedLine
from starter.api.cancellations import MOST_LINES, Key
from starter.api.changes import Body, Note, changed
from starter.http.dependencies import Guarded, Here, Operator
from starter.http.problems import Refusal, wrong
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
    cause: Annotated[str, StringConstraints(pattern=CAUSE)] | None = Field(
        None, examples=["damaged"], description="Why, by a code of your own"
    )
    why: Note = ""
    refund_request_id: Key | None = Field(None, description="The same again is the same request")

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
    idempotency_key: Annotated[str | None, Header(pattern=KEY)] = None,
) -> OrderAnswer:
    """Asks for money to be given back, before or after delivery: one refund per charge, the newest first, and one
    message. Tax and discount of a unit go back with it. Refundable is what was captured, less what was refunded or is
    on its way; what became of each refund stands in `payment.refunds`."""
    request_id = asked.refund_request_id or idempotency_key
    if asked.refund_request_id and idempotency_key not in (None, asked.refund_request_id):
        raise wrong([("refund_request_id", "is not the Idempotency-Key: give one of them")])
    lines = None if asked.lines is None else [WantedLine(**line.model_dump()) for line in asked.lines]

    def work(tx: Session) -> OrderAnswer:
        order = to_change(tx, order_id, if_match, who)
        try:
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
        except refund_requests.NothingLeft as nothing:
            raise Refusal(409, str(nothing)) from None
        except refund_requests.WrongFields as unfit:
            raise wrong(unfit.errors) from None
        except requests.OtherContent:
            detail = "refund_request_id was used before, for something else"
            raise Refusal(409, detail, [("refund_request_id", "was used for another request")]) from None
        response.status_code = 202 if found.new else 200
        return shown(tx, order_id, who)

    return changed(here, response, work)
