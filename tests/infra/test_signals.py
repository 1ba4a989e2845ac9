"""SIGTERM ends every program of ours that has not begun yet, also as process 1 of a container."""

import os
import signal
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.processes import Child, start
from infra.signals import ENDED
from tests.namespaces import AS_PROCESS_1, needs_process_1, process_1
from tests.sandbox import ROOT

MODULE, _, FUNCTION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["orders"].partition(
    ":"
)
ORDERS = ["-c", f"from {MODULE} import {FUNCTION}; {FUNCTION}()"]
"""As the script of that name does."""
AT_MOST = 0.2
"""Seconds of CPU until a program listens; on a machine that has nothing else to do it is as long by the clock."""


def has_set(field: str, process: psutil.Process) -> bool:
    """Whether SIGTERM is among these signals of it (`SigCgt`: those with a handler, `SigBlk`: those that wait)."""
    status = Path(f"/proc/{process.pid}/status").read_text().split(f"{field}:")[1].split()[0]
    return bool(int(status, 16) & 1 << signal.SIGTERM - 1)


def begun(tmp_path: Path, *arguments: str) -> Child:
    environ = {"PATH": os.environ["PATH"], "ORDERS_ENV_FILE": ""}
    return start(
        "program", [*AS_PROCESS_1, sys.executable, "-P", *arguments], log=tmp_path / "log", environ=environ, folder=ROOT
    )


@pytest.fixture(params=[["-m", "workers"], ["-m", "starter.api"], ["-m", "infra.sandbox"], [*ORDERS, "up"]], ids=str)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Child]:
    child = begun(tmp_path, *request.param)
    yield child
    child.kill()


@needs_process_1
def test_told_to_stop_while_it_imports_it_ends_at_once(program: Child) -> None:
    inside = process_1(program)
    while not has_set("SigCgt", inside):
        time.sleep(0.001)
    used = inside.cpu_times()
    assert used.user + used.system <= AT_MOST
    os.kill(inside.pid, signal.SIGTERM)
    assert program.process.wait(30) == ENDED, program.last_words()


@needs_process_1
def test_told_to_stop_between_two_programs_the_second_ends_at_once(tmp_path: Path) -> None:
    """`orders worker` becomes another program, which begins without handlers."""
    child = begun(tmp_path, *ORDERS, "worker")
    inside = process_1(child)
    while not has_set("SigBlk", inside) and "workers" not in inside.cmdline():
        time.sleep(0.001)
    os.kill(inside.pid, signal.SIGTERM)
    assert child.process.wait(30) == ENDED, child.last_words()
