"""Joins the vendors to one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.sandbox import clock, control, index, mail, shippo, stripe, twilio, warehouse, webhooks
from infra.sandbox.guard import Guard
from infra.sandbox.world import PARTS, World

VENDORS: dict[str, ModuleType] = {
    "stripe": stripe,
    "shippo": shippo,
    "twilio": twilio,
    "mail": mail,
    "warehouse": warehouse,
}


def build(world: World) -> ASGIApp:
    """The whole sandbox as an ASGI application; its timers and webhooks run while it serves. It plays only the parts
    that it was told to: the others are real."""
    vendors = {name: VENDORS[name] for name in PARTS if name in world.parts}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        background = [asyncio.create_task(clock.keep_time(world)), asyncio.create_task(webhooks.deliver(world))]
        async with AsyncExitStack() as stack:
            for vendor in vendors.values():
                if hasattr(vendor, "running"):
                    await stack.enter_async_context(vendor.running(world))
            yield
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)

    async def front(request: Request) -> HTMLResponse:
        return HTMLResponse(index.page({name: vendor.TRIGGERS for name, vendor in vendors.items()}))

    # the mailbox shows text messages too, so it is ours whether or not mail is real
    own: list[Route] = [Route("/", front), *control.routes(world), *mail.routes(world)]
    theirs = [route for vendor in vendors.values() if vendor is not mail for route in vendor.routes(world)]
    return with_hang_up(Guard(Starlette(routes=[*own, *theirs], lifespan=lifespan), world.token, world.host))


def with_hang_up(app: ASGIApp) -> ASGIApp:
    """Gives endpoints `scope["hang_up"]`, which closes the connection under the answer (uvicorn's `send` knows it)."""

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            cycle: Any = getattr(send, "__self__", None)
            scope["hang_up"] = lambda: cycle.transport.abort()
        await app(scope, receive, send)

    return inner
