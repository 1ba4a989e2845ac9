"""How patient a workflow is, as data that it is given."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict


class StepPolicy(BaseModel):
    """How long any workflow's steps are tried, as data. Given when it loads; what is not given has these defaults."""

    model_config = ConfigDict(frozen=True)

    step_timeout: timedelta = timedelta(seconds=25)
    step_patience: timedelta = timedelta(minutes=15)
    held_retry: timedelta = timedelta(minutes=5)
    continue_at_every_wait: bool = False


class Policy(StepPolicy):
    """Timing that the order follows."""

    payment_deadline: timedelta = timedelta(days=3)
    packing_patience: timedelta = timedelta(days=5)
    first_poll: timedelta = timedelta(days=5)
    captured_at_hand_over: bool = False
    """The money of a pickup; else as it gets ready."""
