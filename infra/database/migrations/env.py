"""Alembic's entry: on the connection that `infra.database.upgrade` hands in; from the command line on DATABASE_URL."""

from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context, op
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext, MigrationInfo

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


# its columns as they are in every version: the class is that of today
MIGRATIONS = sa.table(
    "migrations", sa.column("revision"), sa.column("runs_with"), sa.column("recorded_at", UTCDateTime)
)


def remember(ctx: MigrationContext, step: MigrationInfo, heads: Any, run_args: Any) -> None:
    """In the migration's own transaction: processes of older code ask it whether they may go on."""
    made: Any = step.up_revision
    row = {"revision": made.revision, "runs_with": made.module.runs_with, "recorded_at": datetime.now(UTC)}
    op.get_bind().execute(MIGRATIONS.insert().values(row))


def migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        # on PostgreSQL: locks of one are given back before the next
        transaction_per_migration=True,
        on_version_apply=remember,
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
    address = Settings.from_environment().orders_migration_database_url
    with migrating(engine.create(address.get_secret_value())) as opened:
        migrate(opened)
