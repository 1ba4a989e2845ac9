"""Bring a database to the tables of this code, and refuse to run on one that does not fit.

Alembic is imported by who migrates: a process that finds its database as it should be starts without it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Engine, inspect, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from infra.database import rights
from infra.database.engine import create
from infra.database.waiting import GAVE_WAY, told_what_blocks
from infra.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x6F7264657273
"""Any number, the same in every process that migrates this database."""
VERSIONS = Path(__file__).parent / "migrations/versions"


class Patience(NamedTuple):
    """Of a migration with locks that the shop holds. While it waits for one, whoever comes after it waits behind it: so
    it gives way soon, lets them through, and tries again."""

    lock_seconds: float = 5
    pause_seconds: float = 5
    tries: int = 60


class Unusable(Exception):
    """There is no database to run on. One line, which says what to do."""


class NotCurrent(Unusable):
    """The database and the code do not belong together."""


class Blocked(Unusable):
    """Somebody holds for too long what the migration needs."""


def opened(url: str, pool_size: int) -> Engine:
    """For a process that runs on it: the database, in a state that this code can use. Raises `Unusable`."""
    try:
        engine = create(url, pool_size)
        try:
            require_usable(engine)
        except BaseException:
            engine.dispose()
            raise
    except FileNotFoundError:
        raise Unusable("there is no folder for the database: run `orders db upgrade`, or set ORDERS_HOME") from None
    except (OSError, ValueError, SQLAlchemyError) as trouble:
        why = type(getattr(trouble, "orig", None) or trouble).__name__
        raise Unusable(f"the database does not answer ({why}): check DATABASE_URL") from None
    return engine


def require_usable(engine: Engine) -> None:
    """Raises `Unusable` unless our user may read and write the tables, and they fit this code."""
    if lacking := rights.lacking(engine):
        raise Unusable(lacking)
    require_current(engine)


def migrate(settings: Settings, folder: Path = VERSIONS, say: Callable[[str], None] = lambda _: None) -> str:
    """Upgrades the database that settings name, as the user who may change tables; gives whom it runs as what it needs.
    Answers the revision that the database is at."""
    url, runtime = (
        settings.orders_migration_database_url.get_secret_value(),
        make_url(settings.database_url.get_secret_value()),
    )
    engine = create(url, pool_size=1)
    try:
        at = upgrade(engine, folder, say=say)
        if engine.dialect.name == "postgresql" and runtime.username not in (None, engine.url.username):
            with migrating(engine) as connection, connection.begin():
                rights.grant(connection, str(runtime.username))
    finally:
        engine.dispose()
    return at


def upgrade(
    engine: Engine,
    folder: Path = VERSIONS,
    *,
    patience: Patience = Patience(),  # noqa: B008
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Migrates to the newest version in `folder`, and answers at which the database is: a later one, where it was at
    that already. On PostgreSQL each migration is a transaction, on SQLite all of them are one. Of several processes
    that try, one does it, the others wait."""
    from alembic import command

    if is_later(revision_of(engine), versions(folder)):
        return require_current(engine, folder)
    with migrating(engine, patience) as connection, told_what_blocks(engine, connection, say) as blocking:
        for left in reversed(range(patience.tries)):
            try:
                command.upgrade(_config(connection, folder), "head")
                break
            except OperationalError as busy:
                if not isinstance(busy.orig, GAVE_WAY):
                    raise
                if not left:
                    raise Blocked(
                        f"the database was not upgraded, as it is in use: {blocking.last}; end that, then run "
                        "`orders db upgrade` again"
                    ) from None
            connection.rollback()
            time.sleep(patience.pause_seconds)
    return versions(folder)[-1]


def require_current(engine: Engine, folder: Path = VERSIONS) -> str:
    """The revision that the database is at: that of this code, or a later one that this code may run on. Raises
    `NotCurrent` on any other."""
    found, known = revision_of(engine), versions(folder)
    if found == known[-1]:
        return known[-1]
    if not is_later(found, known):
        raise NotCurrent("the database is older than this code: run `orders db upgrade`")
    oldest = runs_with(engine)
    if oldest is None or known[-1] < oldest:
        raise NotCurrent(
            f"the database is at {found}, and code older than {oldest or found} cannot run on it; this is {known[-1]}: "
            "install the version that upgraded it, or a later one"
        )
    return str(found)


def revision_of(engine: Engine) -> str | None:
    """The revision that the database is at; None: it has no tables."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.exec_driver_sql("SELECT max(version_num) FROM alembic_version").scalar()


def runs_with(engine: Engine) -> str | None:
    """The oldest revision whose code may run on the database, as its migrations told."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("migrations"):
            return None
        return connection.exec_driver_sql("SELECT max(runs_with) FROM migrations").scalar()


def is_later(found: str | None, known: list[str]) -> bool:
    return found is not None and found not in known and found > known[-1]


def versions(folder: Path = VERSIONS) -> list[str]:
    """Of the tables, oldest first: each migration's file is named by the one that it leads to."""
    return sorted(file.name.partition("_")[0] for file in folder.glob("*.py"))


def check(engine: Engine) -> list[str]:
    """What a migration would still have to change for the database to match the tables; empty when they match."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from infra.database.tables import metadata

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return [_say(difference) for difference in compare_metadata(context, metadata)]


@contextmanager
def migrating(engine: Engine, patience: Patience = Patience()) -> Iterator[Connection]:  # noqa: B008
    """A connection for what changes tables, which only one process at a time has. On SQLite it is in a transaction."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            try:
                connection.exec_driver_sql(f"SET lock_timeout = '{patience.lock_seconds * 1000:.0f}ms'")
                connection.exec_driver_sql("SET statement_timeout = 0")  # a large table takes its time
                # not waited for in a statement: an index that is built beside the shop's work waits for its end
                while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
                    connection.commit()
                    time.sleep(0.1)
                connection.commit()
                yield connection
            finally:
                connection.invalidate()  # closed for good, and its lock and its settings with it
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


def _config(connection: Connection, folder: Path) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "infra:database/migrations")
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _say(difference: Any) -> str:
    operation, *rest = difference if isinstance(difference, tuple) else difference[0]
    return f"{operation}: " + ", ".join(str(getattr(thing, "name", thing)) for thing in rest if thing is not None)
