"""The command line as processes: what was said, on which stream, and the exit code."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.intake.example import example_order
from infra.home import Home
from infra.processes import Child, start
from starter.cli.stack.environment import without_real_parts

ROOT = Path(__file__).resolve().parents[3]
ORDERS = [sys.executable, "-m", "starter.cli"]


@dataclass(frozen=True)
class Output:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def failed(self, code: int) -> str:
        """The one line that says why; nothing else was said."""
        assert self.code == code, self
        assert self.out == "", self
        assert self.err.count("\n") == 1, self
        return self.err.strip()


@dataclass(frozen=True)
class Orders:
    environ: Mapping[str, str]

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> Output:
        apart = told_apart(dict(self.environ) | environ)
        done = subprocess.run(
            [*ORDERS, *arguments], cwd=ROOT, env=apart, input=stdin, capture_output=True, text=True, timeout=120
        )
        return Output(done.returncode, done.stdout, done.stderr)


def told_apart(environ: Mapping[str, str]) -> dict[str, str]:
    """This machine's own settings must not reach a test."""
    return without_real_parts(os.environ) | {"ORDERS_ENV_FILE": "", "COLUMNS": "200"} | dict(environ)


def started_up(home: Home, *, pace: float, **environ: str) -> Child:
    """`orders up`, once it says that orders are taken."""
    home.make()
    apart = told_apart({"ORDERS_HOME": str(home.path)} | environ)
    up = start("up", [*ORDERS, "up", "--pace", str(pace)], log=home.path / "up.log", environ=apart, folder=ROOT)
    up.wait_for_line("Orders are taken", seconds=60)
    return up


def an_order(**changes: Any) -> dict[str, Any]:
    """One of the seeded catalogue's mugs, with an id of its own."""
    order_id = changes.pop("order_id", f"T-{uuid.uuid4().hex[:10]}")
    return example_order(order_id, {"MUG-BLUE": 1}, **changes)
