"""What can go wrong outside, in our words. Adapters translate the vendors' errors into these and raise nothing else.

A failure carries a code, our own ids and what to do next; never a vendor's text, which may hold personal data.
"""

from datetime import timedelta


class ProviderFailure(Exception):
    """A provider did not do what was asked. `code` is a short word for machines, `advice` says what to do next."""

    def __init__(self, provider: str, code: str, advice: str = "") -> None:
        super().__init__(f"{provider}: {code}. {advice}".strip())
        self.provider = provider
        self.code = code
        self.advice = advice


class Refused(ProviderFailure):
    """The provider said no for good: repeating the same call is useless. Nothing was done."""


class Unavailable(ProviderFailure):
    """The provider did not take the call (busy, unreachable before sending). Nothing was done: try again."""


class OutcomeUnknown(ProviderFailure):
    """The call may or may not have had its effect: look it up before repeating it, not before `retry_in` has passed."""

    def __init__(self, provider: str, code: str, advice: str = "", *, retry_in: timedelta | None = None) -> None:
        super().__init__(provider, code, advice)
        self.retry_in = retry_in
