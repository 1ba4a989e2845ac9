"""Bring a database to the tables of this code, and refuse to run on one that is behind.

Alembic is imported by who migrates: a process that finds its database as it should be starts without it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from infra.database.engine import create

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x6F7264657273
"""Any number, the same in every process that migrates this database."""


class Unusable(Exception):
    """There is no database to run on. One line, which says what to do."""


class NotCurrent(Unusable):
    """The database and the code do not belong together."""


def opened(url: str, pool_size: int) -> Engine:
    """For a process that runs on it: the database, at the version of this code. Raises `Unusable`."""
    try:
        engine = create(url, pool_size)
        require_current(engine)
    except FileNotFoundError:
        raise Unusable("there is no folder for the database: run `orders db upgrade`, or set ORDERS_HOME") from None
    except (OSError, ValueError, SQLAlchemyError) as trouble:
        why = type(getattr(trouble, "orig", None) or trouble).__name__
        raise Unusable(f"the database does not answer ({why}): check DATABASE_URL") from None
    return engine


def upgrade(engine: Engine) -> None:
    """Migrates to the newest version, all or nothing; of several processes that try, one does it, the others wait."""
    from alembic import command

    with migrating(engine) as connection:
        command.upgrade(_config(connection), "head")


def require_current(engine: Engine) -> None:
    """Raises `NotCurrent` unless the database is at the version of this code."""
    with engine.connect() as connection:
        made = inspect(connection).has_table("alembic_version")
        found = set(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()) if made else set()
    known = versions()
    if found == {known[-1]}:
        return
    if found <= set(known):
        raise NotCurrent("the database is older than this code: run `orders db upgrade`")
    raise NotCurrent("the database is newer than this code: install the version that upgraded it, or a later one")


def versions() -> list[str]:
    """Of the tables, oldest first: each migration's file is named by the one that it leads to."""
    return sorted(file.name.partition("_")[0] for file in Path(__file__).parent.glob("migrations/versions/*.py"))


def check(engine: Engine) -> list[str]:
    """What a migration would still have to change for the database to match the tables; empty when they match."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from infra.database.tables import metadata

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return [_say(difference) for difference in compare_metadata(context, metadata)]


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """One transaction for all that changes tables, which only one process at a time may be in."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            with connection.begin():
                # a large table takes its time, and others wait for this one
                connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
                yield connection
            return
        # SQLite changes a table by copying and dropping it, which must not count as deleting what refers to it;
        # the switch does nothing inside a transaction, so it goes past SQLAlchemy, which would begin one
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise NotCurrent(f"the migration would leave rows of {broken[0][0]} without what they refer to")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "infra:database/migrations")
    config.attributes["connection"] = connection
    return config


def _say(difference: Any) -> str:
    operation, *rest = difference if isinstance(difference, tuple) else difference[0]
    return f"{operation}: " + ", ".join(str(getattr(thing, "name", thing)) for thing in rest if thing is not None)
