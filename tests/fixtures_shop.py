"""Two shops for the whole run: one as it is, on SQLite; one on PostgreSQL in which every order goes on as a new run
at every wait."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from infra.database import engine
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_database import USUAL, Database
from tests.shop import PACE, Shop

AS_IT_IS, RENEWED = "as it is", "renewed at every wait, on PostgreSQL"
renewed_only = pytest.mark.parametrize("any_shop", [RENEWED], indirect=True)
"""For what is no scenario of the demo: in the harder of the two shops."""


class NewDatabase(Protocol):
    def __call__(self, name: str, kind: str = USUAL) -> Database: ...


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewDatabase]:
    """Makes a migrated database that lives as long as the test run."""
    made: list[Database] = []

    def make(name: str, kind: str = USUAL) -> Database:
        if kind == "sqlite":
            file = tmp_path_factory.mktemp(name) / "orders.db"
            shutil.copyfile(sqlite_template, file)
            url = f"sqlite:///{file}"
        else:
            url = request.getfixturevalue("new_postgres")()
        opened = engine.create(url, pool_size=40, durable=False)
        made.append(Database(url, opened, engine.sessions(opened)))
        return made[-1]

    yield make
    for database in made:
        database.engine.dispose()


@pytest.fixture(scope="session", params=[AS_IT_IS, RENEWED])
def any_shop(
    request: pytest.FixtureRequest, new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl
) -> Iterator[Shop]:
    renewed = request.param == RENEWED
    settings = {"ORDERS_CONTINUE_AT_EVERY_WAIT": "true"} if renewed else {}
    database = new_database("shop", "postgresql" if renewed else USUAL)
    with Shop(database, engine_server, sandbox, settings=settings) as shop:
        yield shop


@pytest.fixture(scope="session")
def one_shop(new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl) -> Iterator[Shop]:
    """For what does not depend on how often a run is renewed."""
    with Shop(new_database("one"), engine_server, sandbox) as shop:
        yield shop


@pytest.fixture
def shop(any_shop: Shop) -> Shop:
    """Everything moves by itself, quickly, unless the test says otherwise."""
    any_shop.sandbox.pace(PACE)
    any_shop.sandbox.webhooks_to(any_shop.settings.public_url)
    return any_shop


@pytest.fixture
def plain_shop(one_shop: Shop) -> Shop:
    one_shop.sandbox.pace(PACE)
    one_shop.sandbox.webhooks_to(one_shop.settings.public_url)
    return one_shop
