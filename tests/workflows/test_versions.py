"""Versions of the worker: what one adds to an order, which are let in to orders, and the way back from one."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.views.stages import STAGES
from infra import telemetry
from infra.processes import free_ports
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer, connect
from starter.cli.bench.cost import cost_of
from tests.fixtures_shop import NewDatabase
from tests.sandbox import ROOT
from tests.shop import unique
from tests.starter.cli.commands import Orders, Output
from tests.workflows import stories
from tests.workflows.deploying import Deployed
from tests.workflows.next_order import PATCH, Guarded, Unguarded
from tests.workflows.recording import histories
from tests.workflows.test_cost import USUAL, told_all
from workers.release_gate import ENDED
from workers.replaying import FILES, recorded
from workers.worker import BUILD
from workflows.release_gate import Wish


@pytest.fixture(scope="module")
def deployed(new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl) -> Iterator[Deployed]:
    with Deployed(new_database("deployed"), engine_server, sandbox, settings=USUAL) as shop:
        yield shop


def test_a_version_adds_little_to_a_plain_order(
    deployed: Deployed, record_property: Callable[[str, object], None]
) -> None:
    order = unique("W")[-6:]
    told_all(deployed, order)
    runs = deployed.call(histories(deployed, order))
    cost = cost_of(runs)
    for event in (event for run in runs for event in run.events):
        if event.HasField("workflow_task_completed_event_attributes"):
            task = event.workflow_task_completed_event_attributes
            task.worker_version.build_id = BUILD
            for name in ("versioning_behavior", "worker_deployment_name", "deployment_version"):
                task.ClearField(name)
    added = cost.bytes - cost_of(runs).bytes
    record_property("figures", f"{added} of {cost.bytes} bytes are those of the version, in {cost.events} events")
    assert cost.events <= 53
    assert cost.billed <= 18, cost.actions
    assert added <= 600
    assert cost.bytes <= 9_800 + 600
    assert deployed.worked_on(order) == {deployed.first.build_id}


@pytest.fixture(scope="module")
def waiting(deployed: Deployed) -> dict[str, list[str]]:
    """Orders that are open, by stage: many have been asked for, few wait for stock or lie packed."""
    requested = [deployed.place({deployed.product(OAK=1): 1}, by_hand=True) for _ in range(4)]
    backordered = deployed.place({deployed.product(): 1}, by_hand=True)
    packed = deployed.place({deployed.product(OAK=1): 1}, by_hand=True)
    stories.pack(deployed, packed)
    for order in requested:
        deployed.happened(order, "requested")
    deployed.happened(backordered, "backordered")
    return {"requested": requested, "backordered": [backordered], "packed": [packed]}


RECORDED = sum(len(recorded(file)) for file in FILES)


def test_a_version_is_let_in_that_replays_recorded_and_open_orders(
    deployed: Deployed, waiting: dict[str, list[str]]
) -> None:
    with deployed.another("v1-1-0", [Guarded]) as gate:
        let_in = gate(Wish(orders=5))
    assert (let_in.recorded, let_in.failed) == (RECORDED, {})
    assert let_in.orders == {"requested": 3, "backordered": 1, "packed": 1}, "a stage of many crowds out none"


def test_a_version_that_breaks_open_orders_is_kept_from_every_one(
    deployed: Deployed, waiting: dict[str, list[str]]
) -> None:
    orders = [order for of_stage in waiting.values() for order in of_stage]
    with deployed.another("v2-0-0", [Unguarded]) as gate:
        with pytest.raises(WorkflowFailureError) as refused:
            gate(Wish())
        for order in waiting["requested"]:
            stories.pack(deployed, order)
    why = refused.value.cause
    assert isinstance(why, ApplicationError)
    assert why.type == "DoesNotReplay"
    assert f"of {RECORDED + len(orders)} histories do not replay with this version: " in why.message
    assert [order for order in orders if f"{order} ([TMPRL1100] Nondeterminism error: " not in why.message] == []
    assert {build for order in orders for build in deployed.worked_on(order)} == {deployed.first.build_id}


def test_each_stage_of_open_orders_has_its_share() -> None:
    """Twenty, where there are so many."""
    assert Wish().orders == 200
    assert len([*STAGES, ENDED]) * 20 <= Wish().orders


@contextmanager
def rolled_back(shop: Deployed, order: str, *, awake: bool) -> Iterator[str]:
    """An order has come past what is new in the next version, whose patch is awake or not, when today's comes back.
    Where its worker tells its numbers."""
    replaced(shop, [Guarded], patches=PATCH if awake else "")
    shop.place({shop.product(OAK=1): 1}, order_id=order, by_hand=True)
    shop.happened(order, "requested", 1, 60)
    [port] = free_ports(1)
    settings = shop.engine.settings() | {"TEMPORAL_NAMESPACE": shop.namespace}
    client = shop.call(connect(settings, runtime=telemetry.runtime(f"127.0.0.1:{port}")))
    replaced(shop, client=client, workflow_failure_exception_types=[])
    yield f"http://127.0.0.1:{port}/metrics"
    replaced(shop)


def replaced(shop: Deployed, *workflows: Any, **options: Any) -> None:
    shop.call(shop.end_work())
    shop.call(shop.begin_work(*workflows, **options))


def failed_tasks(metrics: str) -> float:
    text = httpx.get(metrics, trust_env=False).text
    lines = re.findall(r"^temporal_workflow_task_execution_failed_total{.*} (\S+)$", text, re.MULTILINE)
    return sum(float(number) for number in lines)


def gate_command(shop: Deployed) -> Output:
    engine = shop.engine.settings() | {"TEMPORAL_NAMESPACE": shop.namespace}
    return Orders(shop.environment(USUAL) | engine)("release-gate", "--json")


def reset_as_the_runbook_says(shop: Deployed) -> None:
    text = (ROOT / "docs/operating.md").read_text().replace("\\\n", "")
    commands = re.findall(r"^temporal (workflow reset .*)$", text, re.MULTILINE)
    [command] = [each for each in commands if "PATCH" in each]
    where = ["--address", shop.engine.address, "--namespace", shop.namespace]
    program = Path(sys.executable).with_name("temporal")
    subprocess.run([program, *shlex.split(command.replace("PATCH", PATCH)), *where], check=True, capture_output=True)


def test_rolled_back_with_the_patch_asleep_no_task_fails(deployed: Deployed) -> None:
    order = unique("W")
    with rolled_back(deployed, order, awake=False) as metrics:
        stories.pack(deployed, order)
        stories.deliver(deployed, order)
        assert deployed.ends(order) == "completed"
        assert failed_tasks(metrics) == 0
    assert PATCH not in str(deployed.call(deployed.handle(order).fetch_history()).events)


def test_rolled_back_with_the_patch_awake_a_metric_tells_and_the_runbooks_reset_brings_orders_to_their_end(
    deployed: Deployed,
) -> None:
    order = unique("W")
    with rolled_back(deployed, order, awake=True) as metrics:
        deployed.warehouse(order).packs()
        deployed.until(lambda: failed_tasks(metrics), "the metric", order, 60)
        refused = gate_command(deployed)
        assert (refused.code, list(json.loads(refused.out)["failed"])) == (1, [order]), refused
        assert re.match(rf"orders release-gate: 1 of \d+ histories do not replay .*: {order} \(", refused.err)
        reset_as_the_runbook_says(deployed)
        deployed.happened(order, "released", 1, 60)
        stories.deliver(deployed, order)
        assert deployed.ends(order, 60) == "completed"
    books = deployed.books(order)
    assert [books[effect] for effect in ("authorizations", "captures", "labels")] == [1, 1, 1]
    assert (gate_command(deployed).code, deployed.timeline(order).count("released")) == (0, 1)
