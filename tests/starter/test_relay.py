"""Whatever was accepted is started and nudged: once leased by one process, and again until the order has read it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.facts.journal import nudge, nudge_about
from activities.models import Subject
from infra.clock import wall_clock
from infra.database.tables import Order, Relay
from infra.processes import free_ports
from infra.settings import Settings
from infra.temporal import connect, start_dev_server
from starter.engine import Workflows
from starter.kinds import Kind, Start
from starter.relay import BATCH, WAITS, RelayWorker, grouped, leased
from tests.fixtures_database import Database
from tests.starter import stages
from tests.starter.door import Api, running
from workflows.messages import workflow_id


@pytest.fixture
def order_id() -> str:
    return f"R-{uuid4().hex[:12]}"


@pytest.fixture
async def api(settings: Settings, shop: Database, temporal: Client) -> AsyncIterator[Api]:
    """With an engine, and no worker: what is started waits there."""
    async with running(settings, shop, temporal) as api:
        yield api


@pytest.fixture
async def started(temporal: Client, order_id: str) -> AsyncIterator[Callable[[], object]]:
    yield lambda: is_running(temporal, order_id)
    with suppress(RPCError):
        await temporal.get_workflow_handle(workflow_id(order_id)).terminate()


async def is_running(client: Client, order_id: str) -> bool:
    try:
        found = await client.get_workflow_handle(workflow_id(order_id)).describe()
    except RPCError:
        return False
    return found.status == WorkflowExecutionStatus.RUNNING


async def until(condition: Callable[[], object], seconds: float = 15) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert asyncio.get_running_loop().time() < end, "it never came true"
        await asyncio.sleep(0.02)


async def history(client: Client, order_id: str) -> list[EventType.ValueType]:
    handle = client.get_workflow_handle(workflow_id(order_id))
    return [event.event_type async for event in handle.fetch_history_events()]


async def test_a_placed_order_is_started_at_once_and_once(
    api: Api, temporal: Client, order_id: str, started: Callable[[], object]
) -> None:
    await asyncio.gather(*(api.place(order_id=order_id) for _ in range(5)))
    await until(started)
    found = await temporal.get_workflow_handle(workflow_id(order_id)).describe()
    assert {pair.key.name: pair.value for pair in found.typed_search_attributes} | {
        "OrderStatus": "placed",
        "OrderChannel": "web",
        "CustomerId": "C-7",
        "OrderTotal": 4410,
    } == {pair.key.name: pair.value for pair in found.typed_search_attributes}
    assert await found.static_summary() == "44.10 USD"
    history = (await temporal.get_workflow_handle(workflow_id(order_id)).fetch_history()).to_json()
    assert not any(person in history for person in ("Ada", "ada@", "Clayton", "94117"))


async def test_an_order_that_has_ended_hears_news_by_beginning_again(
    api: Api, temporal: Client, order_id: str, started: Callable[[], object]
) -> None:
    await api.place(order_id=order_id)
    await until(started)
    stages.read_by_the_order(api.database)
    await temporal.get_workflow_handle(workflow_id(order_id)).terminate()
    with api.database.sessions.begin() as tx:
        nudge(tx, [order_id, order_id])
        nudge(tx, [order_id], "restocked")
    api.app.state.dependencies.relay.wake()
    await until(started)
    signals = [e for e in await history(temporal, order_id) if e == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
    with api.database.sessions() as tx:  # both rows with one signal, each time that they were told
        assert len(signals) <= (tx.scalar(select(func.max(Relay.attempts)).where(Relay.done_at.is_(None))) or 0)


async def test_what_was_read_is_not_told_again(api: Api, order_id: str, started: Callable[[], object]) -> None:
    await api.place(order_id=order_id)
    await until(started)
    stages.read_by_the_order(api.database)
    with api.database.sessions.begin() as tx:
        tx.execute(update(Relay).values(due_at=wall_clock() - timedelta(hours=1)))
        assert leased(tx, wall_clock()) == []


@pytest.mark.both_databases
async def test_two_processes_lease_each_row_once(api: Api) -> None:
    await api.place()
    rows = [
        {
            "subject_kind": "order",
            "subject_id": "W-1001",
            "kind": "news",
            "attempts": 0,
            "due_at": stages.now(),
            "recorded_at": stages.now(),
        }
        for _ in range(3 * BATCH)
    ]
    with api.database.sessions.begin() as tx:
        tx.execute(update(Relay).values(done_at=stages.now()))
        tx.execute(insert(Relay), rows)
    now = stages.now()

    def lease() -> list[int]:
        with api.database.sessions.begin() as tx:
            return [row.relay_id for row in leased(tx, now)]

    batches = await asyncio.gather(*(asyncio.to_thread(lease) for _ in range(12)))
    ids = [relay_id for batch in batches for relay_id in batch]
    assert len(ids) == len(set(ids))
    while more := lease():
        ids += more
    assert len(ids) == len(set(ids)) == 3 * BATCH


@pytest.mark.both_databases
async def test_a_row_that_nobody_reads_comes_up_later_and_later(shop: Database, api: Api) -> None:
    await api.place()
    now = stages.now()
    with shop.sessions.begin() as tx:  # one transaction: the API's own relay must not come between
        tx.execute(update(Relay).values(due_at=now, attempts=0))
        for wait in (*WAITS, WAITS[-1], WAITS[-1]):
            assert len(leased(tx, now)) == 1
            assert leased(tx, now + wait - timedelta(seconds=1)) == []
            now += wait


async def test_a_bug_about_one_order_keeps_no_other_from_being_told(
    api: Api,
    order_id: str,
    started: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    send = Workflows.send

    async def stumbling(self: Workflows, kind: Kind, subject_id: str, start: Start, signal: str | None) -> None:
        if subject_id == "BAD":
            raise ValueError
        await send(self, kind, subject_id, start, signal)

    monkeypatch.setattr(Workflows, "send", stumbling)
    await api.place(order_id="BAD")
    await until(lambda: "a workflow cannot be told" in caplog.text)
    await api.place(order_id=order_id)
    await until(started)
    with api.database.sessions() as tx:
        assert tx.scalars(select(Relay).where(Relay.subject_id == "BAD")).one().due_at > stages.now()


async def test_a_subject_that_nobody_knows_keeps_no_other_from_being_told(
    api: Api, order_id: str, started: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    """Of a kind that a newer process writes; or of a known kind, and without a row."""
    strangers = [Subject("voyage", "V-1"), Subject("order", "NONE")]
    with api.database.sessions.begin() as tx:
        nudge_about(tx, strangers)
    await api.place(order_id=order_id)
    await until(started)
    assert caplog.text.count("nobody knows how to start this") >= len(strangers)
    with api.database.sessions() as tx:
        for stranger in strangers:
            assert tx.scalars(select(Relay).where(Relay.subject_id == stranger.id)).one().due_at > stages.now()


async def test_a_bug_in_the_relay_itself_does_not_end_it(
    api: Api,
    order_id: str,
    started: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(RelayWorker, "lease", lambda _: [].pop())
        await api.place(order_id=order_id)
        await until(lambda: "relay stumbles" in caplog.text)
    api.app.state.dependencies.relay.wake()
    await until(started)


async def test_the_oldest_orders_are_told_first(shop: Database, api: Api, temporal: Client) -> None:
    for n in range(3):
        await api.place(order_id=f"O-{n}")
    with shop.sessions.begin() as tx:  # one transaction: the API's own relay must not come between
        for n in (2, 0, 1):
            due = stages.now() - timedelta(minutes=3 - n)
            tx.execute(update(Relay).where(Relay.subject_id == f"O-{n}").values(due_at=due))
        dues = grouped(tx, leased(tx, stages.now()))
    assert [due.subject.id for due in dues] == ["O-0", "O-1", "O-2"]
    for n in range(3):
        with suppress(RPCError):
            await temporal.get_workflow_handle(workflow_id(f"O-{n}")).terminate()


async def test_orders_accepted_while_the_engine_is_down_start_when_it_is_back(
    settings: Settings, shop: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_ports(1)[0]
    client = await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{port}", "TEMPORAL_NAMESPACE": "default"}, lazy=True)
    orders = [f"D-{n}" for n in range(30)]

    def logged(word: str) -> int:
        return sum(word in record.getMessage() for record in caplog.records)

    async with running(settings, shop, client) as api:
        answers = [await api.place(order_id=order_id) for order_id in orders]
        assert {answer.status_code for answer in answers} == {202}
        await until(lambda: logged("engine is down"))
        ready = await api.client.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"database": "ok", "engine": "away", "stopping": False})
        assert "\norders_engine_up 0.0\n" in (await api.client.get("/metrics")).text
        server = start_dev_server(tmp_path / "engine", port=port)
        try:
            for order_id in orders:
                await until(lambda order_id=order_id: is_running(client, order_id), 30)  # type: ignore[misc]
            await until(lambda: logged("engine is back"))
            assert (await api.client.get("/readyz")).json()["engine"] == "ok"
            assert "\norders_engine_up 1.0\n" in (await api.client.get("/metrics")).text
            assert logged("engine is down") == 1
            with shop.sessions() as tx:
                assert tx.scalar(select(func.count()).select_from(Order)) == 30
        finally:
            server.child.stop()
