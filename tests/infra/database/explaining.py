"""PostgreSQL: what a statement costs, as the database finds when it carries it out; and nothing of it stays."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from psycopg import Connection

KINDS = ("Shared Hit", "Shared Read", "Temp Read", "Temp Written")
READ_WHOLE = "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE seq_scan > 0"


class Cost(NamedTuple):
    pages: int
    """Of 8 KB, looked at or sorted on disk. 0 of an INSERT, which is not carried out: its rows are there."""
    rows: float
    """That it gives."""
    read_whole: frozenset[str]
    """Tables. Also what the database reads for itself, as to check a foreign key."""
    plan: str


def cost(connection: Connection, statement: str, parameters: Any) -> Cost:
    """Of `statement`, in the words of psycopg."""
    how = "FORMAT JSON" if statement.startswith("INSERT") else "ANALYZE, BUFFERS, FORMAT JSON"
    explain, for_itself = f"EXPLAIN ({how}) {statement}".encode(), set[str]()
    if statement.startswith("SELECT"):
        (explained,) = connection.execute(explain, parameters).fetchone() or ()
    else:
        with connection.transaction(force_rollback=True):
            before = {*connection.execute(READ_WHOLE).fetchall()}
            (explained,) = connection.execute(explain, parameters).fetchone() or ()
            for_itself = {name for name, _ in {*connection.execute(READ_WHOLE).fetchall()} - before}
    top = explained[0]["Plan"]
    by_plan = {node["Relation Name"] for node in nodes(top) if node["Node Type"] == "Seq Scan"}
    pages = sum(top.get(f"{kind} Blocks", 0) for kind in KINDS)
    return Cost(pages, top.get("Actual Rows", 0), frozenset(by_plan | for_itself), shown(top))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def shown(plan: dict[str, Any], depth: int = 0) -> str:
    """A line for each node."""
    on = " by ".join(plan[name] for name in ("Relation Name", "Index Name") if name in plan)
    pages = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
    how = "; ".join(f"{name}: {plan[name]}" for name in ("Index Cond", "Filter", "Sort Key") if name in plan)
    line = f"{'  ' * depth}{plan['Node Type']} {on}: {pages} pages, {plan.get('Actual Rows')} rows; {how}"
    return "\n".join([line, *(shown(each, depth + 1) for each in plan.get("Plans", ()))])
