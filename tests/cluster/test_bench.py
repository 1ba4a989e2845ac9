"""`orders bench` on the ring, with two workers and with one: how fast, and where the CPU goes."""

import json
import subprocess
import sys
import time

import pytest
from pydantic import SecretStr

from infra.home import Home, Stack
from starter.cli.stack.environment import PARTS, SANDBOX_TOKEN
from tests import sandbox
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Say
from tests.cluster.taken import taken
from tests.sandbox import ROOT
from workflows.messages import workflow_id

ORDERS, AT_ONCE = 40, 20
FLUSHED = 2.0
"""Seconds until PostgreSQL has added up what its connections did."""


@pytest.mark.parametrize("workers", [2, 1])
def test_bench(cluster: Cluster, say: Say, workers: int) -> None:
    other = cluster.processes["worker-2"]
    if workers == 1:
        other.running.stop(60)
    write_home(cluster)
    time.sleep(FLUSHED)
    before, began = taken(cluster), time.monotonic()
    command = [sys.executable, "-m", "starter.cli", "bench", "-n", str(ORDERS), "-c", str(AT_ONCE), "--json"]
    done = subprocess.run(command, env=cluster.environ, cwd=ROOT, capture_output=True, text=True, timeout=480)
    assert done.returncode == 0, done.stderr
    seconds = time.monotonic() - began
    time.sleep(FLUSHED)
    per_order = {name: round((after - before[name]) / ORDERS, 3) for name, after in taken(cluster).items()}
    found = json.loads(done.stdout)
    busy = sum(value for name, value in per_order.items() if name.endswith("CPU s")) * ORDERS / seconds
    handles = [cluster.client.get_workflow_handle(workflow_id(order_id)) for order_id in newest(cluster)]
    moves = [
        cluster.call(each.describe()).raw_description.workflow_execution_info.state_transition_count for each in handles
    ]
    say(
        f"{workers} worker(s): {found['orders_per_second']} orders/s, p95 {found['p95_seconds']} s; "
        f"{busy:.2f} of the machine's cores were ours; state transitions {sum(moves) / len(moves):.1f}; "
        f"events {found['events']}, bytes {found['bytes']}, actions {found['actions']}; per order {per_order}"
    )
    assert len(moves) == ORDERS
    if workers == 1:
        other.start()
        other.ready()


def newest(cluster: Cluster) -> list[str]:
    page = cluster.api.get("/v1/orders", params={"limit": ORDERS}).raise_for_status().json()
    return [each["order_id"] for each in page["orders"]]


def write_home(cluster: Cluster) -> None:
    """`orders bench` measures the stack that its home describes."""
    home = Home(cluster.folder / "home")
    home.make()
    ports = {"sandbox": cluster.world.port, "smtp": cluster.world.smtp_port}
    key, token = cluster.environ["ORDERS_API_KEY"], sandbox.SANDBOX_TOKEN
    secrets = {SANDBOX_TOKEN: SecretStr(token)}
    home.write(Stack(api_url=cluster.url, api_key=SecretStr(key), ports=ports, sandboxed=[*PARTS], secrets=secrets))
