"""What the parts of a cluster have taken so far: CPU, rows, bytes, transactions; read before and after."""

from collections.abc import Iterator
from contextlib import suppress

import psutil
import psycopg

from infra.processes import Child
from tests import postgres
from tests.cluster.cluster import Cluster

DATABASES = {"orders": ("orders",), "engine": ("temporal", "temporal_visibility")}
ASKED = {
    "rows": "SELECT COALESCE(SUM(n_tup_ins), 0) FROM pg_stat_user_tables",
    "bytes": "SELECT pg_database_size(current_database())",
    "transactions": "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
}


def taken(cluster: Cluster) -> dict[str, float]:
    """By part: seconds of CPU; and of each database rows inserted, bytes, transactions committed, bytes of its log."""
    found = dict.fromkeys((f"{part} CPU s" for part, _ in parts(cluster)), 0.0)
    for part, child in parts(cluster):
        found[f"{part} CPU s"] += cpu_seconds(child)
    for part, server in (("orders", cluster.orders_database), ("engine", cluster.engine_database)):
        for name in DATABASES[part]:
            for what, question in ASKED.items():
                found[f"{part} {what}"] = found.get(f"{part} {what}", 0) + asked(server, name, question)
        found[f"{part} log bytes"] = asked(server, "postgres", "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
    return found


def parts(cluster: Cluster) -> Iterator[tuple[str, Child]]:
    for process in cluster.processes.values():
        yield "workers" if process.module == "workers" else "API and relay", process.running
    for node in cluster.ring.nodes:
        yield "engine's servers", node.running
    yield "orders' database", cluster.orders_database.running
    yield "engine's database", cluster.engine_database.running
    if cluster.world.running:
        yield "sandbox", cluster.world.running


def cpu_seconds(child: Child) -> float:
    """Its own and its children's, those that have ended too."""
    seconds = 0.0
    with suppress(psutil.NoSuchProcess):
        mother = psutil.Process(child.pid)
        seconds += sum(mother.cpu_times()[:4])
        for each in mother.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                seconds += sum(each.cpu_times()[:4])
    return seconds


def asked(server: postgres.Server, database: str, question: str) -> float:
    with psycopg.connect(server.url.removesuffix("postgres") + database) as connection:
        [[figure]] = connection.execute(question.encode()).fetchall()
    return float(figure)
