"""Whether this process lives, whether it can work, and how much it does."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from starter.http.dependencies import Dependencies, Here, dependencies

Answer = Literal["ok", "away"]
PATIENCE_SECONDS = 2
"""Who asks (a load balancer, say) gives up after some seconds, and then does not know which part it was."""

router = APIRouter(tags=["Health"])


class Readiness(BaseModel):
    """`engine` away: orders are still accepted, and started when it is back."""

    database: Answer
    engine: Answer


@router.get("/healthz", summary="Liveness", response_class=PlainTextResponse)
async def healthz() -> str:
    """Asks nobody and waits for no thread: a database that is slow is no reason to restart this process."""
    return "ok"


@router.get("/readyz", summary="Readiness", responses={503: {"model": Readiness, "description": "A part is away"}})
async def readyz(request: Request, here: Here) -> Readiness:
    database, engine = await asyncio.gather(database_answers(request), here.workflows.reachable())
    found = Readiness(database="ok" if database else "away", engine="ok" if engine else "away")
    if database and engine:
        return found
    return JSONResponse(found.model_dump(), 503)  # type: ignore[return-value]


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    text, media_type = request.app.state.numbers.text()
    return Response(text, media_type=media_type)


async def database_answers(request: Request) -> bool:
    """Within `PATIENCE_SECONDS`. However many ask, one look at a time is under way: each takes a thread and a
    connection for as long as the database hangs."""
    state = request.app.state
    look: asyncio.Task[bool] | None = getattr(state, "look_at_database", None)
    if look is None or look.done():
        look = state.look_at_database = asyncio.create_task(asyncio.to_thread(look_at, dependencies(request)))
    await asyncio.wait([look], timeout=PATIENCE_SECONDS)
    return look.done() and look.result()


def look_at(here: Dependencies) -> bool:
    try:
        with here.reading() as tx:
            tx.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
