"""Two nodes of Temporal's server in one ring, on one PostgreSQL: each is a whole server, at ports of its own."""

import os
import re
import subprocess
from pathlib import Path

import httpx
import psycopg

from infra.processes import Child, free_ports, start
from tests import postgres
from tests.cluster.balancer import Balancer
from tests.sandbox import ROOT

BUILT = ROOT / ".cluster"
SHARDS = 16
PORTS = tuple(
    f"{service}_{kind}_PORT"
    for service in ("FRONTEND", "HISTORY", "MATCHING", "WORKER")
    for kind in ("GRPC", "MEMBERSHIP")
)
DYNAMIC = """\
history.alignMembershipChange: [{value: 1s}]
matching.alignMembershipChange: [{value: 1s}]
history.shutdownDrainDuration: [{value: 2s}]
matching.wv.VersionDrainageStatusVisibilityGracePeriod: [{value: 10s}]
matching.wv.VersionDrainageStatusRefreshInterval: [{value: 5s}]
system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute: [{value: 2}]
"""
"""Nodes that are drained say so before they go, and versions of workers that they are drained: here within seconds. A
workflow whose code fails is reported at the second try, of the five that take minutes."""


class Node:
    def __init__(self, name: str, folder: Path, database: postgres.Server, ring: int) -> None:
        self.name, self.folder = name, folder
        *named, http, metrics = free_ports(len(PORTS) + 2)
        self.ports = dict(zip(PORTS, named, strict=True))
        self.port = self.ports["FRONTEND_GRPC_PORT"]
        self.metrics = f"http://127.0.0.1:{metrics}/metrics"
        dynamic = folder / "dynamic.yaml"
        dynamic.write_text(DYNAMIC)
        self.environ = {
            "PATH": os.environ["PATH"],
            **{name: str(port) for name, port in self.ports.items()},
            "FRONTEND_HTTP_PORT": str(http),
            "PROMETHEUS_ENDPOINT": f"127.0.0.1:{metrics}",
            "DB": "postgres12",
            "POSTGRES_SEEDS": "127.0.0.1",
            "DB_PORT": str(database.port),
            "POSTGRES_USER": "postgres",
            "SQL_MAX_CONNS": "10",
            "SQL_MAX_IDLE_CONNS": "10",
            "SQL_VIS_MAX_CONNS": "5",
            "SQL_VIS_MAX_IDLE_CONNS": "5",
            "NUM_HISTORY_SHARDS": str(SHARDS),
            "BIND_ON_IP": "127.0.0.1",
            "TEMPORAL_BROADCAST_ADDRESS": "127.0.0.1",
            # its own worker speaks to any node: here to whichever the balancer gives it
            "PUBLIC_FRONTEND_ADDRESS": f"127.0.0.1:{ring}",
            "DYNAMIC_CONFIG_FILE_PATH": str(dynamic),
            "LOG_LEVEL": "warn",
        }
        self.running: Child

    def start(self) -> None:
        log = self.folder / f"{self.name}.log"
        command = [str(BUILT / "bin/temporal-server"), "start"]
        self.running = start(self.name, command, log=log, environ=self.environ, folder=self.folder)

    def shards(self) -> int:
        """That it owns; none where it does not answer."""
        try:
            text = httpx.get(self.metrics, timeout=5, trust_env=False).text
        except httpx.TransportError:
            return 0
        return sum(int(float(n)) for n in re.findall(r"^numshards_gauge\{[^}]*\} ([\d.e+]+)$", text, re.MULTILINE))


class Ring:
    def __init__(self, folder: Path, database: postgres.Server) -> None:
        self.database = database
        with_schema(database)
        self.balancer = Balancer()
        self.nodes = [Node(name, folder, database, self.balancer.port) for name in ("node-a", "node-b")]
        self.balancer.serves([node.port for node in self.nodes])
        for node in self.nodes:  # one after the other: who comes first writes down what the cluster is
            node.start()
            node.running.wait_for_port(node.port, seconds=120)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.balancer.port}"

    def whole(self) -> bool:
        """Every shard is with one of the nodes, and none has nothing to do."""
        owned = [node.shards() for node in self.nodes]
        return sum(owned) == SHARDS and all(owned)

    def stop(self) -> None:
        for node in self.nodes:
            node.running.kill()


def with_schema(database: postgres.Server) -> None:
    """As the deployment's job does it."""
    environ = {
        "PATH": os.environ["PATH"],
        "SQL_PLUGIN": "postgres12",
        "SQL_HOST": "127.0.0.1",
        "SQL_PORT": str(database.port),
        "SQL_USER": "postgres",
    }
    for name, part in (("temporal", "temporal"), ("temporal_visibility", "visibility")):
        with psycopg.connect(database.url, autocommit=True) as administrator:
            administrator.execute(f"CREATE DATABASE {name}".encode())
        tool = [str(BUILT / "bin/temporal-sql-tool"), "--db", name]
        for words in (
            ["setup-schema", "-v", "0.0"],
            ["update-schema", "-d", str(BUILT / f"schema/{part}/versioned")],
        ):
            done = subprocess.run([*tool, *words], env=environ, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
