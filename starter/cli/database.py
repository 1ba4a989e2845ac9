"""`orders db`: migrations, and whether the database matches the code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from starter.cli.failure import Failed

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(help="The database: migrate it, check it.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Migrate the database to the tables of this version."""
    from infra.database import upgrade as migrations

    with opened() as engine:
        migrations.upgrade(engine)
        print(f"{name(engine)} is up to date")


@app.command()
def check() -> None:
    """Exit 1 unless the database matches this version."""
    from infra.database import upgrade as migrations

    with opened() as engine:
        migrations.require_current(engine)
        if differences := migrations.check(engine):
            raise Failed(f"{name(engine)} differs from the tables of this version: {'; '.join(differences)}")
        print(f"{name(engine)} matches this version")


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
