"""A bug in the code beside the stages must be seen: a run that waits for ever says nothing."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.models import (
    FulfillmentSnapshot,
    FulfillmentStatus,
    OrderSnapshot,
    OrderStatus,
    OrderStep,
    PaymentStatus,
    ShippingMethod,
    Snapshot,
)
from tests.shop import unique
from workflows.fulfillment import WAYS, FulfillmentRun
from workflows.messages import ORDER, Entry
from workflows.order import OrderWorkflow


@activity.defn(name="load_order")
async def load(step: OrderStep) -> Snapshot:
    f = FulfillmentSnapshot(id=f"{step.order_id}-1", version=1, status=FulfillmentStatus.PLANNED)
    return Snapshot(
        order=OrderSnapshot(version=1, status=OrderStatus.PROCESSING, payment=PaymentStatus.AUTHORIZED),
        fulfillments=(f,),
    )


async def broken(self: FulfillmentRun) -> None:
    raise KeyError("a bug")


async def test_a_bug_in_a_fulfillment_comes_out_in_the_run(temporal: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # outside the workflow sandbox, which would import the code anew and unbroken
    monkeypatch.setitem(WAYS, ShippingMethod.SHIP, (broken,))
    queue = unique("bugs")
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[OrderWorkflow],
        activities=[load],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_failure_exception_types=[Exception],
    ):
        run = temporal.execute_workflow(
            ORDER, Entry(order_id=queue), id=queue, task_queue=queue, run_timeout=timedelta(seconds=30)
        )
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(run, 40)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "KeyError"
