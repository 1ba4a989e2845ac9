"""What a process may do with the tables, on PostgreSQL: it changes rows, and never tables."""

from sqlalchemy import Connection, Engine, text

from infra.database.tables import metadata

ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
READ_ONLY = ("alembic_version", "migrations")
"""Written by migrations alone."""
TABLES = tuple(name for name in metadata.tables if name not in READ_ONLY)

_EACH = " AND ".join(f"has_table_privilege(found.oid, '{right}')" for right in ROWS)
LACKING = text(
    f"""
    WITH found AS (
      SELECT c.oid, c.relname, c.relname = ANY(:read_only) AS read_only
      FROM unnest(CAST(:tables AS text[])) AS name JOIN pg_class c ON c.oid = to_regclass(quote_ident(name))
    )
    SELECT 'table' AS kind, relname FROM found WHERE NOT read_only AND NOT ({_EACH})
    UNION ALL
    SELECT 'read', relname FROM found WHERE read_only AND NOT has_table_privilege(found.oid, 'SELECT')
    UNION ALL
    SELECT 'sequence', s.relname
    FROM found
    JOIN pg_depend d ON d.refobjid = found.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
    JOIN pg_class s ON s.oid = d.objid
    WHERE CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END
    ORDER BY 1, 2
    """  # noqa: S608 - of our own words alone
)
GRANTS = {
    "read": "GRANT SELECT ON {names} TO {user}",
    "sequence": "GRANT USAGE ON SEQUENCE {names} TO {user}",
    "table": f"GRANT {', '.join(ROWS)} ON {{names}} TO {{user}}",
}


def lacking(engine: Engine) -> str | None:
    """What our user may not do, and how it is granted, in one line. Tables that are not there are not asked for."""
    if engine.dialect.name != "postgresql":
        return None
    with engine.connect() as connection:
        user = _quoted(connection, str(connection.exec_driver_sql("SELECT current_user").scalar()))
        if connection.exec_driver_sql("SELECT current_schema()").scalar() is None:
            schema = "GRANT USAGE ON SCHEMA public"
            return f"the database's user {user} may not look into its schema: let its owner run `{schema} TO {user}`"
        found = connection.execute(LACKING, {"tables": [*READ_ONLY, *TABLES], "read_only": list(READ_ONLY)}).all()
    if not found:
        return None
    commands = "; ".join(
        grant.format(names=", ".join(names), user=user)
        for kind, grant in GRANTS.items()
        if (names := [each.relname for each in found if each.kind == kind])
    )
    return (
        f"the database's user {user} may not use all tables: run `orders db upgrade` with "
        f"ORDERS_MIGRATION_DATABASE_URL set, or let their owner run `{commands}`"
    )


def grant(connection: Connection, user: str) -> None:
    """What `user` needs for every table that there is; nothing of it lets it change tables."""
    quoted = _quoted(connection, user)
    connection.exec_driver_sql(f"GRANT SELECT ON {', '.join(READ_ONLY)} TO {quoted}")
    connection.exec_driver_sql(f"GRANT {', '.join(ROWS)} ON {', '.join(TABLES)} TO {quoted}")
    of_ours = "SELECT pg_get_serial_sequence(quote_ident(t), c) FROM unnest(%s::text[], %s::text[]) AS of(t, c)"
    counted = [column for table in metadata.sorted_tables if (column := table.autoincrement_column) is not None]
    names = [column.table.name for column in counted], [column.name for column in counted]
    sequences = connection.exec_driver_sql(of_ours, names).scalars()
    connection.exec_driver_sql(f"GRANT USAGE ON SEQUENCE {', '.join(filter(None, sequences))} TO {quoted}")


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
