"""Migrations lead to the tables of the code, on both databases."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from infra.database import engine, tables
from infra.database.upgrade import NotCurrent, check, require_current, upgrade
from tests.fixtures_database import Database

pytestmark = pytest.mark.both_databases


def described(opened: Engine) -> dict[str, list[str]]:
    found = inspect(opened)
    ask: dict[str, Callable[[str], Any]] = {
        "columns": found.get_columns,
        "primary key": found.get_pk_constraint,
        "foreign keys": found.get_foreign_keys,
        "unique": found.get_unique_constraints,
        "checks": found.get_check_constraints,
        "indexes": found.get_indexes,
    }
    return {
        f"{table}: {what}": sorted(json.dumps(row, default=str) for row in _listed(question(table)))
        for table in found.get_table_names()
        if table != "alembic_version"
        for what, question in ask.items()
    }


def _listed(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else [answer]


def test_migrations_make_the_tables_that_the_code_declares(database: Database) -> None:
    assert check(database.engine) == []
    migrated = described(database.engine)
    with database.engine.begin() as connection:
        tables.metadata.drop_all(connection)
        tables.metadata.create_all(connection)
    assert migrated == described(database.engine)


def test_a_database_that_differs_is_told(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders DROP COLUMN tax"))
    assert check(database.engine) == ["add_column: orders, tax"]


def test_an_older_database_is_refused_and_the_cure_named(database: Database) -> None:
    require_current(database.engine)
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(NotCurrent, match="orders db upgrade"):
        require_current(database.engine)


def test_many_processes_may_upgrade_at_once(database: Database) -> None:
    with database.engine.begin() as connection:
        tables.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    engines = [engine.create(database.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upgrade, engines))
    for each in engines:
        require_current(each)
        each.dispose()


def test_foreign_keys_hold_again_after_an_upgrade(database: Database) -> None:
    upgrade(database.engine)
    with database.engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(
            text("INSERT INTO stock (sku, location_id, on_hand, reserved, blocked) VALUES ('NONE', 'NONE', 1, 0, 0)")
        )
