"""No list and no hot statement gets dearer with the table: whatever was asked while orders were played is asked again
of ten times as many. `make million` asks it of a million.

What is to read everything is not among it: the questions of `orders db check`, and the counts of a trim's dry run.
"""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from activities.facts import trimming
from activities.views import check, stages
from infra.clock import wall_clock
from tests.fixtures_database import Database
from tests.infra.database.explaining import Cost, cost
from tests.infra.database.multiplying import GROWING, Multiplied
from tests.played import OF_NOBODY, Copies, Played, Statements, listening
from tests.sandbox import ROOT

SIZES = [int(size) for size in os.environ.get("ORDERS_GROWN_TO", "2000 20000").split()]
TIMES = 1.5
DEEPER = 8
"""Pages more that are none too many: an index that is a level deeper costs one each time it is entered, and a row that
is written anew one in each index of its table. Besides, one for each row that is given: an order's may lie apart."""
SMALL = 50
"""Pages of a table that may be read whole: an index leads to a row of it no sooner."""
EACH = 4
"""Times that a statement is asked, each with other parameters that it had."""
BATCH = 50
"""Rows that a trim removes at once: for a thousand the smaller table would be read whole."""
ASKED = ("SELECT", "WITH", "UPDATE", "DELETE", "INSERT")
ALL_MOVES = "FROM count_lines LEFT OUTER JOIN stock_moves ON"
"""What a count is compared with is the sum of a product's moves at a place until then."""
STILL_OPEN = ("held", "waits_for_stock")


def test_no_statement_gets_dearer_with_the_table(
    played: Played, copied: Copies, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    monkeypatch.setattr(trimming, "BATCH", BATCH)
    asked = played.statements | asked_by_operators(copied("postgresql"), played.orders["plain"])
    still_open = [*(played.orders[kind] for kind in STILL_OPEN), OF_NOBODY]
    grown: list[dict[tuple[str, int], Cost]] = []
    with psycopg.connect(copied("postgresql").url, autocommit=True) as connection:
        some_is_due(connection, still_open)
        multiplied = Multiplied(connection, still_open)
        for size in SIZES:
            multiplied.to(size)
            grown.append({(text, n): cost(connection, text, given) for text, n, given in each(asked)})
        of_each = sizes(connection)
        large = GROWING & {name for (name,) in connection.execute(LARGE, [SMALL]).fetchall()}
    record_property("figures", f"{len(grown[0])} questions, {SIZES[-1]} orders\n{listed(of_each)}")
    none = [name for name, (rows, _, _) in of_each.items() if not rows]
    assert not none, f"no order that tests/played.py plays has rows in {none}: nothing is asked of them"
    dear: dict[str, str] = {}
    for (text, n), now in grown[-1].items():
        before, read_whole = grown[0][text, n], now.read_whole & large
        if read_whole or now.pages > TIMES * before.pages + DEEPER + now.rows:
            why = f"{before.pages} pages, then {now.pages}; read whole: {', '.join(sorted(read_whole)) or 'none'}"
            dear[text] = f"{why}\n{text}\n{now.plan}"
    assert not dear, "\n\n".join([f"{len(dear)} of {len(asked)} statements", *dear.values()])
    assert sum(size + indexes for _, size, indexes in of_each.values()) == pytest.approx(documented(), rel=0.25)


def asked_by_operators(database: Database, order_id: str) -> Statements:
    with listening(database.engine) as asked:
        for _ in trimming.trimmed(database.sessions, wall_clock() + timedelta(days=3650), timedelta(0), dry_run=False):
            pass
        with database.sessions() as tx:
            list(check.totals(tx, order_id))
            check.undecided(tx, order_id)
            stages.open_orders(tx, 200)
    return asked


def each(asked: Statements) -> Iterator[tuple[str, int, Any]]:
    for text, given in asked.items():
        if text.startswith(ASKED) and ALL_MOVES not in text:
            other = list({repr(parameters): parameters for parameters in given}.values())
            for n in range(0, len(other), max(len(other) // EACH, 1)):
                yield text, n, other[n]


def some_is_due(connection: Connection, order_ids: list[str]) -> None:
    """As ever in a shop at work; and stock has room for what is done to it once more."""
    newest = "SELECT max(relay_id) FROM relay WHERE subject_id = ANY(%s) GROUP BY subject_id"
    connection.execute(f"UPDATE relay SET done_at = NULL WHERE relay_id IN ({newest})", [order_ids])
    connection.execute("UPDATE stock SET on_hand = on_hand + 1000, reserved = reserved + 500")


LARGE = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relpages > %s"
SIZE_OF_EACH = """
    SELECT relname, reltuples, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) ORDER BY pg_total_relation_size(oid) DESC"""


def sizes(connection: Connection) -> dict[str, tuple[float, float, float]]:
    """What an order takes of each table: rows, their bytes, those of their indexes."""
    (orders,) = connection.execute("SELECT count(*) FROM orders").fetchone() or (0,)
    found = connection.execute(SIZE_OF_EACH, [[*GROWING]]).fetchall()
    return {name: (rows / orders, size / orders, indexes / orders) for name, rows, size, indexes in found}


def listed(of_each: dict[str, tuple[float, float, float]]) -> str:
    return "\n".join(
        f"{name}: {r:.2f} rows, {size:.0f} + {more:.0f} bytes" for name, (r, size, more) in of_each.items()
    )


def documented() -> int:
    """Bytes of an order."""
    found = re.search(
        r"^\| all of them, .*? \| [\d,]+ \| ([\d,]+) \|", (ROOT / "docs/capacity.md").read_text(), re.MULTILINE
    )
    assert found, "docs/capacity.md, Bytes"
    return int(found[1].replace(",", ""))
