"""The only code that talks to the engine: starts orders, and tells them that their tables hold something new."""

from datetime import timedelta
from decimal import Decimal

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.messages.wording import MINOR_DIGITS
from infra.database.tables import Order
from workflows.messages import ORDER, TASK_QUEUE, Entry, Nudge, searchable, workflow_id

PATIENCE = timedelta(seconds=5)
DOWN = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


class EngineDown(Exception):
    """The engine does not answer. Nothing is lost: the tables say what is due."""


class Orders:
    """Orders as the engine knows them. Every call is safe to repeat: the order's row decides, not the engine."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def start(self, order: Order) -> None:
        """Begins the order's workflow, unless it runs."""
        await self.send(order, None)

    async def nudge(self, order: Order, kind: Nudge) -> None:
        """Tells the order to look at its tables; begins its workflow when it does not run (any more)."""
        await self.send(order, kind)

    async def send(self, order: Order, signal: Nudge | None) -> None:
        try:
            await self.client.start_workflow(
                ORDER,
                Entry(order_id=order.order_id),
                id=workflow_id(order.order_id),
                task_queue=TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal=signal,
                search_attributes=searchable(
                    status=order.status,
                    channel=order.channel,
                    customer_id=order.customer_id,
                    total=order.total,
                    placed_at=order.placed_at,
                ),
                static_summary=summary(order),
                rpc_timeout=PATIENCE,
            )
        except RPCError as trouble:
            if trouble.status in DOWN:
                raise EngineDown from trouble
            raise
        except RuntimeError as trouble:  # a lazy client that can't connect
            raise EngineDown from trouble

    async def reachable(self) -> bool:
        try:
            return await self.client.service_client.check_health(timeout=timedelta(seconds=2))
        except (RPCError, RuntimeError):
            return False


def summary(order: Order) -> str:
    """What the web UI shows beside the order's id."""
    currency = order.currency.upper()
    amount = Decimal(order.total).scaleb(-MINOR_DIGITS.get(currency, 2))
    return f"{order.order_id}: {amount} {currency}, {order.channel}"
