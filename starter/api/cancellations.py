"""What customers and operators want cancelled: stored as asked, then the order is nudged and decides."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.orm import Session

from activities.facts import cancellation_requests
from activities.models import CancelReason, WantedLine
from starter.api.changes import Body, Note, changed
from starter.api.requests import MOST_LINES, Cause, IdempotencyKey, RequestId, refusals, request_id_of
from starter.http.dependencies import Guarded, Here, Writer
from starter.http.responses import IfMatch, OrderAnswer, OrderId, problems, shown, to_change

router = APIRouter(tags=["Changes"], route_class=Guarded)


class CancelledLine(Body):
    line: Annotated[int, Field(ge=1, le=MOST_LINES)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, description="All that is left of it, where left out")] | None = (
        None
    )


class CancellationAsked(Body):
    """All that has not left; or, with `lines`, so many units of each."""

    reason: CancelReason = CancelReason.CUSTOMER
    cause: Cause | None = Field(None, examples=["ordered_twice"], description="Why, by a code of your own")
    why: Note = ""
    lines: Annotated[list[CancelledLine], Field(min_length=1, max_length=MOST_LINES)] | None = Field(
        None, examples=[[{"line": 1, "quantity": 1}]]
    )
    cancellation_request_id: RequestId | None = Field(None, description="The same again is the same request")


@router.post(
    "/v1/orders/{order_id}/cancellation",
    status_code=202,
    responses={
        200: {"model": OrderAnswer, "description": "Known already: the same request"},
        **problems(400, 404, 409, 412, 413),
    },
)
def cancel(
    order_id: OrderId,
    asked: CancellationAsked,
    here: Here,
    who: Writer,
    response: Response,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> OrderAnswer:
    """Asks for the order, or for units of it, to be cancelled; a quantity is lowered in the same way. What waits or is
    in no warehouse goes first. What a race with the warehouse decides stands in `cancellation`, and of units in each
    line's `cancelled` and `cancelling`."""
    request_id = request_id_of(asked.cancellation_request_id, idempotency_key, "cancellation_request_id")
    lines = None if asked.lines is None else [WantedLine(**line.model_dump()) for line in asked.lines]

    def work(tx: Session) -> OrderAnswer:
        order = to_change(tx, order_id, if_match, who)
        with refusals("cancellation_request_id"):
            found = cancellation_requests.asked(
                tx,
                order,
                by=who.name,
                why=asked.why,
                reason=asked.reason,
                cause=asked.cause,
                lines=lines,
                request_id=request_id,
            )
        response.status_code = 200 if request_id and found.change and not found.new else 202
        return shown(tx, order_id, who)

    return changed(here, response, work)
