"""Whether this process lives, whether it can work, and how much it does."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from starter.http.dependencies import Dependencies, Here, dependencies

Answer = Literal["ok", "away"]
PATIENCE_SECONDS = 2
"""Who asks (a load balancer, say) gives up after some seconds, and then does not know which part it was."""

router = APIRouter(tags=["Health"])


class Readiness(BaseModel):
    """Whether orders are taken. `engine` away: they are, and started when it is back. `stopping`: not any more."""

    database: Answer
    engine: Answer
    stopping: bool


@router.get("/healthz", summary="Liveness", response_class=PlainTextResponse)
async def healthz() -> str:
    """Asks nobody and waits for no thread: a database that is slow is no reason to restart this process."""
    return "ok"


@router.get(
    "/readyz", summary="Readiness", responses={503: {"model": Readiness, "description": "No orders can be taken"}}
)
async def readyz(request: Request, here: Here) -> Readiness:
    database, engine = await asyncio.gather(database_answers(request), engine_answers(request))
    found = Readiness(database="ok" if database else "away", engine="ok" if engine else "away", stopping=here.stopping)
    if database and not found.stopping:
        return found
    return JSONResponse(found.model_dump(), 503)  # type: ignore[return-value]


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    numbers = request.app.state.numbers
    numbers.engine_up.set(await engine_answers(request))
    text, media_type = await run_in_threadpool(numbers.text)
    return Response(text, media_type=media_type)


async def database_answers(request: Request) -> bool:
    here = dependencies(request)
    return await answers(request, "database", lambda: asyncio.to_thread(look_at, here))


async def engine_answers(request: Request) -> bool:
    return await answers(request, "engine", dependencies(request).workflows.reachable)


async def answers(request: Request, part: str, look: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
    """Within `PATIENCE_SECONDS`. However many ask, one look at a part at a time is under way: the database's takes a
    thread and a connection for as long as it hangs."""
    state = request.app.state
    under_way: asyncio.Task[bool] | None = getattr(state, f"look_at_{part}", None)
    if under_way is None or under_way.done():
        under_way = asyncio.create_task(look())
        setattr(state, f"look_at_{part}", under_way)
    await asyncio.wait([under_way], timeout=PATIENCE_SECONDS)
    return under_way.done() and under_way.result()


def look_at(here: Dependencies) -> bool:
    try:
        with here.reading() as tx:
            tx.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
