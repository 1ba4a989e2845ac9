"""Workflows run without a sandbox: nothing in them may be another in a replay, or in another process."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.replaying import FILES

ROOT = Path(__file__).parents[2]
OF_WORKFLOWS = [*ROOT.glob("workflows/*.py"), *ROOT.glob("infra/words/*.py")]
OF_WORKFLOWS += [ROOT / "activities/models.py", ROOT / "infra/hold_kinds.py"]
BANNED = """\
import time
from asyncio import wait
from datetime import datetime
from uuid import uuid4
datetime.now(tz)
"""


def test_histories_replay_whatever_the_order_of_sets() -> None:
    """It differs by process, as strings are hashed with a seed."""
    orders = [replayed("1"), replayed("2")]
    assert orders[0] != orders[1], "the seed makes no difference here"
    assert set(orders[0]) == set(orders[1]) == {file.stem for file in FILES}


def replayed(seed: str) -> list[str]:
    """What a process with this seed has replayed, in the order of its sets."""
    command = [sys.executable, "-m", "tests.workflows.replaying"]
    ran = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


HELD = ("workflows/order.py", "activities/models.py", "infra/words/orders.py", "infra/hold_kinds.py")


@pytest.mark.parametrize("file", HELD)
def test_clock_chance_and_threads_are_banned(file: str) -> None:
    assert banned(file) == ["1", "2", "4", "5"]


def test_they_are_not_banned_elsewhere() -> None:
    assert banned("starter/relay.py") == []


def banned(file: str) -> list[str]:
    """Lines that ruff refuses in this file."""
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "concise"]
    ran = subprocess.run(
        [*command, "--stdin-filename", file, "-"], input=BANNED, cwd=ROOT, capture_output=True, text=True
    )
    return [line.split(":")[1] for line in ran.stdout.splitlines() if "TID251" in line]


def test_no_builtin_answers_by_process() -> None:
    used = {file.name: loaded(file) & {"hash", "id", "input", "open", "print"} for file in OF_WORKFLOWS}
    assert not any(used.values()), used


def loaded(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
