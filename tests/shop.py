"""A whole shop for tests, with the sandbox as its outside world: what customers, operators and warehouses do in it, and
waiting for what comes of it."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from activities.intake.example import example_order
from infra.database.tables import Customer, Event, Hold, Order, Product, Stock
from infra.hold_kinds import HoldKind
from tests.moves import Warehouse
from tests.stack import FAST, PACE, Stack, T, unique
from workflows.messages import workflow_id

__all__ = ["FAST", "PACE", "Shop", "unique"]


class Shop(Stack):
    def product(self, *, prefix: str = "SKU", weight_g: int = 400, **stock: int) -> str:
        """A product of this test's own, with units per location: `shop.product(OAK=5)`."""
        sku = unique(prefix)
        with self.database.sessions.begin() as tx:
            tx.add(Product(sku=sku, name="Mug", weight_g=weight_g, lead_time_days=10))
        for place, units in stock.items():
            self.receive(place, {sku: units})
        return sku

    def receive(self, location: str, units: dict[str, int], reference: str | None = None) -> None:
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]
        body = {"reference": reference or unique("PO"), "location": location, "lines": lines}
        self.api.post("/v1/restocks", json=body).raise_for_status()

    def order(self, lines: dict[str, int], *, order_id: str | None = None, **changes: Any) -> dict[str, Any]:
        """An order as it would be sent: 18.00 a unit, 5.00 shipping."""
        return example_order(order_id or unique("W"), lines, **changes)

    def place(self, lines: dict[str, int], *, by_hand: bool = False, **changes: Any) -> str:
        """`by_hand`: of the outside world nothing moves that is about this order, until the test says so."""
        asked = self.order(lines, **changes)
        if by_hand:
            self.sandbox.pace(None, asked["order_id"])
        answer = self.api.post("/v1/orders", json=asked)
        assert answer.status_code == 202, answer.text
        return str(asked["order_id"])

    def warehouse(self, order_id: str, n: int = 1) -> Warehouse:
        """`shop.warehouse(order).packs()`."""
        return Warehouse(self, order_id, n)

    def goes_by_itself(self, order_id: str) -> None:
        """What was placed to be moved by hand moves by itself from now on."""
        self.sandbox.pace(PACE, order_id)

    def view(self, order_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/v1/orders/{order_id}").raise_for_status().json())

    def cancel(self, order_id: str, **body: Any) -> httpx.Response:
        return self.api.post(f"/v1/orders/{order_id}/cancellation", json={"reason": "customer", "why": "", **body})

    def resolve(self, order_id: str, action: str, kind: HoldKind | None = None) -> None:
        """An operator decides the one open hold (of this kind)."""
        hold = self.until(lambda: self.open_hold(order_id, kind), f"an open hold {kind or ''}", order_id)
        body = {"hold": hold, "action": action, "why": "test"}
        self.api.post(f"/v1/orders/{order_id}/resolution", json=body).raise_for_status()

    def open_hold(self, order_id: str, kind: HoldKind | None = None) -> str | None:
        with self.database.sessions() as tx:
            open_holds = select(Hold.hold_id).where(Hold.order_id == order_id, Hold.closed_at.is_(None))
            return tx.scalars(open_holds.where(Hold.kind == kind) if kind else open_holds).first()

    def books(self, order_id: str) -> dict[str, int]:
        """What the outside world did for this order, in numbers, without what is zero."""
        return {name: n for name, n in self.sandbox.books(order_id).items() if isinstance(n, int) and n}

    # --- waiting -----------------------------------------------------------------------------------------------------

    def until(self, true: Callable[[], T], what: str, order_id: str | None = None, timeout: float = 30) -> T:
        """Waits for a condition; when it does not come, says what was waited for and where the order stands."""
        end, pause = time.monotonic() + timeout, 0.01
        while not (found := true()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout:g} s for {what}\n{self.story(order_id) if order_id else ''}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)  # many stories wait at once: asking costs them time
        return found

    def reaches(self, order_id: str, *, timeout: float = 30, **statuses: str) -> Order:
        """Waits until the order's statuses are these: `reaches(id, status="completed")`."""

        def there() -> Order | None:
            with self.database.sessions() as tx:
                order = tx.get(Order, order_id)
                return (
                    order
                    if order and all(getattr(order, status) == value for status, value in statuses.items())
                    else None
                )

        return self.until(there, f"{statuses}", order_id, timeout)  # type: ignore[return-value]

    def happened(self, order_id: str, event: str, times: int = 1, timeout: float = 30) -> None:
        """Waits until the timeline tells of it."""
        self.until(lambda: self.timeline(order_id).count(event) >= times, f"{times} × {event}", order_id, timeout)

    def timeline(self, order_id: str) -> list[str]:
        with self.database.sessions() as tx:
            rows = select(Event.type).where(Event.order_id == order_id)
            return list(tx.scalars(rows.order_by(Event.event_no)))

    def ends(self, order_id: str, timeout: float = 30) -> str:
        """Waits until the order's workflow has ended, and gives its answer."""
        try:
            return self.call(asyncio.wait_for(self.ending(order_id), timeout), timeout + 5)
        except TimeoutError:
            raise AssertionError(f"{order_id} did not end within {timeout:g} s\n{self.story(order_id)}") from None

    async def ending(self, order_id: str) -> str:
        while True:
            try:
                return str(await self.handle(order_id).result())
            except RPCError as absent:  # not started yet
                if absent.status != RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(0.02)

    def story(self, order_id: str) -> str:
        with self.database.sessions() as tx:
            entries = tx.scalars(select(Event).where(Event.order_id == order_id).order_by(Event.event_no))
            lines = [f"  {e.type} {e.subject_id} {e.data}" for e in entries]
            holds = tx.scalars(select(Hold).where(Hold.order_id == order_id, Hold.closed_at.is_(None)))
            lines += [f"  HOLD {h.kind} {h.subject_id} {h.code}" for h in holds]
            order = tx.get(Order, order_id)
            if order:
                lines.append(f"  {order.status} / {order.payment_status} / {order.fulfillment_status}")
        with_engine = self.call(self.pending(order_id))
        return "\n".join([*lines, *with_engine, f"  books {self.books(order_id)}"])

    async def pending(self, order_id: str) -> list[str]:
        try:
            found = await self.handle(order_id).describe()
        except Exception as error:
            return [f"  engine: {type(error).__name__}"]
        waiting = [
            f"  pending {a.activity_type.name} attempt {a.attempt}: {a.last_failure.message}"
            for a in found.raw_description.pending_activities
        ]
        return [f"  workflow {found.status.name if found.status else '?'}", *waiting]

    async def under_way(self, order_id: str) -> int:
        """Calls that have not answered, but for those in our own database."""
        return len((await self.handle(order_id).describe()).raw_description.pending_activities)

    # --- the engine --------------------------------------------------------------------------------------------------

    def handle(self, order_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(workflow_id(order_id))

    def pass_time(self, order_id: str, duration: timedelta) -> None:
        """Time passes for this order and its customer: in the engine and in the outside world."""
        with self.database.sessions() as tx:
            order = tx.get_one(Order, order_id)
            customer = tx.get_one(Customer, order.customer_id)
        self.sandbox.advance(customer.customer_id, duration.total_seconds())
        self.call(TimeSkipper(self.client).fast_forward(self.handle(order_id), duration))

    def reset(self, order_id: str) -> None:
        """As an operator does in the web UI: back to the first workflow task."""

        async def ask() -> None:
            described = await self.handle(order_id).describe()
            await self.client.workflow_service.reset_workflow_execution(
                ResetWorkflowExecutionRequest(
                    namespace=self.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=described.id, run_id=described.run_id),
                    reason="test",
                    workflow_task_finish_event_id=4,
                    request_id=unique("reset"),
                )
            )

        self.call(ask())

    def stock(self, sku: str) -> dict[str, tuple[int, int]]:
        """On hand and reserved, per location."""
        with self.database.sessions() as tx:
            return {s.location_id: (s.on_hand, s.reserved) for s in tx.scalars(select(Stock).where(Stock.sku == sku))}
