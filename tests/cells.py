"""Which cells a run plays of the crash table, and of the matrix of cancellations. `CELLS` says it: `all`, a sample by
its seed (`sample:1f2e3d4`), or cells of the crash table by their names or a part of these, with `;` between them. Where
it says nothing, the commit chooses the sample."""

import os
import random
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from tests.sandbox import ROOT
from tests.workflows.mishaps import Mishap

T = TypeVar("T")
SAMPLE = "sample:"
OF_EACH_ACTIVITY = 2


def chosen(cells: list[Mishap]) -> list[Mishap]:
    wanted = os.environ["CELLS"]
    if wanted == "all":
        return cells
    if wanted.startswith(SAMPLE):
        return sample(cells, wanted.removeprefix(SAMPLE))
    names = [name for each in wanted.split(";") if (name := each.strip())]
    if missing := [name for name in names if not any(name in str(cell) for cell in cells)]:
        raise pytest.UsageError(f"CELLS: the crash table has no cell called {' or '.join(missing)}")
    return [cell for cell in cells if any(name in str(cell) for name in names)]


def sample(cells: list[Mishap], seed: str) -> list[Mishap]:
    """As many cells of each activity, and some of each of its stories: none is ever left out."""
    rows: dict[tuple[str, bool], list[Mishap]] = defaultdict(list)
    for cell in cells:
        rows[cell.activity, cell.other].append(cell)
    stories = Counter(activity for activity, _ in rows)
    chance = random.Random(seed)
    return [
        cell
        for (activity, _), row in rows.items()
        for cell in sorted(chance.sample(row, OF_EACH_ACTIVITY // stories[activity]), key=row.index)
    ]


def third(cells: Iterable[T], of_one: Callable[[T], object]) -> list[T]:
    """Of those that are of one, a third; all of them unless a sample is wanted."""
    wanted = os.environ["CELLS"]
    if not wanted.startswith(SAMPLE):
        return [*cells]
    rows: dict[object, list[T]] = defaultdict(list)
    for cell in cells:
        rows[of_one(cell)].append(cell)
    chance = random.Random(wanted)
    return [cell for row in rows.values() for cell in chance.sample(row, len(row) // 3)]


def commit() -> str:
    """What is checked out; a fixed word where that is not known."""
    try:
        found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return "no-commit"
    return found.stdout.strip() or "no-commit"


def pytest_configure() -> None:
    # before processes are started for the tests: all of them play the same
    os.environ["CELLS"] = os.environ.get("CELLS") or SAMPLE + commit()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ended = [report for how in ("passed", "failed") for report in terminalreporter.stats.get(how, [])]
    if cells := sum("test_cut_off_anywhere" in report.nodeid for report in ended):
        terminalreporter.write_line(
            f'crash table: {cells} cells; the same again: make test CELLS="{os.environ["CELLS"]}"'
        )
