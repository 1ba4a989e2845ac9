"""What rules choose from."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.machines.account import Trouble

Thing = TypeVar("Thing")
some = st.integers(0, 11)
"""Which one: counted on from the first."""
modes = st.sampled_from(["lose_answer", "error", "error_kept"])


def pick(things: Sequence[Thing], which: int) -> Thing:
    return things[which % len(things)]


def troubles(*operations: str) -> st.SearchStrategy[Trouble]:
    """None, in half of all cases."""
    struck = st.builds(Trouble, st.sampled_from(operations), modes, st.booleans())
    return st.one_of(st.builds(Trouble, soon=st.booleans()), struck)


def given(name: str) -> Callable[..., Any]:
    """Only while there is such a thing."""
    return precondition(lambda machine: bool(getattr(machine, name)))
