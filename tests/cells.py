"""Which cells a run plays of the crash table and of the matrix of cancellations, and which stories at the edge. `CELLS`
says it: `all`, a sample by its seed (`sample:1f2e3d4`), or cells of the crash table by their names or a part of these,
with `;` between them. Where it says nothing, the commit chooses the sample."""

import os
import random
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from tests.sandbox import ROOT
from tests.workflows.mishaps import Mishap

T = TypeVar("T")
SAMPLE = "sample:"
SHOP = "any_shop"


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
    """A cell of each activity, and of each of its stories: none is ever left out."""
    rows: dict[tuple[str, bool, bool], list[Mishap]] = defaultdict(list)
    for cell in cells:
        rows[cell.activity, cell.other, cell.store].append(cell)
    chance = random.Random(seed)
    return [chance.choice(row) for row in rows.values()]


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


def left_out(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of stories that both shops can play, one of the two; of those at the edge, a third in each file."""
    twice: dict[object, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if shop := params(item).get(SHOP):
            twice[item.nodeid.replace(str(shop), "")].append(item)
    edge: dict[object, list[pytest.Item]] = defaultdict(list)
    for row in twice.values():
        if len(row) == 1:
            edge[row[0].path].append(row[0])
    chance = random.Random(os.environ["CELLS"])
    one_of_two = [chance.choice(row) for row in twice.values() if len(row) == 2]
    return one_of_two + [item for row in edge.values() for item in chance.sample(row, len(row) // 3)]


def params(item: pytest.Item) -> dict[str, object]:
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any(".py" in named for named in config.args) or not os.environ["CELLS"].startswith(SAMPLE):
        return
    if out := left_out(items):
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in {*out}]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ended = [report for how in ("passed", "failed") for report in terminalreporter.stats.get(how, [])]
    if cells := sum("test_cut_off_anywhere" in report.nodeid for report in ended):
        terminalreporter.write_line(
            f'crash table: {cells} cells; the same again: make test CELLS="{os.environ["CELLS"]}"; all: make test-all'
        )
