"""The command line as processes: what was said, on which stream, and the exit code."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from activities.intake.example import example_order
from infra.home import Home
from infra.processes import Child, start
from starter.cli.__main__ import main
from starter.cli.stack.environment import without_real_parts

WRITTEN = os.O_WRONLY | os.O_CREAT
ROOT = Path(__file__).resolve().parents[3]
ORDERS = [sys.executable, "-m", "starter.cli"]
IMPORTED = [
    "starter.cli.__main__",
    "starter.cli.client",
    "starter.cli.reading",
    "infra.database.upgrade",
    "alembic.command",
    "workers.__main__",
    "starter.api.__main__",
]
FORKED = multiprocessing.get_context("forkserver")
"""Each command is a process of its own, forked from one that imported what most need: a fifth of the cost."""
FORKED.set_forkserver_preload(["pytest", __name__, *IMPORTED])


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
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("in", "out", "err")]
            streams[0].write_text(stdin)
            process = FORKED.Process(target=command, args=(arguments, apart, streams))
            process.start()
            process.join(120)
            assert process.exitcode is not None, f"{arguments} did not end: {streams[1].read_text()}"
            return Output(process.exitcode, streams[1].read_text(), streams[2].read_text())

    def anew(self, *arguments: str) -> Output:
        """By an interpreter of its own, which imports all anew."""
        done = subprocess.run(
            [*ORDERS, *arguments], cwd=ROOT, env=told_apart(self.environ), capture_output=True, text=True, timeout=120
        )
        return Output(done.returncode, done.stdout, done.stderr)


def command(arguments: tuple[str, ...], environ: dict[str, str], streams: list[Path]) -> NoReturn:
    """What `python -m starter.cli` does."""
    for number, (path, flags) in enumerate(zip(streams, (os.O_RDONLY, WRITTEN, WRITTEN), strict=True)):
        os.dup2(os.open(path, flags), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = arguments
    main()


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
