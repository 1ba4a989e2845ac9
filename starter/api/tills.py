"""Tills: where they stand, and what they have sold while nobody could be told."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from activities.facts import catalogue
from activities.intake.fields import Id
from activities.views.base import View
from infra.database.tables import Location, Till
from starter import till_files
from starter.api.catalogue import Key
from starter.http.dependencies import Dependencies, Guarded, Here, Stocker, TillKey, acting_at, selling_at
from starter.http.problems import FieldError, Refusal, wrong
from starter.http.responses import problems
from starter.keys import Caller
from starter.transactions import written

MOST_SALES = 1000
NDJSON = "application/x-ndjson"


class TillBody(BaseModel):
    """A till is at one location at a time; what it sells leaves that one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: Id


class TillAnswer(TillBody):
    till: str


class SaleTaken(View):
    """What became of the n-th sale: `taken`, `known` already, or `refused` with its wrong fields."""

    n: int
    order_id: str | None
    result: till_files.Result
    errors: list[FieldError]


class FileAnswer(View):
    till: str
    taken: int
    known: int
    refused: int
    sales: list[SaleTaken]


FILE = {
    "requestBody": {
        "required": True,
        "description": f"At most {MOST_SALES} sales; or, as `{NDJSON}`, one a line",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["sales"],
                    "additionalProperties": False,
                    "properties": {"sales": {"type": "array", "maxItems": MOST_SALES, "items": {"type": "object"}}},
                }
            }
        },
    }
}

router = APIRouter(tags=["Tills"], route_class=Guarded)


@router.put(
    "/v1/tills/{till}",
    summary="Put a till",
    responses=problems(400, 413) | {201: {"model": TillAnswer, "description": "New"}},
)
def put_till(till: Key, body: TillBody, here: Here, who: Stocker, response: Response) -> TillAnswer:
    """Names the location where it stands. Bind its key to it: `orders keys create --till`."""
    acting_at(who, body.location)

    def work(tx: Session) -> bool:
        if tx.get(Location, body.location) is None:
            raise wrong([("location", "is not known")])
        if known := tx.get(Till, till, with_for_update=True):
            acting_at(who, known.location_id, "till")
        return catalogue.till_put(tx, till, body.location)

    new = written(here.sessions, work)
    response.status_code = 201 if new else 200
    return TillAnswer(till=till, location=body.location)


@router.post(
    "/v1/tills/{till}/sales",
    summary="Take a file of a till's sales",
    responses=problems(400, 404, 413),
    openapi_extra=FILE,
)
async def take_sales(till: Key, request: Request, here: Here, who: TillKey) -> FileAnswer:
    """Sales that were made while the till was offline, as `POST /v1/orders` takes them; channel and till may be left
    out. Each is taken by itself and once, however often the file is sent, and wherever it was cut: what is refused is
    told, and keeps no other from being taken."""
    body = await request.body()
    ndjson = request.headers.get("content-type", "").split(";")[0].strip() == NDJSON
    sales = list(till_files.lines_of(body)) if ndjson else listed(body)
    if len(sales) > MOST_SALES:
        raise wrong([("sales", f"has too many entries: at most {MOST_SALES}")])
    await run_in_threadpool(allowed, here, till, who)
    outcomes = await run_in_threadpool(till_files.taken, here, till, sales, who)
    here.relay.wake()
    count = till_files.counted(outcomes)
    return FileAnswer(
        till=till,
        taken=count["taken"],
        known=count["known"],
        refused=count["refused"],
        sales=[SaleTaken(**each._asdict()) for each in outcomes],
    )


def listed(body: bytes) -> list[Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, "the body is not the JSON object that is expected here")
    if found.keys() - {"sales"}:
        raise wrong([("body", "has fields that are not known here, beside sales")])
    if not isinstance(found.get("sales"), list):
        raise wrong([("sales", "must be a list" if "sales" in found else "is missing")])
    return list(found["sales"])


def allowed(here: Dependencies, till: str, who: Caller) -> None:
    with here.reading() as tx:
        known = tx.get(Till, till)
    if known is None:
        raise Refusal(404, f"till {till} is not known")
    selling_at(who, till, known.location_id)
