"""Stock: what is where, and what has arrived."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from activities import facts
from activities.intake.fields import Id, Reference
from activities.views.stock import Level, StockAnswer, StockMovePage, moves, of_skus, page, seen_from
from infra.database.tables import Location
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


@router.get("/v1/stock", summary="List stock", responses=problems(404))
def get_stock(
    here: Here,
    who: StockReader,
    sku: Annotated[
        list[Reference] | None,
        Query(min_length=1, max_length=100, description="These alone: may be given several times"),
    ] = None,
    location: Annotated[Id | None, Query(description="As it is seen from there")] = None,
    level: Annotated[Level | None, Query(description="Of what is available, there or anywhere")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of the page before")] = None,
) -> StockAnswer:
    """Per SKU and location: on hand, reserved, blocked, available; and how many units placed orders wait for. Each
    store's own availability stands with its location."""
    place = who.location or location
    with here.reading() as tx:
        if location:
            acting_at(who, location)
            if tx.get(Location, location) is None:
                raise wrong([("location", "is not known")])
        if sku is None:
            found, after = page(tx, location=place, level=level, cursor=cursor, limit=limit)
            return StockAnswer(stock=found, next=after)
        if others := [name for name, given in (("level", level), ("cursor", cursor)) if given is not None]:
            raise wrong([(name, "is for lists: leave it out, or sku") for name in others])
        skus = facts.catalogue.skus_of(tx, sku)
        found = of_skus(tx, [skus[name] for name in sku if name in skus])
    if missing := sorted(set(sku) - skus.keys()):
        raise Refusal(404, f"SKU {', '.join(missing)} is not known")
    return StockAnswer(stock=[seen_from(one, place) for one in found] if place else found, next=None)


@router.get("/v1/stock/{sku}/moves", summary="Why stock changed", responses=problems(404))
def get_moves(
    sku: Annotated[str, Path(max_length=255)],
    here: Here,
    who: StockReader,
    location: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, description="`next` of the page before")] = None,
) -> StockMovePage:
    """Each change of a figure, the newest first."""
    if location:
        acting_at(who, location)
    with here.reading() as tx:
        known = facts.catalogue.skus_of(tx, [sku]).get(sku)
        if known is None:
            raise Refusal(404, f"SKU {sku} is not known")
        return moves(tx, known, location=who.location or location, cursor=cursor, limit=limit)


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
