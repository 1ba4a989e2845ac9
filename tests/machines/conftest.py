"""A database for every example."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.database import engine
from tests.fixtures_database import Database


@pytest.fixture
def new_sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes a migrated one, in place of the last: with its engine, that has the statements compiled already."""
    file = tmp_path / "orders.db"
    opened = engine.create(f"sqlite:///{file}", durable=False)

    def make() -> Database:
        opened.dispose()
        shutil.copyfile(sqlite_template, file)
        return Database(str(opened.url), opened, engine.sessions(opened))

    yield make
    opened.dispose()
