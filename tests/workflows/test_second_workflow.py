"""A workflow of another kind stands on the same wiring: begun by the relay, held, killed and renewed as an order is.
Here the engine suggests a new run after 60 events instead of 4,096."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from sqlalchemy import func, select
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from activities.facts import deadlines
from activities.facts.journal import nudge_about
from activities.models import Subject
from infra import temporal
from infra.clock import wall_clock
from infra.database.tables import Change, Deadline, Effect, Hold, Relay
from infra.holds import Action, AnyHoldKind, HoldReason
from infra.processes import Child, start
from infra.temporal import dev_server
from starter.kinds import KINDS
from tests.fixtures_shop import NewDatabase
from tests.sandbox import SandboxControl
from tests.shop import Shop
from tests.stack import unique
from tests.starter.cli.commands import Orders, Output
from tests.workflows import making
from tests.workflows.factory import Factory
from tests.workflows.production import CALLS, workflow_id

SUGGESTED = 60
QUICK = {"ORDERS_STEP_PATIENCE": "3s", "ORDERS_HELD_RETRY": "2s"}
ROOT = Path(__file__).parents[2]


class Maker(Shop):
    """A shop whose worker is a process of its own, and knows productions too."""

    kinds = {**KINDS, "production": making.KIND}
    factory: Factory
    log: Path
    child: Child

    async def begin_work(self, *_: Any, **options: Any) -> None:
        """By the test, in the main thread: a process dies with the thread that began it."""

    async def end_work(self) -> None:
        """The same."""

    def begin_worker(self, **settings: str) -> None:
        """In place of one that has ended."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("ORDERS_", "TEMPORAL_"))}
        found = self.engine.settings() | {"TEMPORAL_NAMESPACE": self.namespace, making.FACTORY_URL: self.factory.url}
        environ = plain | self.environment(QUICK | settings) | found
        command = [sys.executable, "-m", "tests.workflows.making"]
        self.child = start("maker", command, log=self.log, environ=environ, folder=ROOT)
        self.child.wait_for_line("worker_ready")

    def produce(self, units: int, *, factory: str = "works", within: timedelta | None = None) -> str:
        """`within`: the production is late after that."""
        production_id = unique("M")
        self.factory.behaves(production_id, factory)
        with self.database.sessions.begin() as tx:
            tx.add(making.Production(production_id=production_id, units=units, made=0, version=0))
            tx.flush()
            about = Subject("production", production_id)
            if within is not None:
                deadlines.begin(tx, None, "production_late", about, wall_clock() + within)
            nudge_about(tx, [about], "start")
        return production_id

    def run_of(self, production_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(workflow_id(production_id))

    def has_made(self, production_id: str) -> int | None:
        """What its workflow answers; None until it has ended."""

        async def ask() -> int | None:
            try:
                described = await self.run_of(production_id).describe()
            except RPCError:
                return None
            return await self.run_of(production_id).result() if described.status != RUNNING else None

        return self.call(ask())

    def hold_of(self, production_id: str) -> Hold | None:
        with self.database.sessions() as tx:
            mine = (Hold.subject_kind == "production", Hold.subject_id == production_id, Hold.closed_at.is_(None))
            return tx.scalars(select(Hold).where(*mine)).first()

    def held(self, production_id: str) -> Hold:
        found = self.until(lambda: self.hold_of(production_id), "a hold")
        assert found
        return found

    def orders(self, *arguments: str) -> Output:
        """The command line, against this shop's API."""
        key = self.api.headers["Authorization"].removeprefix("Bearer ")
        return Orders({"ORDERS_API_URL": str(self.api.base_url), "ORDERS_API_KEY": key})(*arguments)

    def listed(self, production_id: str) -> list[tuple[str, str, list[str]]]:
        page = self.api.get("/v1/holds", params={"subject_kind": "production"}).raise_for_status().json()
        return [
            (one["hold"], one["kind"], one["actions"]) for one in page["holds"] if one["subject_id"] == production_id
        ]

    def decide(self, hold: Hold, action: str) -> None:
        decision = {"hold": hold.hold_id, "action": action, "by": "eve", "why": "seen to it"}
        self.call(self.run_of(hold.subject_id).execute_update("resolve", decision))

    def decided(self, hold: Hold) -> tuple[str | None, str | None]:
        with self.database.sessions() as tx:
            now = tx.get_one(Hold, hold.hold_id)
            return now.action, now.closed_by


RUNNING = WorkflowExecutionStatus.RUNNING


@pytest.fixture(scope="module")
def maker(
    new_database: NewDatabase, sandbox: SandboxControl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Maker]:
    folder, database = tmp_path_factory.mktemp("maker"), new_database("maker")
    making.Base.metadata.create_all(database.engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(temporal.DYNAMIC_SETTINGS, "limit.historyCount.suggestContinueAsNew", str(SUGGESTED))
        with dev_server(folder / "engine") as engine, Maker(database, engine, sandbox, settings=QUICK) as maker:
            maker.factory, maker.log = Factory(), folder / "worker"
            maker.begin_worker()
            yield maker
            maker.child.kill()
            maker.factory.close()


@pytest.fixture
def ends(maker: Maker) -> Callable[[str, int], None]:
    """Each unit was made once, and nothing is left anywhere."""

    def ended(production_id: str, units: int) -> None:
        what = f"{units} units of {production_id}"
        maker.until(lambda: maker.has_made(production_id) is not None, what, timeout=40)
        assert maker.has_made(production_id) == units == len(maker.factory.made.get(production_id, ()))
        with maker.database.sessions() as tx:
            about = (Effect.subject_kind == "production", Effect.subject_id == production_id)
            done = select(func.count()).where(*about, Effect.outcome == "done", Effect.order_id.is_(None))
            assert tx.scalar(done) == units
            assert tx.scalar(select(func.count()).where(*about, Effect.finished_at.is_(None))) == 0
            due = (Relay.subject_kind == "production", Relay.subject_id == production_id, Relay.done_at.is_(None))
            assert tx.scalar(select(func.count()).where(*due)) == 0
        assert maker.hold_of(production_id) is None

    return ended


def test_the_relay_starts_what_the_kind_names(maker: Maker, ends: Callable[[str, int], None]) -> None:
    production = maker.produce(3)
    ends(production, 3)
    found = maker.call(maker.run_of(production).describe())
    assert (found.workflow_type, maker.call(found.static_summary())) == ("Production", "3 units")


def test_a_step_that_fails_is_held_about_its_subject_until_a_person_decides(
    maker: Maker, ends: Callable[[str, int], None]
) -> None:
    production = maker.produce(2, factory="refuses")
    hold = maker.held(production)
    assert (hold.order_id, hold.reason, hold.code, hold.hold_id) == (
        None,
        "step_failed",
        "no_material",
        f"{production}-h1",
    )
    maker.factory.behaves(production, "works")
    maker.decide(hold, "retry")
    ends(production, 2)
    assert maker.decided(hold) == ("retry", "eve (web UI)")


def test_its_own_kind_of_hold_is_listed_and_decided_over_http(maker: Maker, ends: Callable[[str, int], None]) -> None:
    production = maker.produce(2, factory="refuses")
    hold = maker.held(production)
    assert maker.listed(production) == [(hold.hold_id, "make_unit_failed", ["retry", "skip"])]
    where = f"/v1/holds/{hold.hold_id}/resolution"
    refused = maker.api.post(where, json={"action": "cancel", "why": "too late"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "action")
    maker.factory.behaves(production, "works")
    asked = [maker.api.post(where, json={"action": "retry", "by": "eve", "why": "it came"}) for _ in range(2)]
    assert asked[0].status_code == 202
    ends(production, 2)
    assert maker.decided(hold) == ("retry", f"eve ({maker.namespace})")
    assert maker.listed(production) == []
    assert maker.api.post(where, json={"action": "retry", "why": "again"}).status_code == 409
    with maker.database.sessions() as tx:
        changes = tx.scalars(select(Change).where(Change.hold_id == hold.hold_id)).all()
    assert [(change.order_id, change.decision) for change in changes] == [(None, "retry")]


def test_its_own_kind_of_hold_is_decided_on_the_command_line(maker: Maker, ends: Callable[[str, int], None]) -> None:
    production = maker.produce(2, factory="refuses")
    hold = maker.held(production)
    shown = maker.orders("holds", "list", "--about", "production")
    assert shown.code == 0, shown
    assert all(word in shown.out for word in (hold.hold_id, "make_unit_failed", "retry, skip")), shown
    done = maker.orders("holds", "resolve", hold.hold_id, "--action", "skip", "--why", "sold out")
    assert (done.code, done.out) == (0, f"{hold.hold_id}: skip asked\n"), done
    ends(production, 0)
    assert maker.decided(hold) == ("skip", maker.namespace)


def test_a_step_that_changes_nothing_is_held_and_goes_on_by_itself(
    maker: Maker, ends: Callable[[str, int], None]
) -> None:
    production = maker.produce(1, factory="busy")
    hold = maker.held(production)
    assert (hold.reason, hold.code) == ("no_progress", "make_unit")
    asked = maker.factory.times(production)
    assert asked < 6, "it was asked without pause"
    maker.factory.behaves(production, "works")
    ends(production, 1)


def test_a_worker_killed_within_a_step_makes_no_unit_twice(maker: Maker, ends: Callable[[str, int], None]) -> None:
    production = maker.produce(2, factory="silent")
    maker.until(lambda: maker.factory.times(production), "the factory to be asked")
    maker.child.kill()
    maker.factory.behaves(production, "works")
    maker.begin_worker()
    ends(production, 2)
    keys = [key for name, key in maker.factory.asked if name == production]
    assert keys[:2] == [keys[0]] * 2, "the lost call is repeated with its own key"


def test_a_run_is_renewed_while_a_call_is_tried_again(maker: Maker, ends: Callable[[str, int], None]) -> None:
    maker.child.stop()
    maker.begin_worker(ORDERS_STEP_PATIENCE="10m")
    production = maker.produce(2, factory="broken")
    maker.until(lambda: maker.factory.times(production), "the factory to be asked")
    first = maker.call(maker.run_of(production).describe()).run_id

    async def flood() -> None:
        while (await maker.run_of(production).describe()).run_id == first:
            await maker.run_of(production).signal("news")

    maker.call(flood())
    asked = maker.factory.times(production)
    maker.until(lambda: maker.factory.times(production) > asked, "the new run to try it again")
    maker.factory.behaves(production, "works")
    ends(production, 2)

    async def runs() -> list[WorkflowExecutionStatus | None]:
        found = [run async for run in maker.client.list_workflows(f"WorkflowId = '{workflow_id(production)}'")]
        return [run.status for run in sorted(found, key=lambda run: run.start_time)]

    *renewed, last = maker.call(runs())
    assert renewed == [WorkflowExecutionStatus.CONTINUED_AS_NEW] * len(renewed)
    assert renewed
    assert last == WorkflowExecutionStatus.COMPLETED


def test_a_deadline_of_no_order_passes_once_in_its_own_run(maker: Maker, ends: Callable[[str, int], None]) -> None:
    production, in_time = maker.produce(1, factory="refuses", within=timedelta(seconds=2)), maker.produce(1)
    maker.held(production)

    def late(production_id: str) -> bool:
        with maker.database.sessions() as tx:
            return tx.get_one(making.Production, production_id).late

    maker.until(lambda: late(production), "the deadline to pass")
    maker.factory.behaves(production, "works")
    for each in (production, in_time):
        ends(each, 1)
    assert not late(in_time)
    with maker.database.sessions() as tx:
        [row] = tx.scalars(select(Deadline).where(Deadline.subject_kind == "production"))
    assert (row.order_id, row.subject_id, row.done_at is not None) == (None, production, True)


def test_two_kinds_of_holds_never_share_a_word() -> None:
    with pytest.raises((ValueError, RuntimeError), match="there is a kind of hold called make_unit_failed"):

        class Other(AnyHoldKind):
            ALIKE = ("make_unit_failed", HoldReason.STEP_FAILED, "", {Action.RETRY: ""})


def test_its_calls_are_what_the_worker_registers(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(making.FACTORY_URL, maker.factory.url)
    registered = making.activities(maker.database.sessions, maker.settings)
    hints = {each.__temporal_activity_definition.name: get_type_hints(each) for each in registered}  # type: ignore[attr-defined]
    assert {call.name: {"step": call.takes, "return": call.answers} for call in CALLS} == hints
