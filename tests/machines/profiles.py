"""How long a machine is tried, and by which seed. The commit chooses it, so that one commit is tried alike everywhere;
`SEED=` says another. HYPOTHESIS_PROFILE=long tries many more orders than the suite has time for, other ones each time,
and makes what fails short."""

import faulthandler
import os
import secrets
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from tests.cells import commit

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
TIMES = 20
"""As many examples in a long run."""


class Tried(RuleBasedStateMachine):
    steps: ClassVar[int] = 0
    """How many were done, and everything looked at after each."""

    @invariant()
    def one_more(self) -> None:
        type(self).steps += 1


def run(machine: type[Tried], examples: int, steps: int, record: Callable[[str, object], None]) -> None:
    by = os.environ.get("SEED") or (secrets.token_hex(4) if LONG else commit())
    at_once = (Phase.explicit, Phase.generate)  # making it short may take minutes
    how = settings(
        max_examples=examples * TIMES if LONG else examples,
        stateful_step_count=steps,
        phases=tuple(Phase) if LONG else at_once,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.MonkeyPatch.context() as patch:
        # numbers that stand in what happens to be imported are drawn more often: that depends on the tests before
        patch.setattr(providers, "_get_local_constants", Constants, raising=False)
        if LONG:
            faulthandler.cancel_dump_traceback_later()  # it would take a long test for one that hangs
        try:
            run_state_machine_as_test(seed(by)(machine), settings=how)
        finally:
            again = f"{'HYPOTHESIS_PROFILE=long ' if LONG else ''}make test SEED={by} T=tests/machines"
            record("figures", f"{machine.steps} steps; the same again: {again}")
