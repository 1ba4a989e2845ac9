"""A change of workflow code ships asleep, is woken, and may be put to sleep again."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from tests.shop import unique
from tests.workers.crossroads import Crossroads
from workers.worker import worker


async def events_of(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType) -> int:
    return [event.event_type async for event in handle.fetch_history_events()].count(kind)


@pytest.mark.parametrize(
    ("awake", "way"), [("", "old"), ("another", "old"), ("another,shorter-way", "new"), ("*", "new")]
)
async def test_a_run_takes_the_new_way_where_the_patch_is_awake_and_keeps_to_it(
    temporal: Client, awake: str, way: str
) -> None:
    queue, drain = unique("crossroads"), timedelta(seconds=1)
    async with worker(temporal, [Crossroads], [], drain=drain, task_queue=queue, patches=awake):
        handle = await temporal.start_workflow(Crossroads.run, id=queue, task_queue=queue)
        assert await handle.execute_update(Crossroads.where) == [way]
    async with worker(temporal, [Crossroads], [], drain=drain, task_queue=queue, patches="" if way == "new" else "*"):
        await handle.signal(Crossroads.go_home)
        assert await asyncio.wait_for(handle.result(), 30) == [way]
    markers = await events_of(handle, EventType.EVENT_TYPE_MARKER_RECORDED)
    assert markers == (1 if way == "new" else 0)
    assert await events_of(handle, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED) == 0
