"""`orders db`: migrations, and whether the database matches the code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.failure import Failed

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from activities.views.check import Breach

app = typer.Typer(help="The database: migrate it, check it.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Migrate the database to the tables of this version."""
    from infra.database import upgrade as migrations

    with opened() as engine:
        migrations.upgrade(engine)
        print(f"{name(engine)} is up to date")


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each breach.")] = False,
) -> None:
    """Exit 1 unless the database matches this version, and money and stock in it hold together.

    Where the sandbox is the outside world, its books must agree. Nothing is changed; may run beside everything else.
    """
    from infra.database import upgrade as migrations

    with opened() as engine:
        migrations.require_current(engine)
        if differences := migrations.check(engine):
            raise Failed(f"{name(engine)} differs from the tables of this version: {'; '.join(differences)}")
        found = 0
        for breach in broken(engine):
            print(json.dumps(breach._asdict()) if as_json else breach)
            found += 1
        if found:
            raise Failed(
                f"{name(engine)} holds {found} breaches: look at what they name (docs/operating.md, Charged twice)"
            )
        if not as_json:
            print(f"{name(engine)} matches this version; money and stock hold together")


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
    """The database that settings name. What it refuses is said in one line."""
    from sqlalchemy.exc import SQLAlchemyError

    from infra.database import engine as connections
    from infra.database.upgrade import NotCurrent
    from infra.home import Home, HomeError
    from infra.settings import Settings, SettingsError

    try:
        settings = Settings.from_environment()
        Home(settings.orders_home).make()
        engine = connections.create(settings.database_url.get_secret_value(), pool_size=1)
        try:
            yield engine
        finally:
            engine.dispose()
    except (SettingsError, HomeError, NotCurrent) as trouble:
        raise Failed(str(trouble)) from None
    except (SQLAlchemyError, OSError) as trouble:
        why = type(getattr(trouble, "orig", None) or trouble).__name__
        raise Failed(f"the database does not answer ({why}): check DATABASE_URL") from None


def name(engine: "Engine") -> str:
    """Without secrets, which may stand after the `?` too; a file by its path."""
    url = engine.url
    return url.database or "" if url.get_backend_name() == "sqlite" else url.set(query={}).render_as_string()
