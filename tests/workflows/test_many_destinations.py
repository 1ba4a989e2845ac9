"""An order to very many destinations costs by each of them alone, and stays far from what the engine takes: events and
bytes of a run, calls that wait, the size of an answer. `make test-all` plays as many as a large order has."""

import faulthandler
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select
from temporalio.api.enums.v1 import EventType as Kind
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from infra.database.tables import Hold
from infra.hold_kinds import HoldKind
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_shop import NewDatabase
from tests.shop import PACE, Shop
from tests.workflows.recording import histories
from workflows.known import CALLS_AT_ONCE

MANY, HELD = (1_000, 300) if os.environ["CELLS"] == "all" else (24, 12)
CALM = {"ORDERS_START_TO_CLOSE": "25s", "ORDERS_STEP_PATIENCE": "15m", "ORDERS_HTTP_TIMEOUT": "20s"}
RENEWED_AT = 4_096
"""Events. Then the engine suggests a new run, and what is under way comes to its end."""
LARGEST = 512 * 1024
"""Bytes of one answer: above it the engine warns; at four times as much it ends the workflow."""
ENDED = {
    Kind.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    Kind.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    Kind.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    Kind.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
}
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def shop(new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl) -> Iterator[Shop]:
    with Shop(new_database("many", "postgresql"), engine_server, sandbox, settings=CALM) as shop:
        sandbox.pace(PACE)
        yield shop


@pytest.fixture(autouse=True)
def takes_its_time() -> None:
    """More than other tests have: each of them has a clock that starts with it."""
    faulthandler.dump_traceback_later(5_400, exit=True)


def place(shop: Shop, many: int, *, by_hand: bool = False) -> str:
    """One unit to each destination, paid elsewhere; nobody is to be told."""
    asked = shop.order({shop.product(OAK=many): many}, card=None)
    [line], here, order = asked["lines"], asked["shipping"]["address"], str(asked["order_id"])
    streets = [here | {"street1": f"{n} Test St"} for n in range(1, many + 1)]
    asked["lines"] = [line | {"quantity": 1, "ship_to": street} for street in streets]
    asked |= {"payment": {"method": "external", "reference": "till"}, "customer": {"name": "T", "notify": []}}
    if by_hand:
        shop.sandbox.pace(None, order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    return order


def calls_waiting(runs: list[WorkflowHistory]) -> int:
    """The most that the engine ever kept at once."""
    most = 0
    for run in runs:
        open_now = 0
        for event in run.events:
            open_now += (event.event_type == Kind.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) - (event.event_type in ENDED)
            most = max(most, open_now)
    return most


def longest_task(runs: list[WorkflowHistory]) -> float:
    """Seconds that the worker took for one workflow task."""
    longest, begun = 0, 0
    for event in (event for run in runs for event in run.events):
        if event.event_type == Kind.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            begun = event.event_time.ToMilliseconds()
        elif event.event_type == Kind.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            longest = max(longest, event.event_time.ToMilliseconds() - begun)
    return longest / 1_000


def size(events: list[HistoryEvent]) -> int:
    return sum(event.ByteSize() for event in events)


def priced(shop: Shop, order: str, many: int, wall: float, cpu: float, record: Record) -> list[WorkflowHistory]:
    """What it cost, in figures; its runs."""
    runs = shop.call(histories(shop, order))
    events = [event for run in runs for event in run.events]
    kinds = Counter(event.event_type for event in events)
    trouble = kinds[Kind.EVENT_TYPE_WORKFLOW_TASK_FAILED] + kinds[Kind.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT]
    record(
        "figures",
        f"{many} destinations: {len(runs)} runs, {len(events) / many:.1f} events, {size(events) // many} bytes each; "
        f"{kinds[Kind.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]} tasks, the longest {longest_task(runs):.2f} s, "
        f"{trouble} failed or timed out; largest event {max(event.ByteSize() for event in events)} bytes; "
        f"{calls_waiting(runs)} calls at once; {wall:.0f} s, {cpu:.1f} s CPU of API, relay and worker",
    )
    assert max(event.ByteSize() for event in events) < LARGEST
    assert calls_waiting(runs) <= CALLS_AT_ONCE
    assert max(len(run.events) for run in runs) <= RENEWED_AT + 12 * CALLS_AT_ONCE
    return runs


def test_each_of_many_destinations_costs_as_much_as_one_of_few(shop: Shop, record_property: Record) -> None:
    wall, cpu = time.monotonic(), time.process_time()
    order = place(shop, MANY)
    assert shop.call(shop.ending(order), 3_600) == "completed"
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    runs = priced(shop, order, MANY, wall, cpu, record_property)
    events = [event for run in runs for event in run.events]
    ended = 4 * CALLS_AT_ONCE * (len(runs) - 1)  # at each renewal, and begun again
    assert len(events) <= 29 * MANY + ended + 200
    assert size(events) <= 6_000 * MANY + 200 * MANY * len(runs), "each run reads once where each of them stands"
    books = shop.books(order)
    assert (books["labels"], books["warehouse_requests"], books["releases"]) == (MANY, MANY, MANY)


def paid_back(shop: Shop, order: str) -> None:
    """A person gives back, once, what was paid elsewhere."""
    shop.until(lambda: shop.open_hold(order, HoldKind.EXTERNAL_REFUND), "the money to be owed", order, 600)
    shop.resolve(order, "done", HoldKind.EXTERNAL_REFUND)


def test_what_is_held_of_many_is_told_once_each(shop: Shop, record_property: Record) -> None:
    """Each is refused by its warehouse: no answer tells of the holds that were open already."""

    def held() -> int:
        with shop.database.sessions() as tx:
            return tx.scalar(select(func.count()).where(Hold.order_id == order, Hold.closed_at.is_(None))) or 0

    wall, cpu = time.monotonic(), time.process_time()
    order = place(shop, HELD, by_hand=True)
    shop.happened(order, "requested", HELD, 600)
    for n in range(1, HELD + 1):
        shop.sandbox.warehouse(f"{order}-{n}", "refuse")
    shop.until(lambda: held() == HELD, "as many holds", order, 600)
    shop.cancel(order)
    paid_back(shop, order)
    assert shop.call(shop.ending(order), 1_800) == "cancelled"
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    runs = priced(shop, order, HELD, wall, cpu, record_property)
    assert held() == 0
    assert size([event for run in runs for event in run.events]) <= 6_000 * HELD + 400 * HELD * len(runs)
