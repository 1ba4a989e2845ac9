"""What the endpoints stand on, made once per process and found through the request; and who may ask them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session, sessionmaker

from infra.settings import Settings
from starter.engine import Workflows
from starter.http.problems import Refusal
from starter.keys import Caller, Scope, caller
from starter.relay import RelayWorker

THREADS_FOR_KEYS = 4
"""Of their own: who waits for a writer must not keep others from being told that their key is wrong."""


@dataclass
class Dependencies:
    """`reading` sessions never wait for a writer. `workflows` and `relay` live with the running app."""

    settings: Settings
    sessions: sessionmaker[Session]
    reading: sessionmaker[Session]
    workflows: Workflows
    relay: RelayWorker
    stopping: bool = False
    """Told to stop: what has begun is finished, and nothing new is wanted."""
    porters: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS_FOR_KEYS, "keys"))


def dependencies(request: Request) -> Dependencies:
    found: Dependencies = request.app.state.dependencies
    return found


async def found(request: Request) -> Dependencies:
    """Needs no thread, and so waits for none."""
    return dependencies(request)


Here = Annotated[Dependencies, Depends(found)]
bearer = HTTPBearer(auto_error=False, description="An API key, as `orders keys create` prints it.")


class Guarded(APIRoute):
    """A route that needs a key, which is looked at before anything of the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.caller = await known(request)
            return await handle(request)

        return guarded


async def known(request: Request) -> Caller:
    here, given = dependencies(request), await bearer(request)
    look = asyncio.get_running_loop().run_in_executor
    # with its context, by which statements are counted for the route
    who = await look(here.porters, copy_context().run, owner, here, given.credentials) if given else None
    if who is None:
        detail = "an API key is needed: Authorization: Bearer …" if given is None else "this API key is not known"
        raise Refusal(401, detail, headers={"WWW-Authenticate": "Bearer"})
    return who


def owner(here: Dependencies, key: str) -> Caller | None:
    with here.reading() as tx:
        return caller(tx, key)


def allowed(*scopes: Scope) -> Callable[[Request, HTTPAuthorizationCredentials | None], Awaitable[Caller]]:
    """A dependency: who calls, if their key has any of these scopes."""

    # `bearer` once more, for the document
    async def check(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> Caller:
        who: Caller = request.state.caller
        if not who.may(*scopes):
            raise Refusal(403, f"this API key lacks the scope {' or '.join(scopes)}")
        return who

    return check


def channel_for(who: Caller, asked: str | None) -> str | None:
    """The channel to look at: the key's own, if it is for one. 403 when another is asked for."""
    if asked is not None and not who.sees(asked):
        raise Refusal(
            403, f"this API key is for the channel {who.channel}", [("channel", "is not that of this API key")]
        )
    return who.channel or asked


def location_for(who: Caller, asked: str | None) -> str | None:
    """The place to look at: the key's own, if it is bound to one. 403 when another is asked for."""
    if asked is not None:
        acting_at(who, asked)
    return who.location or asked


def acting_at(who: Caller, location: str, field: str = "location") -> None:
    """403 where the key is bound to another place."""
    if not who.acts_at(location):
        raise Refusal(403, f"this API key is for the location {who.location}", [(field, "is not that of this API key")])


def selling_at(who: Caller, till: str, location: str, field: str = "till") -> None:
    """403 where the key is bound to another till, or to another place than the till's."""
    if not who.sells_at(till, location):
        bound = f"the till {who.till}" if who.till else f"the location {who.location}"
        raise Refusal(403, f"this API key is for {bound}", [(field, "is not that of this API key")])


Reader = Annotated[Caller, Depends(allowed("orders:read"))]
Writer = Annotated[Caller, Depends(allowed("orders:write"))]
Operator = Annotated[Caller, Depends(allowed("orders:operate"))]
Seller = Annotated[Caller, Depends(allowed("orders:write", "till"))]
Counter = Annotated[Caller, Depends(allowed("orders:operate", "till"))]
TillKey = Annotated[Caller, Depends(allowed("till"))]
Stocker = Annotated[Caller, Depends(allowed("stock:write"))]
Keeper = Annotated[Caller, Depends(allowed("store", "orders:operate"))]
"""Of a store, or for all of them."""
Storekeeper = Annotated[Caller, Depends(allowed("store"))]
StockCounter = Annotated[Caller, Depends(allowed("stock:count", "stock:write"))]
StockReader = Annotated[Caller, Depends(allowed("orders:read", "stock:write"))]
