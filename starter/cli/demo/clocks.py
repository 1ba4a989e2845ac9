"""Days that pass for one order and its customer's bank, and for nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from infra.sandbox.client import SandboxControl
from workflows.messages import workflow_id


async def set_ahead(sandbox: SandboxControl, engine: Client, customer_id: str, order_id: str, by: timedelta) -> None:
    """The bank's clock, then the order's, until they are so far ahead: what a demo that was killed has let pass is not
    passed again."""
    if left := missing(by, await asyncio.to_thread(sandbox.now, customer_id)):
        await asyncio.to_thread(sandbox.advance, customer_id, left)
    skipper, order = TimeSkipper(engine), engine.get_workflow_handle(workflow_id(order_id))
    try:
        if left := missing(by, await skipper.get_current_time(order)):
            await skipper.fast_forward(order, timedelta(seconds=left))
    except RPCError as trouble:
        if trouble.status != RPCStatusCode.NOT_FOUND:  # it has ended
            raise


def missing(by: timedelta, now: datetime) -> int:
    """Whole seconds: asking takes a part of one."""
    return max(0, round((by - (now - datetime.now(UTC))).total_seconds()))
