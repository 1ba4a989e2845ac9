"""What leaves an activity that failed: our code and advice, never what the vendor or the customer said."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from workers.failures import SpeakPlainly


class Step(ActivityInboundInterceptor):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        raise self.error


async def outcome(error: BaseException) -> ApplicationError:
    spoken = SpeakPlainly().intercept_activity(Step(error))
    call = ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={})
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(spoken.execute_activity, call)
    return raised.value


@pytest.mark.parametrize(
    ("failure", "retried"),
    [
        (Refused("labels", "address", "Correct it."), False),
        (Unavailable("labels", "http_503", "It is tried again."), True),
        (OutcomeUnknown("labels", "timeout", "It is looked up."), True),
    ],
)
async def test_a_providers_failure_says_code_and_advice_and_whether_to_repeat(
    failure: ProviderFailure, retried: bool
) -> None:
    shown = await outcome(failure)
    assert list(shown.details) == [failure.code, failure.advice]
    assert shown.type == type(failure).__name__
    assert shown.non_retryable is not retried


async def test_any_other_error_is_named_by_its_type_alone() -> None:
    shown = await outcome(KeyError("ada@example.com lives at 215 Clayton St"))
    assert "ada" not in str(shown)
    assert "Clayton" not in repr(shown.details)
    assert shown.type == "KeyError"
    assert shown.__cause__ is None
    assert shown.__suppress_context__
