"""A migrated database for each test. SQLite by default; `@pytest.mark.both_databases` asks for PostgreSQL besides.

ORDERS_TEST_DATABASE=postgresql runs all of them on PostgreSQL. TEST_DATABASE_URL names a server to use instead.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from infra.database import engine
from infra.database.upgrade import upgrade
from tests import postgres

USUAL = os.environ.get("ORDERS_TEST_DATABASE", "sqlite")


@dataclass(frozen=True)
class Database:
    """One test's own: `url` for processes, `engine` and `sessions` for code in this one."""

    url: str
    engine: Engine
    sessions: sessionmaker[Session]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_databases") is not None
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"] if both else [USUAL], scope="session")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The administrator's URL of a running PostgreSQL."""
    if outside := os.environ.get("TEST_DATABASE_URL"):
        yield outside
        return
    with postgres.server() as running:
        yield running.url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "orders.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def new_postgres(postgres_url: str) -> Iterator[Callable[..., str]]:
    """Makes a migrated database, or a copy of the one that is named, and gives its URL; none is left at the end."""
    made: list[str] = []
    address = make_url(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as administrator:

        def create(template: str) -> str:
            made.append(f"orders_test_{uuid4().hex[:12]}")
            administrator.execute(f'CREATE DATABASE "{made[-1]}" TEMPLATE {template}'.encode())
            return made[-1]

        def url(name: str) -> str:
            return address.set(database=name).render_as_string(hide_password=False)

        template = create("template0")
        _migrate(url(template))
        yield lambda of=template: url(create(of))
        for name in made if os.environ.get("TEST_DATABASE_URL") else ():  # our own server goes with all that it has
            administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Empty but for its tables."""
    if database_kind == "sqlite":
        file = tmp_path / "orders.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite:///{file}"
    else:
        url = request.getfixturevalue("new_postgres")()
    opened = engine.create(url, durable=False)
    yield Database(url, opened, engine.sessions(opened))
    opened.dispose()


def _migrate(url: str) -> None:
    opened = engine.create(url, durable=False)
    upgrade(opened)
    opened.dispose()
