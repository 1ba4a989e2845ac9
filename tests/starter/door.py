"""The API in this process: running on a database, with a client that may do all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import httpx
from fastapi import FastAPI
from temporalio.client import Client

from activities.intake.example import EXAMPLE
from infra.settings import Settings
from starter import keys
from starter.app import build
from tests.fixtures_database import Database

EAST_SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHdhcmVob3VzZSBlYXN0"
ADDRESS = {
    "name": "Dock",
    "street1": "1 Dock Rd",
    "street2": "",
    "city": "Oakland",
    "state": "CA",
    "zip": "94607",
    "country": "US",
}


@dataclass
class Api:
    """The running app, its client with a key that may do all, and ways to make others."""

    app: FastAPI
    client: httpx.AsyncClient
    database: Database

    def key(
        self,
        *scopes: keys.Scope,
        name: str = "",
        channel: str | None = None,
        location: str | None = None,
        till: str | None = None,
    ) -> dict[str, str]:
        with self.database.sessions.begin() as tx:
            name = name or f"{'+'.join(scopes)} {token_hex(4)}"
            made = keys.create(tx, name, scopes, channel, location, till)
        return {"Authorization": f"Bearer {made}"}

    async def place(self, **changes: Any) -> httpx.Response:
        return await self.client.post("/v1/orders", json=an_order(**changes))


@asynccontextmanager
async def running(settings: Settings, database: Database, engine: Client, name: str = "tests") -> AsyncIterator[Api]:
    with database.sessions.begin() as tx:
        key = keys.create(tx, name, ["admin"])
    app = build(settings, database.engine, engine)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers, timeout=30) as client,
    ):
        yield Api(app, client, database)


def an_order(**changes: Any) -> dict[str, Any]:
    """Two blue mugs to San Francisco, on a card; whatever is named in `changes` is as told there."""
    return deepcopy(EXAMPLE) | changes
