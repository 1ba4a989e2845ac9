"""A stocked shop, and the API on it. Its engine is the run's own, or an address where nothing answers."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from activities.facts import catalogue
from infra.processes import free_ports
from infra.settings import Settings
from infra.telemetry import log_to_stderr
from infra.temporal import connect
from tests.fixtures_database import Database
from tests.sandbox import SECRETS
from tests.starter import stages
from tests.starter.door import ADDRESS, EAST_SECRET, Api, running
from tests.starter.senders import Senders


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
    return await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{free_ports(1)[0]}"}, lazy=True)


@pytest.fixture
def shop(database: Database) -> Database:
    """Two products, two locations of two warehouses, and five mugs in Oakland."""
    from activities.facts import inventory

    with database.sessions.begin() as tx:
        for sku in ("MUG-BLUE", "MUG-RED"):
            catalogue.product_put(tx, sku, name=sku.title(), weight_g=350, lead_time_days=14)
        for location, warehouse in (("OAK", "default"), ("NYC", "east")):
            catalogue.location_put(
                tx, location, name=location, kind="warehouse", priority=10, warehouse=warehouse, address=ADDRESS
            )
        inventory.received(tx, reference="opening", location_id="OAK", lines=[("MUG-BLUE", 5)])
    return database


@pytest.fixture
async def api(settings: Settings, shop: Database, engine_away: Client) -> AsyncIterator[Api]:
    """With the engine away: whatever is accepted here stands in the tables."""
    async with running(settings, shop, engine_away) as api:
        yield api


@pytest.fixture
async def senders(api: Api) -> Senders:
    await api.place()
    stages.read_by_the_order(api.database)
    return Senders(api.client)
