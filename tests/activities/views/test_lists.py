"""Lists are read along an index, newest first, whatever they are filtered by and wherever the page begins."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from activities.views.orders import Filter, newest_first, page
from infra.database.tables import Customer, Order, OrderLine
from tests.activities.orders import SKU, placed
from tests.fixtures_database import Database
from tests.infra.database.rows import product

pytestmark = pytest.mark.both_databases

ORDERS = 3_000
OPENED = datetime(2026, 11, 1, tzinfo=UTC)
DIALECTS: dict[str, Any] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}  # type: ignore[no-untyped-call]
NEXT_DAY = OPENED + timedelta(days=1)

FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "ix_orders_placed_at_order_id"),
    ({"status": "placed"}, "ix_orders_status_placed_at_order_id"),
    ({"customer": "C-7"}, "ix_orders_customer_id_placed_at_order_id"),
    ({"channel": "phone"}, "ix_orders_channel_placed_at_order_id"),
    ({"placed_after": NEXT_DAY}, "ix_orders_placed_at_order_id"),
    ({"placed_before": NEXT_DAY}, "ix_orders_placed_at_order_id"),
    ({"sku": "RARE"}, "ix_order_lines_sku_placed_at_order_id"),
    ({"sku": SKU, "placed_before": NEXT_DAY}, "ix_order_lines_sku_placed_at_order_id"),
]


@pytest.fixture
def stocked(database: Database) -> Database:
    """Three thousand orders, few of the status, customer and channel that are asked for, fewer with the rare SKU."""
    placed(database, "W-0")
    with database.sessions.begin() as tx:
        [order] = [dict(row) for row in tx.execute(select(Order.__table__)).mappings()]
        [line] = [dict(row) for row in tx.execute(select(OrderLine.__table__)).mappings()]
        [customer] = [dict(row) for row in tx.execute(select(Customer.__table__)).mappings()]
        tx.add(product("RARE"))
        tx.execute(insert(Customer), [customer | {"customer_id": f"C-{n}"} for n in (7, *range(100, 150))])
        tx.execute(insert(Order), [order | an_order(n) for n in range(1, ORDERS)])
        rare = [line | a_line(n) | {"line_no": no, "sku": "RARE"} for n in range(500, ORDERS, 500) for no in (2, 3)]
        tx.execute(insert(OrderLine), [line | a_line(n) | {"sku": SKU} for n in range(1, ORDERS)] + rare)
    with database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    return database


def an_order(n: int) -> dict[str, Any]:
    return {
        "order_id": f"W-{n}",
        "track_token": f"t{n}",
        "channel": "web" if n % 50 else "phone",
        "status": "completed" if n % 50 else "placed",
        "customer_id": f"C-{100 + n % 50}" if n % 50 else "C-7",
        "placed_at": OPENED + timedelta(minutes=n // 2),
    }


def a_line(n: int) -> dict[str, Any]:
    return {name: an_order(n)[name] for name in ("order_id", "placed_at")}


def plan(database: Database, wanted: Filter, cursor: str | None) -> str:
    kind = database.engine.dialect.name
    query = newest_first(wanted, cursor).limit(51)
    asked = str(query.compile(dialect=DIALECTS[kind], compile_kwargs={"literal_binds": True}))
    with database.engine.connect() as connection:
        for other_way in ("seqscan", "bitmapscan", "sort") if kind == "postgresql" else ():
            connection.exec_driver_sql(f"SET LOCAL enable_{other_way} = off")
        rows = connection.exec_driver_sql(("EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN ") + asked)
        return "\n".join(str(tuple(row)) for row in rows)


def begins_at(how: str) -> bool:
    """Whether the index is entered at the cursor, not walked to it."""
    found = ("SEARCH", "(placed_at,order_id)<(?,?)"), ("Index Cond:", "(ROW(placed_at, ", ") < ROW(")
    return any(all(word in line for word in words) for line in how.splitlines() for words in found)


def test_every_filter_and_its_next_page_are_read_along_an_index(stocked: Database) -> None:
    for wanted, index in FILTERS:
        with stocked.sessions() as tx:
            first = page(tx, Filter(**wanted), limit=2)
        assert first.next, wanted
        for cursor in (None, first.next):
            how = plan(stocked, Filter(**wanted), cursor)
            assert index in how, f"{wanted}, cursor {cursor}: {how}"
            assert begins_at(how) == bool(cursor or "placed_before" in wanted), f"{wanted}, {cursor}: {how}"
            assert not any(sorting in how for sorting in ("TEMP B-TREE", "Sort")), f"{wanted}, {cursor}: {how}"


def test_pages_hold_each_order_once_also_where_instants_are_equal(stocked: Database) -> None:
    seen: list[str] = []
    cursor: str | None = None
    with stocked.sessions() as tx:
        while not seen or cursor:
            found = page(tx, Filter(channel="web", sku=SKU), limit=200, cursor=cursor)
            seen += [order.order_id for order in found.orders]
            cursor = found.next
    assert sorted(seen) == sorted(f"W-{n}" for n in range(ORDERS) if n == 0 or n % 50)
    assert len(seen) == len(set(seen))
    with stocked.sessions() as tx:
        twice = page(tx, Filter(sku="RARE"), limit=200)
    assert [order.order_id for order in twice.orders] == [f"W-{n}" for n in (2500, 2000, 1500, 1000, 500)]
