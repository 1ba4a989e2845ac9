"""The house as `orders up` runs it: engine, sandbox, worker and API as processes, which a test may end as it likes."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import httpx
from sqlalchemy import func, select

from activities.intake.example import example_order
from infra.database.engine import sessions
from infra.database.tables import Event, Message, Order, Relay
from infra.home import Home
from infra.processes import Child
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer, start_dev_server
from starter.cli.stack.environment import without_real_parts
from starter.cli.stack.stack import begin_all, prepared
from tests.fixtures_database import Database
from tests.stack import unique
from tests.whole.held_up import held_up

QUICK = {
    "ORDERS_HTTP_TIMEOUT": "1500ms",
    "ORDERS_START_TO_CLOSE": "3s",
    "ORDERS_STEP_PATIENCE": "2m",
    "ORDERS_LABEL_SETTLE": "2s",
    "ORDERS_PARCELS_TOLD_WITHIN": "0s",
}
Part = Literal["engine", "sandbox", "worker", "api"]


class House:
    """Start it in the main thread: its processes die with the thread that started them."""

    def __init__(self, folder: Path, database: Database, *, pace: float, **settings: str) -> None:
        self.home, self.database = Home(folder), database
        # waiting must not take the turn of those who write
        self.looks = sessions(database.engine, read_only=True)
        self.home.make()
        given = without_real_parts(os.environ) | QUICK | {"DATABASE_URL": database.url} | settings
        self.running = prepared(self.home, given)
        self.ports = self.running.stack.ports
        try:
            begin_all(self.running, given, pace, say=lambda _: None)
        except BaseException:
            self.leave()
            raise
        stack = self.running.stack
        self.sandbox = SandboxControl(
            self.running.sandbox or "", self.running.sandbox_token, smtp_port=self.ports["smtp"]
        )
        self.api = httpx.Client(
            base_url=stack.api_url,
            headers={"Authorization": f"Bearer {stack.api_key.get_secret_value()}"},
            timeout=15,
            trust_env=False,
        )
        self.metrics = f"http://127.0.0.1:{self.ports['metrics']}/metrics"

    def leave(self) -> None:
        for child in self.running.children.values():
            child.kill()
        if hasattr(self, "api"):
            self.api.close()
            self.sandbox.close()

    # --- its processes -----------------------------------------------------------------------------------------------

    def child(self, part: Part) -> Child:
        return self.running.children[part]

    def kill(self, part: Part) -> None:
        """As a crash does: no warning."""
        self.child(part).kill()

    def begin(self, part: Part) -> None:
        """Another process takes the place of one that has ended. Not awaited, but for the engine."""
        if part == "engine":
            self.running.children[part] = self.engine().child
        elif part == "worker":
            self.running.begin(part, "workers", ORDERS_METRICS_ADDRESS=f"127.0.0.1:{self.ports['metrics']}")
        elif part == "api":
            self.running.begin(part, "starter.api")
        else:
            raise NotImplementedError(part)

    def engine(self) -> DevServer:
        port, ui_port = self.ports["engine"], self.ports["web_ui"]
        return start_dev_server(self.home.log("engine"), database=self.home.engine, port=port, ui_port=ui_port)

    def ready(self, part: Part) -> None:
        if part == "api":
            self.child(part).wait_for_url(f"{self.running.stack.api_url}/healthz")
        elif part == "worker":
            self.child(part).wait_for_line("worker_ready")

    # --- trade -------------------------------------------------------------------------------------------------------

    def stocked(self, **units: int) -> None:
        """Products by their SKU, so many of each, all in one place."""
        address = {"name": "Dock", "street1": "1 Dock Rd", "city": "Oakland", "state": "CA", "zip": "94607"}
        place = {"name": "Oakland", "priority": 1, "address": address | {"country": "US"}, "pickup": True}
        self.api.put("/v1/locations/OAK", json=place).raise_for_status()
        for sku in units:
            self.api.put(f"/v1/products/{sku}", json={"name": "Mug", "weight_g": 400}).raise_for_status()
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]
        restock = {"reference": unique("opening"), "location": "OAK", "lines": lines}
        self.api.post("/v1/restocks", json=restock).raise_for_status()

    def place(self, order: dict[str, Any]) -> None:
        answer = self.api.post("/v1/orders", json=order)
        assert answer.status_code == 202, answer.text

    def view(self, order_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/v1/orders/{order_id}").raise_for_status().json())

    def statuses(self) -> dict[str, int]:
        with self.looks() as tx:
            return dict(tx.execute(select(Order.status, func.count()).group_by(Order.status)).all())

    def happened(self, order_id: str, event: str, timeout: float = 60) -> None:
        """Waits until the timeline tells of it."""

        def wrote() -> bool:
            with self.looks() as tx:
                rows = select(Event.event_no).where(Event.order_id == order_id)
                return tx.scalars(rows.where(Event.type == event)).first() is not None

        self.until(wrote, f"{event} of {order_id}", timeout)

    def settled(self, timeout: float = 60) -> None:
        """Waits until nothing is on its way any more: every nudge read, every message sent, every webhook taken."""

        def still() -> bool:
            with self.looks() as tx:
                due = tx.scalar(select(func.count()).where(Relay.done_at.is_(None)))
                untold = tx.scalar(select(func.count()).where(Message.status.in_(("pending", "claimed"))))
            return not due and not untold and not self.sandbox.ask("/webhooks")["pending"]

        self.until(still, "nothing to be under way", timeout)

    def until(self, ask: Callable[[], Any], what: str, timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while not ask():
            assert time.monotonic() < end, f"waited {timeout:g} s for {what}\n{self.state()}"
            time.sleep(0.05)

    def state(self) -> str:
        """How each process stands and the last that it said; what holds up each order that has not ended."""
        children = self.running.children.items()
        lines = [f"{name} ({child.exit_code}): {child.last_words()[-1000:]}" for name, child in children]
        with suppress(httpx.HTTPError):
            lines.append(f"webhooks: {self.sandbox.ask('/webhooks')}")
        with self.looks() as tx:
            lines += held_up(tx, f"http://127.0.0.1:{self.ports['web_ui']}")
        return "\n".join(lines)


def order(order_id: str, sku: str = "MUG", quantity: int = 1, **changes: Any) -> dict[str, Any]:
    return example_order(order_id, {sku: quantity}, **changes)
