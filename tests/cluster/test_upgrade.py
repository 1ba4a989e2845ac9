"""Versions of our code replace each other while orders wait and come in: asleep, woken, by mistake, and a bad one."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.processes import free_ports
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Say
from tests.cluster.drill import Drill, drill
from tests.cluster.releases import PAST_THE_PATCH, PATCH_ID, REPORTED, Releases, next_code, without_guard
from tests.sandbox import ROOT

APIS = ("api-1", "api-2")
OLD, NEW, BAD = "old", "new", "bad"
MINUTE = 60.0
PAST_THE_STEP = 20
WAITING, LET_IN = 20, 30
"""So many, and such a share in per cent, that at least one of them meets the bad version."""
STILL_WAIT = 2
"""Orders of a drill: for goods, and for a person."""


@pytest.fixture
def releases(cluster: Cluster) -> Iterator[Releases]:
    """Two workers of the old version, which is the current one; afterwards two of none."""
    made = Releases(cluster)
    made.workers(OLD)
    made.current(OLD)
    made.end(["worker-1", "worker-2"])
    yield made
    versions = [name for name, each in cluster.processes.items() if each.module == "workers"]
    for n, port in enumerate(free_ports(2), start=1):
        cluster.begin(f"worker-{n}", "workers", port).ready()
    made.unversioned()
    made.end(versions)
    made.roll([name for name in APIS if cluster.processes[name].code != ROOT], ROOT)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next_code(tmp_path_factory.mktemp("next"))


def test_rolling_upgrade(cluster: Cluster, releases: Releases, code: Path, say: Say) -> None:
    with drill(cluster, "upgrade", say) as running:
        releases.migrate(code)
        releases.workers(NEW, code)
        assert releases.gate(NEW) is None
        for share in (10, 50):
            releases.ramp(NEW, share)
            running.tell(f"{share} % go to the new version")
            running.goes_on()
        cluster.until(lambda: releases.served_by(NEW), "an order to be with the new version")
        releases.ramp(NEW, 0)
        running.tell("rolled back at 50 %")
        running.goes_on()
        assert not releases.failures()
        releases.current(NEW)
        releases.roll(APIS, code)
        running.tell("everything is new, and the step asleep")
        running.goes_on()
        assert not inspected(cluster)
        releases.workers(NEW, code, PATCH_ID)
        running.tell("woken")
        cluster.until(lambda: releases.drainage(OLD) == "drained", "the old version to be drained", 240)
        releases.end([f"worker-{OLD}-{n}" for n in (1, 2)])
        assert not releases.failures()
    assert {running.stages.backordered, running.stages.held} <= inspected(cluster)
    assert not releases.failures()


def test_rolled_back_awake(cluster: Cluster, releases: Releases, code: Path, say: Say) -> None:
    """The mistake that sleeping patches prevent, and how an operator mends it."""
    with drill(cluster, "awake", say) as running:
        releases.migrate(code)
        releases.workers(NEW, code, PATCH_ID)
        releases.current(NEW)
        past = [f"awake-past-{n}" for n in range(1, PAST_THE_STEP + 1)]
        running.stages.packed_and_released(*past)
        assert {*past} <= inspected(cluster)
        releases.current(OLD)
        releases.end([f"worker-{NEW}-{n}" for n in (1, 2)])
        running.tell(f"rolled back with {PAST_THE_STEP} orders past the step")
        released(running)
        told_within_a_minute(running, releases)
        asked = releases.reset(PAST_THE_PATCH)
        assert asked >= PAST_THE_STEP
        running.tell(f"{asked} orders are reset")
        all_end(running, past)
    assert {*past} <= inspected(cluster)


def test_bad_release(cluster: Cluster, releases: Releases, code: Path, say: Say, tmp_path: Path) -> None:
    """The new version without its guard: refused; and let in all the same."""
    bad = tmp_path / BAD
    shutil.copytree(code, bad)
    without_guard(bad)
    with drill(cluster, "bad-release", say) as running:
        releases.migrate(code)
        waiting = [f"bad-release-waiting-{n}" for n in range(1, WAITING + 1)]
        running.stages.packed_and_released(*waiting)
        releases.workers(BAD, bad)
        why = releases.gate(BAD)
        assert why is not None
        assert any(order_id in why for order_id in waiting)
        running.tell(f"refused: {why[:200]}")
        assert not releases.served_by(BAD)
        releases.ramp(BAD, LET_IN)
        running.tell(f"let in at {LET_IN} % all the same")
        released(running)
        told_within_a_minute(running, releases)
        astray = cluster.until(lambda: under_way(running, inspected(cluster)), "a new order past the step", 240)
        running.stages.stop(astray)
        running.tell(f"{len(astray)} new orders are past the step that is not guarded")
        releases.ramp(BAD, 0)
        releases.end([f"worker-{BAD}-{n}" for n in (1, 2)])
        running.stages.move()
        assert mended(running, releases, waiting), "what is past the step is reset"


# --- parts of drills -------------------------------------------------------------------------------------------------


def inspected(cluster: Cluster) -> set[str]:
    """Orders that came by the new step."""
    with cluster.sessions() as tx:
        return {*tx.scalars(text("SELECT order_id FROM fulfillments WHERE inspection = 'passed'"))}


def under_way(running: Drill, order_ids: set[str]) -> set[str]:
    """Those of them that customers have placed and that are not at their end."""
    mine = order_ids & {*running.placed}
    return mine - {*running.statuses(mine, "completed")}


def released(running: Drill) -> None:
    """What waited in the warehouse is handed over: each order is told."""
    running.strikes()
    running.stages.move()


def told_within_a_minute(running: Drill, releases: Releases) -> None:
    began = time.monotonic()
    running.cluster.until(releases.failures, "a metric to tell", MINUTE)
    running.tell(f"a metric tells after {time.monotonic() - began:.0f} s")


def all_end(running: Drill, order_ids: list[str]) -> None:
    before = [*running.placed, *order_ids]
    running.cluster.until(lambda: len(running.statuses(before, "completed")) == len(before), "all to end", 300)


def mended(running: Drill, releases: Releases, order_ids: list[str]) -> int:
    """Orders that the version before does not understand are reported after some tries; those are reset. How many.

    Some of them are completed, as their parcels have arrived, and only the customer does not hear of it."""
    before, resets = {*running.placed, *order_ids, *running.stages.by_hand}, 0
    now = datetime.now(UTC).isoformat()
    begun = f"WorkflowType = 'Order' AND ExecutionStatus = 'Running' AND StartTime < '{now}'"

    def done() -> bool:
        nonlocal resets
        resets += releases.reset(REPORTED)
        return len(running.statuses(before, "completed")) == len(before) and releases.count(begun) <= STILL_WAIT

    running.cluster.until(done, "all to come to their end", 300)
    running.tell(f"{resets} resets brought all to their end")
    return resets
