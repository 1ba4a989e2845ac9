"""How long a machine is tried: HYPOTHESIS_PROFILE=long tries many more orders than the suite has time for, and makes
what fails short."""

import faulthandler
import os

from hypothesis import HealthCheck, Phase, settings

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
TIMES = 20
"""As many examples in a long run."""


def bounded(examples: int, steps: int) -> settings:
    """Each run tries others. One that fails prints how to repeat it, and is the first that the next run here tries."""
    if LONG:
        faulthandler.cancel_dump_traceback_later()  # it would take a long test for one that hangs
    at_once = (Phase.explicit, Phase.reuse, Phase.generate)  # making it short may take minutes
    return settings(
        max_examples=examples * TIMES if LONG else examples,
        stateful_step_count=steps,
        phases=tuple(Phase) if LONG else at_once,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
