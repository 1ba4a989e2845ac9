"""Histories that were recorded, met by today's code. `python -m tests.workflows.replaying` replays all of them."""

import asyncio
import json
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from infra.temporal import DATA_CONVERTER
from workers.worker import RUNNER
from workflows.order import OrderWorkflow

FOLDER = Path(__file__).with_name("histories")
FILES = sorted(FOLDER.glob("*.json"))


async def replay(text: str) -> None:
    kept = json.loads(text)
    replayer = Replayer(workflows=[OrderWorkflow], data_converter=DATA_CONVERTER, workflow_runner=RUNNER)
    for run in kept["runs"]:
        await replayer.replay_workflow(WorkflowHistory.from_json(kept["workflow_id"], run))


async def replay_all() -> None:
    for file in FILES:
        await replay(await asyncio.to_thread(file.read_text))


if __name__ == "__main__":
    asyncio.run(replay_all())
    print(*{file.stem for file in FILES})
