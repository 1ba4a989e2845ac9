"""The app: its routes, what surrounds them, and what it says about itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine
from temporalio.client import Client

from infra.database.counting import count
from infra.database.engine import sessions
from infra.settings import Settings
from starter.api import catalogue, changes, docs, health, orders, stock
from starter.engine import Workflows
from starter.http.dependencies import Dependencies
from starter.http.metrics import Metrics
from starter.http.middleware import Middleware
from starter.http.problems import Problem, install
from starter.kinds import KINDS, Kind
from starter.relay import RelayWorker
from starter.webhooks import shippo_news, stripe_events, twilio_statuses, warehouse

VERSION = "0.1.0"
DESCRIPTION = """Orders, from placed to delivered. Money is an integer of minor units with its ISO 4217 code.
Instants are UTC. Refusals are `application/problem+json` (RFC 9457) and name each wrong field."""


def build(settings: Settings, engine: Engine, client: Client, kinds: Mapping[str, Kind] = KINDS) -> FastAPI:
    """The app, whose relay runs as long as its lifespan. `client` may be one that connects at its first call."""
    writing = sessions(engine)
    workflows = Workflows(client)
    relay = RelayWorker(writing, workflows, kinds)
    parts = Dependencies(settings, writing, sessions(engine, read_only=True), workflows, relay)
    app = FastAPI(
        title="Orders",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=relaying(parts),
    )
    numbers = Metrics(parts)
    app.state.dependencies, app.state.numbers = parts, numbers
    count(engine, numbers.count_transaction)
    app.add_middleware(Middleware, numbers=numbers)
    install(app)
    webhooks = (stripe_events, shippo_news, twilio_statuses, warehouse)
    for room in (orders, changes, catalogue, stock, *webhooks, health, docs):
        app.include_router(room.router)
    docs.serve_assets(app)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    return app


def relaying(parts: Dependencies) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(parts.relay.run())
        yield
        parts.relay.stop()
        await worker

    return lifespan


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. Problems are ours, not FastAPI's own kind of 422."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        app.openapi_schema = document
    return app.openapi_schema
