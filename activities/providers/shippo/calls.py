"""One call to Shippo through its SDK: a timeout, one attempt, and its troubles in our words.

The SDK has no timeout of its own and raises while parsing answers that it does not know, also that of a label which was
bought. So the answer's text is kept, and whoever asked reads that. Its 300 modules are imported by the first call: they
were a seventh of a worker's start.
"""

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.providers.shippo.answers import ADDRESS

if TYPE_CHECKING:
    from shippo import Shippo  # type: ignore[import-untyped]

PROVIDER = "shippo"
_CONNECT_SECONDS = 5.0
LOOK_UP = "Nobody knows whether it was done: that is looked up before it is tried again, which happens by itself."

REJECTED = (
    "The shipping provider rejects this: its dashboard says why. Mend that (address, parcel, the location's own "
    "address, account), then retry."
)


class _Read(Exception):
    """The answer is there, and we read it ourselves."""


class _Session(requests.Session):
    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = (min(_CONNECT_SECONDS, timeout), timeout)
        self.begin()

    def begin(self, *, sdk_reads: bool = True) -> None:
        """Whether the SDK is to make its objects of the next answer: that takes longer than everything else here."""
        self.sdk_reads = sdk_reads
        self.sent = self.answered = False
        self.text = ""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", self._timeout)
        # A followed redirect turns a POST into a GET, and its 200 would look like an answer to the purchase.
        kwargs["allow_redirects"] = False
        self.sent = True
        answer = super().send(request, **kwargs)
        self.text, self.answered = answer.text, True
        if answer.ok and not self.sdk_reads:
            raise _Read
        return answer


class ShippoCalls:
    """Asks Shippo. Safe to share: each thread has an SDK and a connection of its own."""

    def __init__(self, api_token: str, api_base: str | None, timeout: float) -> None:
        # The SDK names the scheme only for tokens that begin with `shippo_`, which older ones do not.
        self._authorization = api_token if api_token.startswith("shippo_") else f"ShippoToken {api_token}"
        self._api_base = api_base
        self._timeout = timeout
        self._own = threading.local()

    def look(self, ask: "Callable[[Shippo], object]") -> str:
        """The answer's JSON, whether or not the SDK can parse it. For calls that are harmless to repeat."""
        text, failure = self._attempt(ask)
        if isinstance(failure, OutcomeUnknown):
            raise Unavailable(PROVIDER, failure.code, "Nothing was changed: it is tried again by itself.")
        if failure is not None:
            raise failure
        return text

    def act(self, ask: "Callable[[Shippo], object]") -> str:
        """The answer's JSON, for calls that change something: what is no clear refusal is `OutcomeUnknown`."""
        text, failure = self._attempt(ask, must_parse=True)
        if failure is not None:
            raise failure
        return text

    def _attempt(
        self, ask: "Callable[[Shippo], object]", *, must_parse: bool = False
    ) -> tuple[str, ProviderFailure | None]:
        from shippo.models.errors import SDKError  # type: ignore[import-untyped]

        # Given back, and raised outside of `except`: else the exception's context would carry the vendor's text.
        sdk, session = self._of_this_thread()
        session.begin(sdk_reads=must_parse)
        try:
            ask(sdk)
        except SDKError as error:
            return "", _refusal(error.status_code, error.body)
        except Exception as error:
            if not session.answered:
                return "", _no_answer(error, sent=session.sent)
            if must_parse:
                return "", OutcomeUnknown(PROVIDER, "unreadable_answer", LOOK_UP)
        return session.text, None

    def _of_this_thread(self) -> "tuple[Shippo, _Session]":
        if not hasattr(self._own, "pair"):
            from shippo import Shippo

            session = _Session(self._timeout)
            sdk = Shippo(api_key_header=self._authorization, server_url=self._api_base or None, client=session)
            self._own.pair = (sdk, session)
        pair: tuple[Shippo, _Session] = self._own.pair
        return pair


def _refusal(status: int, body: str) -> ProviderFailure:
    if status in (401, 403):
        return Refused(
            PROVIDER, "credentials", "The shipping provider does not take our key: check SHIPPO_API_TOKEN, then retry."
        )
    if status == 404:
        return Refused(
            PROVIDER,
            "not_found",
            "The shipping provider does not know it in this account: check SHIPPO_API_TOKEN, then retry.",
        )
    if status in (409, 425, 429):
        return Unavailable(PROVIDER, "busy", "The shipping provider is busy: it is tried again by itself.")
    named = _fields(body) if status in (400, 422) else []
    if "address_to" in named:
        return Refused(PROVIDER, "address", ADDRESS)
    if "rate" in named:
        return Unavailable(PROVIDER, "rate", "The price is out of date: it is asked for anew, by itself.")
    if 400 <= status < 500 and status != 408:
        return Refused(PROVIDER, f"rejected_{status}", REJECTED)
    return OutcomeUnknown(PROVIDER, f"http_{status}", LOOK_UP)


def _fields(body: str) -> list[str]:
    """The parameters that Shippo names in a refusal; what it says about them may hold personal data."""
    try:
        named = json.loads(body)
    except ValueError:
        return []
    return list(named) if isinstance(named, dict) else []


def _no_answer(error: Exception, *, sent: bool) -> ProviderFailure:
    if not sent:
        return Refused(
            PROVIDER,
            "not_sent",
            "The request could not be made: check SHIPPO_API_BASE and SHIPPO_API_TOKEN, then retry.",
        )
    if _never_connected(error):
        return Unavailable(
            PROVIDER, "unreachable", "The shipping provider cannot be reached: it is tried again by itself."
        )
    return OutcomeUnknown(PROVIDER, "no_answer", LOOK_UP)


def _never_connected(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)
