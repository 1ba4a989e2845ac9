"""Stock: what is where, and what has arrived."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from activities import facts
from activities.intake.fields import Reference
from activities.views.stock import StockAnswer, of_skus, seen_from
from starter.http.dependencies import Guarded, Here, Stocker, StockReader, acting_at
from starter.http.problems import Refusal, wrong
from starter.http.responses import problems
from starter.receiving import USED_BEFORE, Received, Unknown, receive
from starter.transactions import written

router = APIRouter(tags=["Stock"], route_class=Guarded)


class RestockAnswer(BaseModel):
    """`known`: this reference was taken before, and nothing has changed."""

    model_config = ConfigDict(frozen=True)

    reference: str
    result: Literal["new", "known"]


@router.get("/v1/stock", summary="Read stock", responses=problems(404))
def get_stock(
    here: Here,
    who: StockReader,
    sku: Annotated[list[Reference], Query(min_length=1, max_length=100, description="May be given several times")],
) -> StockAnswer:
    """Per SKU and location: on hand, reserved, blocked, available; and how many units placed orders wait for."""
    with here.reading() as tx:
        skus = facts.catalogue.skus_of(tx, sku)
        found = of_skus(tx, [skus[name] for name in sku if name in skus])
    if missing := sorted(set(sku) - skus.keys()):
        raise Refusal(404, f"SKU {', '.join(missing)} is not known")
    return StockAnswer(stock=[seen_from(one, who.location) for one in found] if who.location else found)


@router.post(
    "/v1/restocks",
    status_code=201,
    summary="Report goods that arrived",
    responses={200: {"model": RestockAnswer, "description": "Known already"}, **problems(400, 409, 413)},
)
def post_restock(delivery: Received, here: Here, who: Stocker, response: Response) -> RestockAnswer:
    """Units go to the oldest backorders first; what no one waits for becomes available. Once per `reference`."""
    acting_at(who, delivery.location)
    try:
        result = written(here.sessions, lambda tx: receive(tx, delivery))
    except Unknown as unknown:
        raise wrong(unknown.errors) from None
    if result == "conflict":
        raise Refusal(409, USED_BEFORE)
    here.relay.wake()
    response.status_code = 201 if result == "new" else 200
    return RestockAnswer(reference=delivery.reference, result=result)
