"""`orders db`: migrations, and whether the database matches the code."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.failure import Failed

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from activities.views.check import Breach
    from infra.settings import Settings

app = typer.Typer(help="The database: migrate it, check it.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Migrate the database to the tables of this version.

    As the user of ORDERS_MIGRATION_DATABASE_URL, where it is set; that of DATABASE_URL gets the rights it needs.
    """
    from sqlalchemy import make_url

    from infra.database.upgrade import migrate, versions

    with refused() as settings:
        at = migrate(settings, say=lambda what: typer.echo(what, err=True))
        where = name(make_url(settings.orders_migration_database_url.get_secret_value()))
        if at == versions()[-1]:
            print(f"{where} is up to date")
        else:
            print(f"{where} is at {at}, which is newer than this version; it may run on it")


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each breach.")] = False,
) -> None:
    """Exit 1 unless the database matches this version, and money and stock in it hold together.

    Where the sandbox is the outside world, its books must agree. Nothing is changed; may run beside everything else.
    """
    from infra.database import upgrade as migrations

    with opened() as engine:
        where, later = name(engine.url), migrations.revision_of(engine) != migrations.versions()[-1]
        if not later and (differences := migrations.check(engine)):
            raise Failed(f"{where} differs from the tables of this version: {'; '.join(differences)}")
        found = 0
        for breach in broken(engine):
            print(json.dumps(breach._asdict()) if as_json else breach)
            found += 1
        if found:
            raise Failed(f"{where} holds {found} breaches: look at what they name (docs/operating.md, Charged twice)")
        if not as_json:
            fits = "is of a newer version, which this one may run on" if later else "matches this version"
            print(f"{where} {fits}; money and stock hold together")


@app.command()
def trim(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Remove what has served its time, in short transactions beside everything else.

    Rows of the relay after 7 days, news after 90, reservations of checkouts after one, and the effects and events of
    orders that ended, and of which nothing was written for ORDERS_RETENTION. Orders, money and stock stay; a trimmed
    order is not entered again.
    """
    from collections import Counter

    from activities.facts import trimming
    from infra.clock import wall_clock
    from infra.database.engine import sessions
    from infra.settings import Settings

    removed: Counter[str] = Counter(dict.fromkeys(trimming.TABLES, 0))
    with opened() as engine:
        retention = Settings.from_environment().orders_retention
        for batch in trimming.trimmed(sessions(engine), wall_clock(), retention, dry_run=dry_run):
            removed.update(batch)
            if sys.stderr.isatty():
                typer.echo(f"\r{in_words(removed)} ", err=True, nl=False)
    if as_json:
        print(json.dumps({**removed, "dry_run": dry_run}))
    else:
        print(f"{'would go' if dry_run else 'gone'}: {in_words(removed)}")


def in_words(removed: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {'orders marked' if name == 'orders' else name}" for name, number in removed.items())


def broken(engine: "Engine") -> "Iterator[Breach]":
    import httpx
    from sqlalchemy import text

    from activities.views.check import breaches
    from infra.database import engine as connections
    from infra.settings import Settings
    from starter.cli import books

    read = connections.sessions(engine, read_only=True)
    with read() as tx, books.sandbox(Settings.from_environment()) as played:
        if engine.dialect.name == "postgresql":
            tx.execute(text("SET LOCAL statement_timeout = 0"))  # a sum over all orders takes its time
        yield from breaches(tx)
        try:
            yield from books.differences(tx, read, *played) if played else ()
        except httpx.HTTPError:
            typer.echo("the sandbox does not answer, so its books were not asked: `orders up` starts it", err=True)


@contextmanager
def opened() -> "Iterator[Engine]":
    """The database that settings name, in a state that this version can use. What it refuses is said in one line."""
    from infra.database import engine as connections
    from infra.database.upgrade import require_usable

    with refused() as settings:
        engine = connections.create(settings.database_url.get_secret_value(), pool_size=1)
        try:
            require_usable(engine)
            yield engine
        finally:
            engine.dispose()


@contextmanager
def refused() -> "Iterator[Settings]":
    """The settings, for what speaks to the database that they name."""
    from sqlalchemy.exc import SQLAlchemyError

    from infra.database.upgrade import Unusable
    from infra.home import Home, HomeError
    from infra.settings import Settings, SettingsError

    try:
        settings = Settings.from_environment()
        Home(settings.orders_home).make()
        yield settings
    except (SettingsError, HomeError, Unusable) as trouble:
        raise Failed(str(trouble)) from None
    except (SQLAlchemyError, OSError) as trouble:
        why = type(getattr(trouble, "orig", None) or trouble).__name__
        raise Failed(f"the database does not answer ({why}): check DATABASE_URL") from None


def name(url: "URL") -> str:
    """Without secrets, which may stand after the `?` too; a file by its path."""
    return url.database or "" if url.get_backend_name() == "sqlite" else url.set(query={}).render_as_string()
