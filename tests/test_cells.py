"""What `make test` leaves out is a sample's, and nothing is left out for good."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import cells
from tests.cells import SAMPLE, left_out, sample
from tests.fixtures_shop import AS_IT_IS, RENEWED
from tests.workflows.mishaps import How, Mishap, Where

ROW = [Mishap("buy_label", where, how) for where in Where for how in How]
OTHER = [cell._replace(other=True) for cell in ROW]
STORE = [cell._replace(store=True) for cell in ROW]


def story(name: str, shop: str) -> Any:
    callspec = SimpleNamespace(params={cells.SHOP: shop})
    return SimpleNamespace(nodeid=f"test_paid.py::{name}[{shop}]", path=Path("test_paid.py"), callspec=callspec)


BOTH = [story("both", shop) for shop in (AS_IT_IS, RENEWED)]
EDGE = [story(name, RENEWED) for name in "abcdefg"]
PLAIN = SimpleNamespace(nodeid="test_paid.py::plain", path=Path("test_paid.py"))


def names_left_out(monkeypatch: pytest.MonkeyPatch, seed: str) -> set[str]:
    monkeypatch.setenv("CELLS", SAMPLE + seed)
    return {item.nodeid for item in left_out(cast(list[pytest.Item], [PLAIN, *BOTH, *EDGE]))}


def test_each_story_of_each_activity_keeps_a_cell() -> None:
    chosen = sample([*ROW, *OTHER, *STORE], "1")
    assert Counter((cell.other, cell.store) for cell in chosen) == {
        (False, False): 1,
        (True, False): 1,
        (False, True): 1,
    }
    assert {cell for seed in range(200) for cell in sample(ROW, str(seed))} == {*ROW}


def test_a_story_is_played_in_one_shop_and_two_of_three_at_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    out = [names_left_out(monkeypatch, str(seed)) for seed in range(50)]
    assert names_left_out(monkeypatch, "7") == out[7]
    assert {len(each & {item.nodeid for item in BOTH}) for each in out} == {1}
    assert {len(each & {item.nodeid for item in EDGE}) for each in out} == {2}
    assert set().union(*out) == {item.nodeid for item in [*BOTH, *EDGE]}
