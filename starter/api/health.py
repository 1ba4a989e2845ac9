"""Whether this process lives, whether it can work, and how much it does."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from starter.api.parts import Here, Parts

Answer = Literal["ok", "away"]

router = APIRouter(tags=["Health"])


class Readiness(BaseModel):
    """`engine` away: orders are still accepted, and started when it is back."""

    database: Answer
    engine: Answer


@router.get("/healthz", summary="Liveness", response_class=PlainTextResponse)
def healthz() -> str:
    return "ok"


@router.get("/readyz", summary="Readiness", responses={503: {"model": Readiness, "description": "A part is away"}})
async def readyz(here: Here) -> Readiness:
    database = await run_in_threadpool(database_answers, here)
    engine = await here.orders.reachable()
    found = Readiness(database="ok" if database else "away", engine="ok" if engine else "away")
    if database and engine:
        return found
    return JSONResponse(found.model_dump(), 503)  # type: ignore[return-value]


@router.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    text, media_type = request.app.state.numbers.text()
    return Response(text, media_type=media_type)


def database_answers(here: Parts) -> bool:
    try:
        with here.reading() as tx:
            tx.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
