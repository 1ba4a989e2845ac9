"""One call to Shippo through its SDK: a timeout, one attempt, and its troubles in our words.

The SDK has no timeout of its own and raises while parsing answers that it does not know, also that of a label which was
bought. So the answer's text is kept, and whoever asked reads that.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

import requests
import urllib3
from shippo import Shippo
from shippo.models.errors import SDKError

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable

PROVIDER = "shippo"
_CONNECT_SECONDS = 5.0
LOOK_UP = "Look it up before repeating it."


class _Session(requests.Session):
    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = (min(_CONNECT_SECONDS, timeout), timeout)
        self.sent = False
        self.answer: requests.Response | None = None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", self._timeout)
        # A followed redirect turns a POST into a GET, and its 200 would look like an answer to the purchase.
        kwargs["allow_redirects"] = False
        self.sent = True
        self.answer = super().send(request, **kwargs)
        return self.answer


class ShippoCalls:
    """Asks Shippo. Safe to share: each thread has an SDK and a connection of its own."""

    def __init__(self, api_token: str, api_base: str | None, timeout: float) -> None:
        # The SDK names the scheme only for tokens that begin with `shippo_`, which older ones do not.
        self._authorization = api_token if api_token.startswith("shippo_") else f"ShippoToken {api_token}"
        self._api_base = api_base
        self._timeout = timeout
        self._own = threading.local()

    def look(self, ask: Callable[[Shippo], object]) -> str:
        """The answer's JSON, whether or not the SDK can parse it. For calls that are harmless to repeat."""
        text, failure = self._attempt(ask)
        if isinstance(failure, OutcomeUnknown):
            raise Unavailable(PROVIDER, failure.code, "Nothing was changed: try again.")
        if failure is not None:
            raise failure
        return text

    def act(self, ask: Callable[[Shippo], object]) -> str:
        """The answer's JSON, for calls that change something: unless Shippo clearly refused, trouble is `OutcomeUnknown`."""
        text, failure = self._attempt(ask, must_parse=True)
        if failure is not None:
            raise failure
        return text

    def _attempt(
        self, ask: Callable[[Shippo], object], *, must_parse: bool = False
    ) -> tuple[str, ProviderFailure | None]:
        # The failure is given back and raised outside of `except`: an exception's context would carry the vendor's text.
        sdk, session = self._of_this_thread()
        session.sent, session.answer = False, None
        try:
            ask(sdk)
        except SDKError as error:
            return "", _refusal(error.status_code, error.body)
        except Exception as error:  # noqa: BLE001 - the SDK raises whatever its parsing stumbles over
            if session.answer is None:
                return "", _no_answer(error, sent=session.sent)
            if must_parse:
                return "", OutcomeUnknown(PROVIDER, "unreadable_answer", LOOK_UP)
        assert session.answer is not None
        return session.answer.text, None

    def _of_this_thread(self) -> tuple[Shippo, _Session]:
        if not hasattr(self._own, "pair"):
            session = _Session(self._timeout)
            sdk = Shippo(api_key_header=self._authorization, server_url=self._api_base or None, client=session)
            self._own.pair = (sdk, session)
        pair: tuple[Shippo, _Session] = self._own.pair
        return pair


def _refusal(status: int, body: str) -> ProviderFailure:
    if status in (401, 403):
        return Refused(PROVIDER, "credentials", "Check SHIPPO_API_TOKEN.")
    if status == 404:
        return Refused(PROVIDER, "not_found", "Shippo does not know this id (or this token may not see it).")
    if status in (409, 425, 429):
        return Unavailable(PROVIDER, "busy", "Shippo takes no more calls for now: try again later.")
    if status in (400, 422) and "address_to" in _fields(body):
        return Refused(PROVIDER, "address", "The destination is not accepted: correct the address.")
    if 400 <= status < 500 and status != 408:
        return Refused(PROVIDER, f"rejected_{status}", "Shippo rejects this request: correct it.")
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
            PROVIDER, "not_sent", "The request could not be made: check SHIPPO_API_BASE and SHIPPO_API_TOKEN."
        )
    if _never_connected(error):
        return Unavailable(PROVIDER, "unreachable", "Shippo cannot be reached: try again.")
    return OutcomeUnknown(PROVIDER, "no_answer", LOOK_UP)


def _never_connected(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)
