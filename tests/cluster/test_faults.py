"""Parts of a real cluster end, one at a time, while orders come in and wait in every stage: nothing is lost, nothing is
done twice, and all goes on by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from temporalio.service import RPCError

from tests import postgres
from tests.cluster.cluster import STOCKED, Cluster, Process
from tests.cluster.conftest import Say
from tests.cluster.drill import drill
from tests.cluster.ring import SHARDS, Node
from workflows.messages import workflow_id

MINUTE = 60.0
KILLED = -9
SLOW = 8.0
"""Seconds that a call at a provider takes, so that a worker can end in the middle of it."""


@pytest.fixture(autouse=True)
def whole(cluster: Cluster) -> Iterator[None]:
    """Also after a drill that failed."""
    yield
    cluster.supervised()


# --- a node of the engine --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["killed", "drained"])
def test_node(cluster: Cluster, say: Say, way: str) -> None:
    node, other = in_use(cluster)
    with drill(cluster, f"node-{way}", say):
        assert (end := node.running.kill() if way == "killed" else node.running.stop(60)) == (
            KILLED if way == "killed" else 0
        ), end
        assert not node.shards()
        cluster.until(lambda: other.shards() == SHARDS, "the other node to own every shard")
        node.start()
        cluster.until(cluster.ring.whole, "a whole ring")


def in_use(cluster: Cluster) -> list[Node]:
    """First the node that most clients speak to."""
    connections = cluster.ring.balancer.connections
    return sorted(cluster.ring.nodes, key=lambda node: -connections[node.port])


# --- a worker, while a call of its is under way ----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["killed", "drained"])
def test_worker(cluster: Cluster, say: Say, way: str) -> None:
    name = f"worker-{way}"
    with drill(cluster, name, say) as running:
        slow = f"{name}-slow"
        fault = cluster.sandbox.fail("shippo", "buy", "delay", seconds=SLOW, match=slow)
        running.customers.place(slow)
        cluster.until(lambda: cluster.sandbox.struck(fault), "a label to be bought slowly")
        worker = calling(cluster, slow)
        if way == "killed":
            assert worker.running.kill() == KILLED
        else:
            assert worker.running.stop(60) == 0
            assert "worker_stopped" in worker.running.written()
        running.ends()
        cluster.until(lambda: running.delivered_since(running.mended), "the other worker to go on alone")
        worker.start()
        worker.ready()


def calling(cluster: Cluster, order_id: str) -> Process:
    """The worker that a call of this order is with."""
    workers = [each for each in cluster.processes.values() if each.module == "workers"]

    def found() -> Process | None:
        handle = cluster.client.get_workflow_handle(workflow_id(order_id))
        pending = cluster.call(handle.describe()).raw_description.pending_activities
        names = {each.last_worker_identity for each in pending if each.activity_type.name == "buy_label"}
        return next((each for each in workers if any(f'"{n}"' in each.running.written() for n in names)), None)

    worker: Process = cluster.until(found, "a worker to buy the label", SLOW)
    return worker


# --- an API process --------------------------------------------------------------------------------------------------


def test_api_killed(cluster: Cluster, say: Say) -> None:
    with drill(cluster, "api-killed", say) as running:
        api = cluster.processes["api-1"]
        assert api.running.kill() == KILLED
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{api.port}/healthz", trust_env=False)
        running.ends()
        cluster.until(lambda: running.delivered_since(running.mended), "the other API process to go on alone")
        api.start()
        api.ready()


# --- databases -------------------------------------------------------------------------------------------------------


def test_orders_database_restarted(cluster: Cluster, say: Say) -> None:
    with drill(cluster, "orders-database-restarted", say), restarted(cluster.orders_database):
        pass


def test_orders_database_away(cluster: Cluster, say: Say) -> None:
    with drill(cluster, "orders-database-away", say), restarted(cluster.orders_database):
        end = time.monotonic() + MINUTE
        cluster.until(lambda: cluster.api.get("/readyz").status_code == 503, "nobody to be ready")
        assert cluster.api.get(f"/v1/stock?sku={STOCKED}").status_code == 503
        time.sleep(max(0.0, end - time.monotonic()))


def test_engine_database_restarted(cluster: Cluster, say: Say) -> None:
    with drill(cluster, "engine-database-restarted", say), restarted(cluster.engine_database):
        pass


def test_engine_database_away(cluster: Cluster, say: Say) -> None:
    with drill(cluster, "engine-database-away", say) as running, restarted(cluster.engine_database):
        end, began = time.monotonic() + MINUTE, time.time()
        handle = cluster.client.get_workflow_handle(workflow_id(running.stages.packed))
        with pytest.raises((RPCError, TimeoutError)):
            cluster.call(handle.describe(), 10)
        # orders are taken all the same
        cluster.until(lambda: [each for each in running.placed.values() if each.answered > began + 10], "an order")
        time.sleep(max(0.0, end - time.monotonic()))


@contextmanager
def restarted(server: postgres.Server) -> Iterator[None]:
    """It is away while the block runs, and none of its connections outlives it."""
    before = started(server)
    server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url)
    yield
    server.start()
    assert started(server) > before


def started(server: postgres.Server) -> float:
    with psycopg.connect(server.url) as connection:
        [[instant]] = connection.execute("SELECT extract(epoch FROM pg_postmaster_start_time())").fetchall()
    return float(instant)
