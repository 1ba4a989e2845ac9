"""The API in this process, on a real database. Its engine is the run's own, or an address where nothing answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from temporalio.client import Client

from activities.facts import catalogue
from activities.facts.record import wall_clock
from activities.intake import EXAMPLE
from infra.settings import Settings
from infra.telemetry import log_to_stderr
from infra.temporal import connect
from starter import keys
from starter.api.app import build
from tests.fixtures_database import Database
from tests.sandbox import SECRETS, free_port

EAST_SECRET = "whsec_ZWFzdC13YXJlaG91c2Utc2VjcmV0"
ADDRESS = {
    "name": "Dock",
    "street1": "1 Dock Rd",
    "street2": "",
    "city": "Oakland",
    "state": "CA",
    "zip": "94607",
    "country": "US",
}


@pytest.fixture(scope="session", autouse=True)
def logs() -> None:
    log_to_stderr("tests")


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings.from_environment(
        {
            **SECRETS,
            "WAREHOUSE_URL": "http://127.0.0.1:9/warehouse",
            "WAREHOUSES": f'{{"east": {{"url": "http://127.0.0.1:9/east", "secret": "{EAST_SECRET}"}}}}',
            "PUBLIC_URL": "https://orders.example.com",
        }
    )


@pytest.fixture
async def engine_away() -> Client:
    """A client of an engine that does not answer."""
    return await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}, lazy=True)


@pytest.fixture
def shop(database: Database) -> Database:
    """Two products, two locations of two warehouses, and five mugs in Oakland."""
    from activities.facts import stock

    with database.sessions.begin() as tx:
        for sku in ("MUG-BLUE", "MUG-RED"):
            catalogue.product_put(tx, sku, name=sku.title(), weight_g=350, lead_time_days=14)
        for location, warehouse in (("OAK", "default"), ("NYC", "east")):
            catalogue.location_put(
                tx, location, name=location, kind="warehouse", priority=10, warehouse=warehouse, address=ADDRESS
            )
        stock.received(tx, reference="opening", location_id="OAK", lines=[("MUG-BLUE", 5)])
    return database


@dataclass
class Api:
    """The running app, its client with a key that may do all, and ways to make others."""

    app: FastAPI
    client: httpx.AsyncClient
    database: Database

    def key(self, *scopes: keys.Scope, name: str = "") -> dict[str, str]:
        with self.database.sessions.begin() as tx:
            made = keys.create(tx, name or f"{'+'.join(scopes)} {wall_clock().timestamp()}", scopes)
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


@pytest.fixture
async def api(settings: Settings, shop: Database, engine_away: Client) -> AsyncIterator[Api]:
    """With the engine away: whatever is accepted here stands in the tables."""
    async with running(settings, shop, engine_away) as api:
        yield api


def an_order(**changes: Any) -> dict[str, Any]:
    """Two blue mugs to San Francisco, on a card; whatever is named in `changes` is as told there."""
    return deepcopy(EXAMPLE) | changes
