"""Tills: where they stand, and what they sell."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from activities.facts import catalogue
from activities.intake.fields import Id
from infra.database.tables import Location, Till
from starter.api.catalogue import Key
from starter.http.dependencies import Guarded, Here, Stocker, acting_at
from starter.http.problems import wrong
from starter.http.responses import problems
from starter.transactions import written


class TillBody(BaseModel):
    """A till is at one location at a time; what it sells leaves that one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: Id


class TillAnswer(TillBody):
    till: str


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
