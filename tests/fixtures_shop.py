"""Two shops for the whole run: one as it is, on SQLite; one on PostgreSQL in which every patch is awake and every order
goes on as a new run at every wait."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest

from activities.views.check import breaches
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


@pytest.fixture(scope="session")
def shops(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl
) -> Iterator[Callable[[str], Shop]]:
    """Opens a shop where the first test asks for it, and closes it at the end of the run."""
    with ExitStack() as opened:

        @cache
        def shop(name: str) -> Shop:
            renewed = name == RENEWED
            settings = {"ORDERS_CONTINUE_AT_EVERY_WAIT": "true", "ORDERS_PATCHES": "*"} if renewed else {}
            database = new_database("shop", "postgresql" if renewed else USUAL)
            return opened.enter_context(Shop(database, engine_server, sandbox, settings=settings))

        yield shop


@pytest.fixture(params=[AS_IT_IS, RENEWED])
def any_shop(request: pytest.FixtureRequest, shops: Callable[[str], Shop]) -> Shop:
    return shops(request.param)


@pytest.fixture
def shop(any_shop: Shop) -> Shop:
    """Everything moves by itself, quickly, unless the test says otherwise."""
    return _open_for_trade(any_shop)


@pytest.fixture
def plain_shop(shops: Callable[[str], Shop]) -> Shop:
    """For what does not depend on how often a run is renewed."""
    return _open_for_trade(shops(AS_IT_IS))


@pytest.fixture(scope="session")
def broken_before() -> set[str]:
    """What tests have broken so far: each is told once, of the test that did."""
    return set()


@pytest.fixture
def sound(request: pytest.FixtureRequest, broken_before: set[str]) -> Iterator[None]:
    """Whatever happens in the test, it breaks nothing that must hold of the tables."""
    any_kind = "shop" if "shop" in request.fixturenames else "plain_shop"
    shop: Shop = request.getfixturevalue(any_kind)
    yield
    with shop.database.sessions() as tx:
        broken = {str(breach) for breach in breaches(tx)} - broken_before
    broken_before |= broken
    assert broken == set()


def _open_for_trade(shop: Shop) -> Shop:
    shop.sandbox.pace(PACE)
    shop.sandbox.webhooks_to(shop.settings.public_url)
    return shop
