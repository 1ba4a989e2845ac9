"""What a worker takes on."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import Client

from tests.shop import unique
from workers.worker import ThrownInto, worker


@activity.defn(name="pack_by_hand")
def in_a_thread() -> None: ...


@activity.defn(name="pack_by_hand", no_thread_cancel_exception=True)
def left_alone() -> None: ...


@activity.defn(name="pack_by_hand")
async def in_no_thread() -> None: ...


async def test_an_activity_that_would_be_ended_in_its_thread_is_refused_by_name(temporal: Client) -> None:
    with pytest.raises(ThrownInto, match=r"pack_by_hand needs .*no_thread_cancel_exception=True"):
        worker(temporal, [], [in_a_thread], drain=timedelta(seconds=1), task_queue=unique("thrown"))


@pytest.mark.parametrize("taken", [left_alone, in_no_thread])
async def test_others_are_taken(temporal: Client, taken: Callable[[], object]) -> None:
    assert worker(temporal, [], [taken], drain=timedelta(seconds=1), task_queue=unique("taken"))
