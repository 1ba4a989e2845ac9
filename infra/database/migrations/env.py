"""Alembic's entry: on the connection that `infra.database.upgrade` hands in; from the command line on DATABASE_URL."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from infra.database import engine
from infra.database.tables import metadata
from infra.database.types import UTCDateTime
from infra.database.upgrade import migrating
from infra.settings import Settings


def render(kind: str, item: Any, script: AutogenContext) -> str | Literal[False]:
    """Migrations speak plain SQLAlchemy: what our own types become tomorrow must not change what happened yesterday."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        script.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=render,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with migrating(engine.create(Settings.from_environment().database_url.get_secret_value())) as opened:
        migrate(opened)
