"""The composition root of the API: its routes, what surrounds them, who may tell it what, and what it says about
itself. It verifies what providers tell, and asks none of them anything."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.client import Client

from activities.news import Sender
from activities.providers.shippo.events import ShippoEvents
from activities.providers.stripe.events import StripeEvents
from activities.providers.twilio.events import TwilioEvents
from activities.providers.warehouse.events import WarehouseEvents
from infra.database.counting import count
from infra.database.engine import sessions
from infra.settings import Settings
from starter import looking, sweeping
from starter.api import (
    cancellations,
    catalogue,
    changes,
    counts,
    docs,
    fulfillments,
    health,
    holds,
    news,
    orders,
    pickups,
    refunds,
    reservations,
    returns,
    stock,
    tills,
)
from starter.engine import Workflows
from starter.http.dependencies import Dependencies
from starter.http.metrics import Metrics
from starter.http.middleware import Middleware
from starter.http.problems import Problem, install
from starter.kinds import KINDS, Kind
from starter.relay import RelayWorker
from starter.track import routes as tracking
from starter.webhooks import revisiting, routes

VERSION = "0.1.0"
DESCRIPTION = """Orders, from placed to delivered. Money is an integer of minor units with its ISO 4217 code.
Instants are UTC. Refusals are `application/problem+json` (RFC 9457) and name each wrong field."""
TAGS = (
    "Orders",
    "Reservations",
    "Changes",
    "Pickups",
    "Fulfillments",
    "Holds",
    "Catalogue",
    "Stock",
    "Counts",
    "Tills",
    "News",
    "Health",
    "Webhooks",
)
"""As the documentation lists them."""
ROOMS = (
    orders,
    reservations,
    cancellations,
    refunds,
    changes,
    pickups,
    fulfillments,
    holds,
    catalogue,
    stock,
    counts,
    tills,
    returns,
    news,
    health,
    docs,
)


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
    # two thirds of all requests are webhooks, and routes are tried in turn
    app.include_router(routes.router(senders(settings)))
    for room in ROOMS:
        app.include_router(room.router)
    app.include_router(tracking.router)
    docs.serve_assets(app)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    return app


def senders(settings: Settings) -> dict[str, Sender]:
    """By the last part of their route."""

    def plain(secrets: Sequence[SecretStr]) -> list[str]:
        return [secret.get_secret_value() for secret in secrets]

    return {
        "stripe": StripeEvents(plain(settings.stripe_webhook_secret), settings.orders_installation),
        "shippo": ShippoEvents(plain(settings.shippo_webhook_secret)),
        "twilio": TwilioEvents(plain(settings.twilio_auth_token), settings.public_url),
        "warehouse": WarehouseEvents({name: plain(one.secret) for name, one in settings.warehouses.items()}),
    }


def relaying(parts: Dependencies) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        looks = [("waiting news", revisiting.revisit), ("claims", sweeping.sweep)]
        runs = [parts.relay.run(), *(looking.run(what, look, parts, stopping) for what, look in looks)]
        workers = [asyncio.create_task(each) for each in runs]
        yield
        parts.relay.stop()
        stopping.set()
        await asyncio.gather(*workers, return_exceptions=True)

    return lifespan


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. Problems are ours, not FastAPI's own kind of 422."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=[{"name": tag} for tag in TAGS],
        )
        schemas = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        app.openapi_schema = document
    return app.openapi_schema
