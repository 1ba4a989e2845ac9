"""Each decision says whether it holds, since when, and where in the code."""

import re
from datetime import date
from pathlib import Path

import pytest

from tests.sandbox import ROOT

FILES = sorted((ROOT / "docs/decisions").glob("*.md"))
BEGINNING = re.compile(
    r"# (\d+)\. \S.*\n\n"
    r"Status: (accepted|replaced)((?:, [^·]+)?) · Date: (\d{4}-\d{2}-\d{2}) · Paths: (`[^`]+`(?:, `[^`]+`)*)\n\n"
    r"\*\*Context\.\*\* "
)


def beginning(file: Path) -> re.Match[str]:
    found = BEGINNING.match(file.read_text())
    assert found, "begins with: # N. Title, Status: accepted · Date: 2026-01-31 · Paths: `a/b.py`, then **Context.**"
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_decision_has_its_status_date_paths_and_parts(file: Path) -> None:
    number, _, _, since, paths = beginning(file).groups()
    assert file.name.startswith(f"{int(number):04}-")
    assert date.fromisoformat(since)
    assert [path for path in re.findall(r"`([^`]+)`", paths) if not (ROOT / path).exists()] == []
    parts = re.findall(r"^\*\*(\w+)\.\*\*", file.read_text(), re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Alternatives"]


def test_each_number_is_one_decision_and_those_that_are_named_exist() -> None:
    numbers = [int(file.name[:4]) for file in FILES]
    assert len(numbers) == len({*numbers}), "the later of two takes the next number"
    named = {
        int(n)
        for file in FILES
        for n in re.findall(r"\bdecision (\d+)|replace[sd].*? (\d+)", file.read_text())
        for n in n
        if n
    }
    assert named <= {*numbers}
