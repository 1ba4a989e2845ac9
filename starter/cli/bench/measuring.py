"""Places orders, a number of them at once, follows them to delivery, and counts what each cost."""

import asyncio
import secrets
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import Progress
from temporalio.client import Client, WorkflowExecution

from activities.intake.example import example_order
from infra.sandbox.client import SandboxControl
from infra.temporal import connect
from starter.cli.bench.consumption import consumption
from starter.cli.bench.cost import KINDS, Cost, cost_of
from starter.cli.client import Api
from starter.cli.failure import Failed
from starter.cli.stack import catalogue
from workflows.messages import workflow_id

SKU = "BENCH"
SHORTEST_LOOK, LONGEST_LOOK = 0.05, 0.25
"""Seconds between looks: one order alone must not wait for the look, and many must not be slowed by it."""
PATIENCE_SECONDS, SECONDS_PER_ORDER = 60, 3
"""However slow the machine: it ends."""
COUNTED = 50
"""So many orders' histories are fetched; the others cost the same."""


@dataclass(frozen=True)
class Target:
    """The stack that is measured."""

    api_url: str
    key: str
    sandbox: str
    sandbox_token: str
    environ: Mapping[str, str]
    ports: Mapping[str, int]


@dataclass(frozen=True)
class Measured:
    orders: int
    at_once: int
    seconds: float
    p50_seconds: float
    p95_seconds: float
    events: float
    bytes: float
    actions: float
    actions_by_kind: dict[str, float]
    statements: dict[str, float]
    transactions: dict[str, float]
    cpu_ms: dict[str, float]
    """Per order, by process, as are statements and transactions."""
    not_seen: list[str]

    @property
    def per_second(self) -> float:
        return self.orders / self.seconds

    def as_json(self) -> dict[str, Any]:
        return {"orders_per_second": round(self.per_second, 3), **asdict(self)}

    def rows(self) -> list[tuple[str, str]]:
        kinds = ", ".join(
            f"{value:g} {kind.replace('_', ' ')}" for kind, value in self.actions_by_kind.items() if value
        )
        return [
            ("orders per second", f"{self.per_second:.1f}"),
            ("placed to delivered, p50", f"{self.p50_seconds:.2f} s"),
            ("placed to delivered, p95", f"{self.p95_seconds:.2f} s"),
            ("history events per order", f"{self.events:g}"),
            ("history bytes per order", f"{self.bytes:,.0f}"),
            ("billable actions per order", f"{self.actions:g}"),
            ("", kinds),
            ("statements per order", by_process(self.statements)),
            ("transactions per order", by_process(self.transactions)),
            ("CPU per order, ms", by_process(self.cpu_ms)),
            *([("not seen from here", ", ".join(self.not_seen))] if self.not_seen else []),
        ]


def by_process(figures: Mapping[str, float]) -> str:
    parts = ", ".join(f"{name} {figure:,.0f}" for name, figure in figures.items())
    return f"{sum(figures.values()):,.0f}: {parts}" if figures else "–"


async def measured(target: Target, orders: int, at_once: int, paper: Console) -> Measured:
    api = Api(target.api_url, target.key)
    run = f"bench-{secrets.token_hex(4)}"
    prepare(api, run, orders)
    client, sandbox = await connect(target.environ), SandboxControl(target.sandbox, target.sandbox_token)
    before = consumption(target.ports, target.api_url)
    with sandbox.paced(0), Progress(console=paper, transient=True) as progress:
        began = time.monotonic()
        bar = progress.add_task("placed to delivered", total=orders)
        bench = Bench(api, run, lambda done: progress.update(bar, completed=done))
        ids = await bench.play(orders, at_once)
        seconds = time.monotonic() - began
        await ended(client, ids)
        sandbox.webhooks_taken()
    taken = consumption(target.ports, target.api_url).per_order(before, orders)
    views = [await asyncio.to_thread(api.get, f"/v1/orders/{order_id}") for order_id in ids]
    latencies = sorted(latency(view) for view in views)
    costs = await costs_of(client, ids[:COUNTED])
    return Measured(
        orders=orders,
        at_once=at_once,
        seconds=round(seconds, 3),
        p50_seconds=round(statistics.median(latencies), 3),
        p95_seconds=round(latencies[min(len(latencies) - 1, int(len(latencies) * 0.95))], 3),
        events=mean([cost.events for cost in costs]),
        bytes=mean([cost.bytes for cost in costs]),
        actions=mean([cost.billed for cost in costs]),
        actions_by_kind={kind: mean([cost.actions[kind] for cost in costs]) for kind in KINDS},
        statements=taken.statements,
        transactions=taken.transactions,
        cpu_ms=taken.cpu_ms,
        not_seen=taken.not_seen(),
    )


def prepare(api: Api, run: str, orders: int) -> None:
    """Enough of one SKU for all."""
    location_id, location = next(iter(catalogue.LOCATIONS.items()))
    api.put(f"/v1/locations/{location_id}", location)
    api.put(f"/v1/products/{SKU}", {"name": "Measured", "weight_g": 100})
    lines = [{"sku": SKU, "quantity": orders}]
    api.post("/v1/restocks", {"reference": run, "location": location_id, "lines": lines})


class Bench:
    """Keeps a number of orders under way; one look at the list tells which have ended."""

    def __init__(self, api: Api, run: str, on_progress: Any) -> None:
        self.api, self.run, self.on_progress = api, run, on_progress
        self.done: set[str] = set()

    async def play(self, orders: int, at_once: int) -> list[str]:
        ids = [f"{self.run}-{n}" for n in range(1, orders + 1)]
        end = time.monotonic() + PATIENCE_SECONDS + SECONDS_PER_ORDER * orders
        placed = 0
        while len(self.done) < orders:
            room = min(at_once - (placed - len(self.done)), orders - placed)
            await asyncio.gather(*(self.place(order_id) for order_id in ids[placed : placed + room]))
            placed += room
            await asyncio.sleep(min(LONGEST_LOOK, SHORTEST_LOOK * at_once))
            await self.look(placed - len(self.done))
            if time.monotonic() > end:
                raise Failed(f"{orders - len(self.done)} of {orders} orders were not delivered in time; see the logs")
        return ids

    async def place(self, order_id: str) -> None:
        await asyncio.to_thread(self.api.post, "/v1/orders", example_order(order_id, {SKU: 1}, channel=self.run))

    async def look(self, under_way: int) -> None:
        """Those under way are the newest, but for a few that were overtaken."""

        def ended() -> set[str]:
            found = self.api.orders(2 * under_way + 200, channel=self.run, status="completed")
            return {summary["order_id"] for summary in found}

        self.done |= await asyncio.to_thread(ended)
        self.on_progress(len(self.done))


def latency(view: dict[str, Any]) -> float:
    """By the database's clock, from the order's row to the delivery's."""
    at = {entry["event"]: datetime.fromisoformat(entry["recorded_at"]) for entry in view["timeline"]}
    return (at["delivered"] - at["placed"]).total_seconds()


async def ended(client: Client, ids: Iterable[str]) -> None:
    """Until each workflow has ended: its last message belongs to its cost."""
    for order_id in ids:
        await asyncio.wait_for(client.get_workflow_handle(workflow_id(order_id)).result(), 60)


async def costs_of(client: Client, ids: list[str]) -> list[Cost]:
    costs = []
    for order_id in ids:
        last = (await client.get_workflow_handle(workflow_id(order_id)).describe()).run_id
        runs: list[WorkflowExecution] = []
        while last not in [run.run_id for run in runs]:  # lists come a moment after the fact
            runs = [each async for each in client.list_workflows(f"WorkflowId = '{workflow_id(order_id)}'")]
        handles = [client.get_workflow_handle(run.id, run_id=run.run_id) for run in runs]
        costs.append(cost_of([await handle.fetch_history() for handle in handles]))
    return costs


def mean(figures: list[int]) -> float:
    return round(statistics.fmean(figures), 2)
