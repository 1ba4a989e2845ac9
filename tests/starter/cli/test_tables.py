"""What people typed never commands a terminal."""

import pytest

from starter.cli.__main__ import say
from starter.cli.tables import console, table

NASTY = "Ada\x9b31m\x1b[2J\u202ekraP\u2066\u200f"


def test_control_characters_and_turning_marks_are_shown_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    paper = table("name")
    paper.add_row(NASTY)
    console().print(paper)
    console().print(NASTY, markup=False)
    say("orders", NASTY, 1)
    output = "".join(capsys.readouterr())
    assert output.count("Ada") == 3
    assert not any(mark in output for mark in "\x9b\x1b\u202e\u2066\u200f")
