"""Indexes of tables that are large and in use."""

from typing import Any

from alembic import op
from sqlalchemy import text

INVALID = text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def create_beside_work(name: str, table: str, columns: list[str], **options: Any) -> None:
    """For a migration that does nothing else. On PostgreSQL nobody's writing waits for it, so it is outside of any
    transaction: what was begun and not finished is built anew when the migration is repeated."""
    context = op.get_context()
    if context.dialect.name != "postgresql" or context.connection is None:
        op.create_index(name, table, columns, **options)
        return
    with context.autocommit_block():
        # it waits for transactions that were there before it, and holds up none meanwhile
        limit = context.connection.exec_driver_sql("SHOW lock_timeout").scalar()
        context.connection.exec_driver_sql("SET lock_timeout = 0")
        if context.connection.scalar(INVALID, {"name": name}):
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, if_not_exists=True, **options)
        context.connection.exec_driver_sql(f"SET lock_timeout = '{limit}'")
