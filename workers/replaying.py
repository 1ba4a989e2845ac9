"""Histories, met by the workflow code of this version."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from temporalio.client import WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer

import workflows as room
from infra.temporal import DATA_CONVERTER
from workers.worker import RUNNER

FOLDER = Path(room.__path__[0]) / "histories"
"""They go with the code, wherever it goes."""
FILES = sorted(FOLDER.glob("*.json"))
REASON = 300
"""Characters of what is said about one history."""


class Kept(NamedTuple):
    """One history, and whose: an order's id, or a file's name."""

    whose: str
    history: WorkflowHistory


def recorded(file: Path) -> list[Kept]:
    """Of each run of one order."""
    kept = json.loads(file.read_text())
    return [Kept(file.name, WorkflowHistory.from_json(kept["workflow_id"], run)) for run in kept["runs"]]


async def replay(histories: AsyncIterator[Kept], workflows: Sequence[type]) -> AsyncIterator[tuple[str, str | None]]:
    """Whose each was, and why it does not replay; None when it does. None is kept."""
    whose: list[str] = []

    async def told_whose() -> AsyncIterator[WorkflowHistory]:
        async for each in histories:
            whose.append(each.whose)
            yield each.history

    # a busy machine is no deadlock: `debug_mode` is the Replayer's way not to look for one
    replayer = Replayer(
        workflows=workflows, data_converter=DATA_CONVERTER, workflow_runner=RUNNER, debug_mode=True, runtime=quiet()
    )
    async with replayer.workflow_replay_iterator(told_whose()) as results:
        async for result in results:
            why = result.replay_failure
            yield whose[-1], None if why is None else in_words(str(why))


@cache
def quiet() -> Runtime:
    """What does not replay is for whoever asked to tell: no order fails by it, so no log and no metric says so."""
    return Runtime(telemetry=TelemetryConfig(logging=None))


def in_words(failure: str) -> str:
    """The engine's client wraps what it says in its own notation."""
    quoted = re.search(r'message: "((?:[^"\\]|\\.)+)"', failure)
    return " ".join((quoted[1] if quoted else failure).split())[:REASON]
