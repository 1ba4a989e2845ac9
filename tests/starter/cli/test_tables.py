"""What people typed never commands a terminal; and money stands in columns."""

import pytest

from starter.cli.__main__ import say
from starter.cli.tables import console, table, tenders

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


def test_tenders_are_shown_where_several_pay(capsys: pytest.CaptureFixture[str]) -> None:
    voucher = {"n": 1, "method": "external", "reference": "till [4]", "amount": 6000, "captured": 6000}
    card = {"n": 2, "method": "card", "reference": "pm_1", "amount": None, "captured": 0}
    paid = [each | {"refunded": 0, "to_come": 9} for each in (voucher, card)]
    console().print(tenders({"currency": "usd", "payment": {"tenders": paid}}))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["1", "external", "till", "[4]", "$60.00", "$60.00", "$0.00", "$0.09"] in rows
    assert ["2", "card", "pm_1", "the", "rest", "$0.00", "$0.00", "$0.09"] in rows
    assert not tenders({"currency": "usd", "payment": {"tenders": paid[:1]}}).rows
