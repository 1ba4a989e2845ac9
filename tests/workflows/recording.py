"""`make histories`: plays every scenario and keeps its histories, for `test_histories.py` and each release's gate.

Until CHANGELOG has a version, when the order of steps has changed for good. After it those that are there stay, as
orders that began like them may be under way, and what is new is played with every patch awake.
"""

import asyncio
import json
import logging
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from infra.database import engine
from infra.database.upgrade import upgrade
from infra.processes import leave
from infra.sandbox.client import SandboxControl
from infra.telemetry import log_to_stderr
from infra.temporal import DevServer, dev_server
from tests.fixtures_database import Database
from tests.sandbox import SANDBOX_TOKEN, SandboxProcess
from tests.shop import Shop, unique
from tests.workflows.scenarios import RENEWED, SCENARIOS
from tests.workflows.stories import Story
from workers.replaying import FOLDER

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
AT_ONCE = 4
CALM = {"ORDERS_START_TO_CLOSE": "8s", "ORDERS_STEP_PATIENCE": "10s", "ORDERS_PATCHES": "*"}
"""What is slow on a busy machine is no failure, and not recorded as one."""


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary, world_outside(Path(temporary)) as (server, sandbox):
        FOLDER.mkdir(exist_ok=True)
        changelog, kept = CHANGELOG.read_text(), {file.stem for file in FOLDER.glob("*.json")}
        wanted = to_record({*SCENARIOS, *RENEWED}, kept, changelog)
        for every, settings in ((SCENARIOS, CALM), (RENEWED, CALM | {"ORDERS_CONTINUE_AT_EVERY_WAIT": "true"})):
            scenarios = {name: story for name, story in every.items() if name in wanted}
            database = new_database(Path(temporary) / f"{unique('orders')}.db")
            with Shop(database, server, sandbox, settings=settings) as shop:
                record_all(shop, scenarios)
            database.engine.dispose()
        for name in kept - {*SCENARIOS, *RENEWED} if not is_released(changelog) else ():
            (FOLDER / f"{name}.json").unlink()


def is_released(changelog: str) -> bool:
    return re.search(r"^## \[\d", changelog, re.MULTILINE) is not None


def to_record(scenarios: Set[str], kept: Set[str], changelog: str) -> Set[str]:
    return scenarios - kept if is_released(changelog) else scenarios


@contextmanager
def world_outside(folder: Path) -> Iterator[tuple[DevServer, SandboxControl]]:
    sandbox = SandboxProcess(folder / "sandbox").start()
    control = SandboxControl(sandbox.url, SANDBOX_TOKEN, smtp_port=sandbox.smtp_port)
    try:
        with dev_server(folder / "engine.log") as server:
            yield server, control
    finally:
        control.close()
        sandbox.stop()


def new_database(file: Path) -> Database:
    url = f"sqlite:///{file}"
    opened = engine.create(url, pool_size=40, durable=False)
    upgrade(opened)
    return Database(url, opened, engine.sessions(opened))


def record_all(shop: Shop, scenarios: Mapping[str, Story]) -> None:
    def play(name: str) -> None:
        order = unique("H")
        scenarios[name](shop, order)
        runs = [history.to_json_dict() for history in shop.call(histories(shop, order))]
        kept = {"workflow_id": f"order-{order}", "runs": [without_machine(run) for run in runs]}
        text = json.dumps(kept, separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n")
        print(f"{name}: {len(runs)} runs, {sum(len(run['events']) for run in runs)} events, {len(text)} bytes")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(play, scenarios))


async def histories(shop: Shop, order: str) -> list[WorkflowHistory]:
    """Of all runs, oldest first. Lists come a moment after the fact."""
    last = (await shop.handle(order).describe()).run_id
    while True:
        runs = [run async for run in shop.client.list_workflows(f"WorkflowId = 'order-{order}'")]
        if last in [run.run_id for run in runs] and all(run.close_time for run in runs):
            break
        await asyncio.sleep(0.05)
    handles = [shop.client.get_workflow_handle(run.id, run_id=run.run_id) for run in reversed(runs)]
    return [await handle.fetch_history() for handle in handles]


def without_machine(value: Any) -> Any:
    """No host, process or path of where it was recorded: replay does not ask for them."""
    if isinstance(value, list):
        return [without_machine(part) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {name: without_machine(part) for name, part in value.items() if name != "stackTrace"}
    if "identity" in kept:
        kept["identity"] = "recorded"
    if kept.get("kind") == "TASK_QUEUE_KIND_STICKY":
        kept["name"] = "sticky"
    return kept


if __name__ == "__main__":
    log_to_stderr("histories", logging.ERROR)
    logging.getLogger("temporalio").setLevel(logging.ERROR)
    try:
        main()
    except AssertionError as wrong:
        print(wrong, file=sys.stderr)
        leave(1)
    leave(0)
