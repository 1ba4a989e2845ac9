"""PostgreSQL: orders that were played, many times, by SQL. Each copy has ids of its own, and comes a while after the
one before it."""

from collections.abc import Iterable

from psycopg import Connection, sql
from sqlalchemy import Column, String, Table, UniqueConstraint

from infra.database.tables import (
    ID,
    REFERENCE,
    ApiKey,
    Customer,
    Location,
    Migration,
    Product,
    ProductReference,
    SavedMethod,
    Stock,
    Till,
    metadata,
)
from infra.database.types import UTCDateTime

AGAIN = 20
"""Each product is in every twentieth copy, and customers come again as often."""
OPEN = 10
"""Copies of what is open: that hangs on the trade of a day, not on how long the shop exists."""
EVERY = "10 seconds"
"""From copy to copy."""
AT_ONCE = 500
"""Copies: rows lie on the disk as they came, an order's beside those of its hour."""
SPAN = 1_000_000
"""Between the numbers of two copies."""

SETTINGS = {each.__tablename__ for each in (Location, Till, ApiKey, Migration)}
CATALOGUE = {each.__tablename__ for each in (Product, ProductReference, Stock)}
GROWING = {*metadata.tables} - SETTINGS - CATALOGUE
"""With each order. What is the shop's own is as long as that, whatever is sold: any other table grows."""
CUSTOMERS = {each.__tablename__ for each in (Customer, SavedMethod)}

NUMBERS = {"location_id": "0", "sku": f"k % {AGAIN}", "customer_id": f"CASE k % {AGAIN} WHEN 0 THEN 0 ELSE k END"}
"""Which copy of it the copy `k` of an order has, by the column: 0 is what was played."""

KEYS_AND_INDEXES = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS without,
      format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS again,
      CASE contype WHEN 'p' THEN 1 WHEN 'u' THEN 2 ELSE 4 END AS turn
    FROM pg_constraint WHERE contype IN ('p', 'u', 'f') AND connamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('DROP INDEX %I', indexname), indexdef, 3
    FROM pg_indexes i WHERE schemaname = 'public' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
    ORDER BY turn"""
FOREIGN = 4


class Multiplied:
    """The database of `connection`, which commits by itself. Of its rows those that name something in `still_open` are
    copied only a few times."""

    def __init__(self, connection: Connection, still_open: Iterable[str]) -> None:
        self.connection = connection
        self.copies = 0
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET max_parallel_workers_per_gather = 0")  # what another process reads is counted there
        connection.execute("CREATE SCHEMA played")
        names = "|".join(f"{name}([^0-9]|$)" for name in still_open)
        kept = "CREATE TABLE played.{0} AS SELECT t.*, t::text ~ {1} AS is_open FROM public.{0} t"
        for table in metadata.sorted_tables:
            connection.execute(sql.SQL(kept).format(sql.Identifier(table.name), sql.Literal(names)))
        for table in metadata.sorted_tables:
            if table.name in CATALOGUE:
                self.copy(table, 1, AGAIN - 1)
        for table in reversed(metadata.sorted_tables):
            connection.execute(f"ALTER TABLE {table.name} SET UNLOGGED, SET (autovacuum_enabled = false)")
        (self.each,) = connection.execute("SELECT count(*) FROM played.orders WHERE NOT is_open").fetchone() or (0,)

    def to(self, orders: int) -> None:
        """Until there are about so many orders. Keys and indexes are made anew of all rows, which takes half the time;
        so a foreign key that a copy breaks fails here."""
        apart = self.connection.execute(KEYS_AND_INDEXES).fetchall()
        for without, _, _ in reversed(apart):
            self.connection.execute(without)
        copies = orders // self.each
        for first in range(self.copies + 1, copies + 1, AT_ONCE):
            for table in metadata.sorted_tables:
                if table.name in GROWING:
                    self.copy(table, first, min(first + AT_ONCE - 1, copies))
        self.copies = copies
        for _, again, turn in apart:
            if turn < FOREIGN:
                self.connection.execute(again)
        self.connection.execute("VACUUM ANALYZE")
        for _, again, turn in apart:
            if turn == FOREIGN:
                self.connection.execute(again)

    def copy(self, table: Table, first: int, last: int) -> None:
        into = ", ".join(f'"{column.name}"' for column in table.columns)
        copied = ", ".join(map(of_copy, table.columns))
        seldom = f" AND k % {AGAIN} <> 0" if table.name in CUSTOMERS else ""
        self.connection.execute(
            f"INSERT INTO {table.name} ({into}) SELECT {copied}"
            f" FROM played.{table.name}, generate_series({first}, {last}) k WHERE (k <= {OPEN} OR NOT is_open){seldom}"
        )


def of_copy(column: Column[object]) -> str:
    """What the copy `k` has in this column."""
    name = f'"{column.name}"'
    number = number_of(column)
    if is_counter(column):
        return f"{name} + {SPAN}::bigint * ({number})"
    if isinstance(column.type, UTCDateTime):
        return f"{name} + ({number}) * interval '{EVERY}'"
    if is_id(column):
        return f"CASE {number} WHEN 0 THEN {name} ELSE {name} || '~' || ({number}) END"
    return name


def number_of(column: Column[object]) -> str:
    [means, *_] = [*(key.column for key in column.foreign_keys), column]
    if means.table.name in SETTINGS:
        return "0"
    return NUMBERS.get(means.name, f"k % {AGAIN}" if column.table.name in CATALOGUE else "k")


def is_counter(column: Column[object]) -> bool:
    counted = column.table.autoincrement_column
    return column is counted or any(is_counter(key.column) for key in column.foreign_keys)


def is_id(column: Column[object]) -> bool:
    """A text that means one row, here or elsewhere."""
    if not isinstance(column.type, String) or column.type.length not in (ID.length, 80, REFERENCE.length):
        return False
    table = column.table
    unique = [each.columns for each in table.constraints if isinstance(each, UniqueConstraint)]
    keyed = {c.name for key in (table.primary_key.columns, *unique, *(i.columns for i in table.indexes)) for c in key}
    return column.name.endswith("_id") or bool(column.foreign_keys) or column.name in keyed
