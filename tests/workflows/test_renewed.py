"""No run of ours is ever ended by the engine: it goes on as a new one in time, whatever floods it and whatever is under
way. Here the engine suggests it, takes signals, and ends what has grown too long at a fraction of its usual limits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError

from infra import temporal
from infra.hold_kinds import HoldKind
from infra.temporal import dev_server
from tests.fixtures_shop import NewDatabase
from tests.sandbox import SandboxControl
from tests.shop import Shop
from tests.workflows import stories
from tests.workflows.recording import histories

SUGGESTED, LARGE, SIGNALS = 60, 100_000, 200
SMALL = {
    "limit.historyCount.suggestContinueAsNew": str(SUGGESTED),  # 4,096
    "limit.historyCount.error": "1500",  # 51,200: what is longer is terminated
    "limit.historySize.suggestContinueAsNew": str(LARGE),  # 4 MiB
    "limit.historySize.error": "1000000",  # 50 MiB
    "history.maximumSignalsPerExecution": str(SIGNALS),  # 10,000: more are refused
}
MANY = 24
PATIENT = {"ORDERS_STEP_PATIENCE": "10m"}


@pytest.fixture(scope="module")
def small_shop(
    new_database: NewDatabase, sandbox: SandboxControl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setitem(temporal.DYNAMIC_SETTINGS, name, value)
        with (
            dev_server(tmp_path_factory.mktemp("small") / "log") as engine,
            Shop(new_database("small"), engine, sandbox, settings=PATIENT) as shop,
        ):
            yield shop


@pytest.fixture
def shop(small_shop: Shop) -> Shop:
    small_shop.sandbox.pace(0.02)
    small_shop.sandbox.webhooks_to(small_shop.settings.public_url)
    return small_shop


def runs(shop: Shop, order: str) -> list[tuple[WorkflowExecutionStatus | None, int]]:
    """How each run of an order that has ended stands and how long it became, the first first."""

    async def ask() -> list[tuple[WorkflowExecutionStatus | None, int]]:
        await histories(shop, order)  # the list comes a moment after the fact
        found = [run async for run in shop.client.list_workflows(f"WorkflowId = 'order-{order}'")]
        return [(run.status, run.history_length) for run in sorted(found, key=lambda run: run.start_time)]

    return shop.call(ask())


def size(shop: Shop, order: str) -> tuple[int, int]:
    """Of all its runs' histories: events and bytes."""
    whole = [history.events for history in shop.call(histories(shop, order))]
    return sum(map(len, whole)), sum(event.ByteSize() for events in whole for event in events)


def test_an_order_to_many_addresses_grows_by_each_of_them_alone(shop: Shop) -> None:
    """Its runs end long before the engine's limits, and none carries what another had heard."""
    asked = shop.order({shop.product(OAK=MANY): MANY}, card=None)
    [line], here = asked["lines"], asked["shipping"]["address"]
    streets = [here | {"street1": f"{n} Test St"} for n in range(1, MANY + 1)]
    asked["lines"] = [line | {"quantity": 1, "ship_to": street} for street in streets]
    asked |= {"payment": {"method": "external", "reference": "till"}, "customer": {"name": "T", "notify": []}}
    order = asked["order_id"]
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    assert shop.ends(order, 120) == "completed"
    ended = runs(shop, order)
    assert {status for status, _ in ended[:-1]} == {WorkflowExecutionStatus.CONTINUED_AS_NEW}
    assert ended[-1][0] == WorkflowExecutionStatus.COMPLETED
    assert max(length for _, length in ended) <= SUGGESTED + 12 * MANY, "what was under way came to its end"
    events, bytes = size(shop, order)
    assert events <= 50 * MANY
    assert bytes <= 5_800 * MANY + 200 * MANY * len(ended), "each run reads once where each of them stands"


def test_a_flood_of_updates_beside_signals_is_survived(shop: Shop) -> None:
    order = shop.place({shop.product(): 1})
    stories.customer_hears(shop, order, "backordered")

    async def flood() -> None:
        handle = shop.handle(order)
        for n in range(80):
            await handle.signal("news")
            signal = "hold" if n % 2 else "resolve"
            about = {"by": "eve", "why": "looks odd", **({} if n % 2 else {"hold": "none", "action": "retry"})}
            with suppress(WorkflowUpdateFailedError):
                await handle.execute_update(signal, about)

    shop.call(flood())
    assert shop.view(order)["holds"][0]["reason"] == "operator"
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    ended = runs(shop, order)
    assert {status for status, _ in ended[:-1]} == {WorkflowExecutionStatus.CONTINUED_AS_NEW}
    assert len(ended) > 2


def test_a_flood_of_signals_is_survived(shop: Shop) -> None:
    """Twice as many as the engine takes for one run."""
    order = shop.place({shop.product(): 1})
    stories.customer_hears(shop, order, "backordered")

    async def flood() -> None:
        handle = shop.handle(order)
        for n in range(2 * SIGNALS):
            await handle.signal(("news", "nonsense", "message", "cancel")[n % 4], {"nonsense": n})

    shop.call(flood())
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    ended = runs(shop, order)
    assert [status for status, _ in ended[:-1]] == [WorkflowExecutionStatus.CONTINUED_AS_NEW] * (len(ended) - 1)
    assert ended[-1][0] == WorkflowExecutionStatus.COMPLETED
    assert len(ended) > 3


def test_a_history_that_grows_by_bytes_is_survived(shop: Shop) -> None:
    """Few events, but twice as large as the engine lets a history grow. A run that has lived for less than a second is
    followed a second later: what comes meanwhile is bounded, as no run could hear of it."""
    order = shop.place({shop.product(): 1})
    stories.customer_hears(shop, order, "backordered")

    def grown() -> int:
        return shop.call(shop.handle(order).describe()).raw_description.workflow_execution_info.history_size_bytes

    for n in range(40):
        shop.call(shop.handle(order).signal("news", f"{n}" * 50_000))
        shop.until(lambda: grown() < 5 * LARGE, "another run", order)
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    *renewed, last = runs(shop, order)
    assert {status for status, _ in renewed} == {WorkflowExecutionStatus.CONTINUED_AS_NEW}
    assert last[0] == WorkflowExecutionStatus.COMPLETED
    assert min(length for _, length in renewed) < SUGGESTED, "renewed for its size"


def test_renewal_waits_neither_for_a_call_that_is_tried_again_for_ever_nor_loses_a_decision(shop: Shop) -> None:
    """Two parcels: the first one's label fails again and again, the second is held by an operator, who decides just as
    the renewal is due."""
    asked = shop.order({shop.product(OAK=1): 1, shop.product(prefix="SILENT", RNO=1): 1})
    order = asked["order_id"]
    fault = shop.sandbox.fail("shippo", "*", "error", times=None, match=order)
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    shop.happened(order, "packed")
    shop.until(lambda: shop.sandbox.struck(fault) > 1, "the label to be tried again", order)
    about = {"by": "eve", "why": "looks odd", "fulfillment": f"{order}-2"}
    shop.call(shop.handle(order).execute_update("hold", about))
    hold = shop.open_hold(order, HoldKind.STOPPED)
    first = shop.call(shop.handle(order).describe()).run_id

    async def flood() -> None:
        while (await shop.handle(order).describe()).run_id == first:
            await shop.handle(order).signal("news")

    with ThreadPoolExecutor(1) as crowd:
        flooded = crowd.submit(lambda: shop.call(flood()))
        decision = {"hold": hold, "action": "retry", "by": "eve", "why": "is fine"}
        shop.call(shop.handle(order).execute_update("resolve", decision))
        flooded.result()
    shop.until(lambda: shop.open_hold(order) is None, "the decision", order)
    tried = shop.sandbox.struck(fault)
    shop.until(lambda: shop.sandbox.struck(fault) > tried, "the new run to try it again", order)
    shop.sandbox.mend(fault)
    shop.happened(order, "requested", 2)
    shop.sandbox.warehouse(f"{order}-2", "pack")
    shop.happened(order, "released", 2)
    shop.sandbox.warehouse(f"{order}-2", "hand_over")
    assert shop.ends(order, 60) == "completed"
    books = shop.books(order)
    assert (books["labels"], books["captures"], books["warehouse_requests"], books["releases"]) == (2, 2, 2, 2)
    assert "held" not in shop.timeline(order)[shop.timeline(order).index("held") + 1 :]
