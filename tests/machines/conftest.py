"""A database for every example."""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from infra.database import engine
from tests.fixtures_database import Database


@pytest.fixture
def new_sqlite(sqlite_template: Path, tmp_path: Path) -> Callable[[], Database]:
    """Makes a migrated one; whoever asks disposes of its engine."""
    numbers = count()

    def make() -> Database:
        file = tmp_path / f"{next(numbers)}.db"
        shutil.copyfile(sqlite_template, file)
        opened = engine.create(f"sqlite:///{file}", durable=False)
        return Database(str(opened.url), opened, engine.sessions(opened))

    return make
