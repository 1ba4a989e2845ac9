"""All that runs of a shop, twice where it may be twice: databases, engine, workers, API processes; and the sandbox."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg
from sqlalchemy import func, select
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.database import engine
from infra.database.tables import Event, Location, Order, Product
from infra.database.upgrade import upgrade
from infra.processes import Child, free_ports, start
from infra.temporal import EngineError, connect
from starter.cli.stack.environment import without_real_parts
from starter.keys import create as create_key
from tests import postgres
from tests.cluster.balancer import Balancer
from tests.cluster.ring import Node, Ring
from tests.sandbox import ROOT, SANDBOX_TOKEN, SECRETS, SandboxControl, SandboxProcess
from tests.stack import DOCK
from tests.whole.held_up import ENDED, of_tables

NAMESPACE = "orders"
PACE = 0.5
"""Seconds between two steps of the outside world."""
PATIENCE = 120
"""Seconds until a process is ready: a dozen of them start on a machine that has other work, perhaps."""
STOCKED, MISSING = "MUG", "LAMP"


@dataclass
class Process:
    """One of ours, that a drill ends and starts again: of this code, or of another's."""

    name: str
    module: str
    folder: Path
    environ: dict[str, str]
    code: Path
    port: int
    """Where it answers `/metrics`."""
    running: Child

    def start(self) -> None:
        environ = self.environ | {"PYTHONPATH": str(self.code)}
        command = [sys.executable, "-m", self.module]
        log = self.folder / f"{self.name}.log"
        self.running = start(self.name, command, log=log, environ=environ, folder=self.code)

    def ready(self) -> None:
        if self.module == "workers":
            self.running.wait_for_line("worker_ready", seconds=PATIENCE)
        else:
            self.running.wait_for_url(f"http://127.0.0.1:{self.port}/healthz", seconds=PATIENCE)

    def metric(self, name: str) -> float:
        """The sum over its labels; 0 where nothing was counted yet, or nobody answers."""
        with suppress(httpx.TransportError):
            text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5, trust_env=False).text
            lines = [line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
            return sum(float(line.rpartition(" ")[2]) for line in lines)
        return 0


class Cluster:
    """Start it in the main thread: its processes die with the thread that started them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.until_the_end = ExitStack()
        self.processes: dict[str, Process] = {}

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.until_the_end.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.until_the_end.close()

    def open(self) -> None:
        later = self.until_the_end
        self.orders_database = later.enter_context(postgres.server())
        self.engine_database = later.enter_context(postgres.server())
        self.ring = Ring(self.folder, self.engine_database)
        later.callback(self.ring.stop)
        self.loop = asyncio.new_event_loop()
        later.callback(self.loop.close)
        api_ports = free_ports(2)
        self.entrance = Balancer(*api_ports)
        self.url = f"http://127.0.0.1:{self.entrance.port}"
        self.world = SandboxProcess(self.folder / "sandbox", pace=PACE, public_url=self.url, patience=PATIENCE)
        self.world.state.mkdir()
        self.world.start()
        later.callback(self.world.kill)
        self.sandbox = SandboxControl(self.world.url, SANDBOX_TOKEN, smtp_port=self.world.smtp_port)
        later.callback(self.sandbox.close)
        key = self.database()
        self.api = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=15, trust_env=False
        )
        later.callback(self.api.close)
        self.environ = self.settings() | {"ORDERS_API_KEY": key}
        self.client = self.call(self.namespace())
        later.callback(lambda: [each.running.kill() for each in self.processes.values()])
        for n, port in enumerate(api_ports, start=1):
            self.begin(f"api-{n}", "starter.api", port)
        for n, port in enumerate(free_ports(2), start=1):
            self.begin(f"worker-{n}", "workers", port)
        for process in self.processes.values():
            process.ready()
        lines = [{"sku": STOCKED, "quantity": 100_000}]
        for place in ("OAK", "RNO"):
            self.post("/v1/restocks", {"reference": f"opening-{place}", "location": place, "lines": lines})

    def database(self) -> str:
        """Migrated, with a key, two places and two products; of one there will be nothing."""
        with psycopg.connect(self.orders_database.url, autocommit=True) as administrator:
            administrator.execute(b"CREATE DATABASE orders")
        self.database_url = self.orders_database.url.removesuffix("postgres") + "orders"
        self.database_engine = engine.create(self.database_url)
        self.until_the_end.callback(self.database_engine.dispose)
        self.sessions = engine.sessions(self.database_engine, read_only=True)
        upgrade(self.database_engine)
        with engine.sessions(self.database_engine).begin() as tx:
            for n, place in enumerate(("OAK", "RNO"), start=1):
                where = {"name": place, "kind": "warehouse", "warehouse": "default", "address": DOCK}
                tx.add(Location(location_id=place, priority=10 * n, **where))  # as `orders bench` puts the first
            for sku in (STOCKED, MISSING):
                tx.add(Product(sku=sku, name="Thing", weight_g=400, lead_time_days=10))
            return create_key(tx, "cluster", ["admin", "orders:read", "orders:write", "orders:operate", "stock:write"])

    def settings(self) -> dict[str, str]:
        """As a deployment has them, but for what would only make drills longer."""
        return {
            **without_real_parts(os.environ),
            **SECRETS,
            "ORDERS_ENV_FILE": "",
            "ORDERS_HOME": str(self.folder / "home"),
            "DATABASE_URL": self.database_url,
            "TEMPORAL_ADDRESS": self.ring.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "PUBLIC_URL": self.url,
            "ORDERS_API_URL": self.url,
            "STRIPE_API_KEY": "sk_test_cluster",
            "STRIPE_API_BASE": self.sandbox.stripe_base,
            "SHIPPO_API_TOKEN": "shippo_test_cluster",
            "SHIPPO_API_BASE": self.sandbox.shippo_base,
            "TWILIO_FROM": "+15005550006",
            "TWILIO_API_BASE": self.sandbox.twilio_base,
            "SMTP_URL": self.sandbox.smtp_url,
            "MAIL_FROM": "Shop <shop@example.com>",
            "WAREHOUSE_URL": self.sandbox.warehouse_url,
            "ORDERS_LABEL_SETTLE": "5s",
            "ORDERS_PARCELS_TOLD_WITHIN": "0s",
        }

    async def namespace(self) -> Client:
        """As soon as a node knows its ring; a namespace is known everywhere a moment after it was made."""
        request = RegisterNamespaceRequest(namespace=NAMESPACE)
        request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
        while True:
            with suppress(EngineError, RPCError):
                await (await self.connected("temporal-system")).workflow_service.register_namespace(request)
            with suppress(EngineError):
                return await self.connected(NAMESPACE)
            await asyncio.sleep(0.5)

    async def connected(self, namespace: str) -> Client:
        return await connect({"TEMPORAL_ADDRESS": self.ring.address, "TEMPORAL_NAMESPACE": namespace})

    def call(self, work: Any, timeout: float = 240) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, timeout))

    # --- its processes -----------------------------------------------------------------------------------------------

    def begin(self, name: str, module: str, port: int, code: Path = ROOT, **environ: str) -> Process:
        """Not awaited."""
        listening = {"ORDERS_API_PORT": str(port)} if module == "starter.api" else {}
        listening |= {"ORDERS_METRICS_ADDRESS": f"127.0.0.1:{port}"} if module == "workers" else {}
        made = Process(name, module, self.folder, self.environ | listening | environ, code, port, running=None)  # type: ignore[arg-type]
        made.start()
        self.processes[name] = made
        return made

    def supervised(self) -> list[str]:
        """Who ended is started again, as a supervisor does; names them. Waits until all is whole."""
        ended = []
        every: list[Node | Process] = [*self.ring.nodes, *self.processes.values()]
        for each in every:
            if each.running.exit_code is not None:
                ended.append(each.name)
                each.start()
        self.until(self.ring.whole, "a whole ring")
        for process in self.processes.values():
            process.ready()
        return ended

    def post(self, path: str, body: Any) -> Any:
        return self.api.post(path, json=body).raise_for_status().json()

    # --- waiting -----------------------------------------------------------------------------------------------------

    def until(self, ask: Callable[[], Any], what: str, timeout: float = 240) -> Any:
        """Also while a database is away."""
        end, trouble = time.monotonic() + timeout, ""
        while True:
            try:
                if found := ask():
                    return found
            except Exception as error:
                trouble = f": {error!r}"
            assert time.monotonic() < end, f"waited {timeout:g} s for {what}{trouble}\n{self.state()}"
            time.sleep(0.1)

    def happened(self, order_id: str, event: str) -> None:
        def wrote() -> bool:
            with self.sessions() as tx:
                rows = select(Event.event_no).where(Event.order_id == order_id, Event.type == event)
                return tx.scalars(rows).first() is not None

        self.until(wrote, f"{event} of {order_id}")

    def state(self) -> str:
        """How each process stands and the last that it wrote; where orders stand."""
        named = {name: each.running for name, each in self.processes.items()}
        named |= {node.name: node.running for node in self.ring.nodes}
        lines = [f"{name} ({child.exit_code}): {child.last_words()[-600:]}" for name, child in named.items()]
        with suppress(Exception), self.sessions() as tx:
            lines.append(str(dict(tx.execute(select(Order.status, func.count()).group_by(Order.status)).all())))
            open_orders = select(Order.order_id).where(Order.status.not_in(ENDED)).limit(8)
            lines += [f"{each}: {fact}" for each in tx.scalars(open_orders) for fact in of_tables(tx, each)]
        return "\n".join(lines)
