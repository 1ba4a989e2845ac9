"""SMS through Twilio. One attempt per call; what cannot be known is looked up before it is repeated."""

import logging
from collections.abc import Callable
from typing import TypeVar

import requests
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]
from urllib3.exceptions import MaxRetryError, NewConnectionError

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable

PROVIDER = "twilio"
# The list is newest first, and a message is looked up soon after it was perhaps sent.
LOOK_BACK, PAGE_SIZE = 1000, 200

RECIPIENT = "Ask the customer for another number."
SETTINGS = "Check the TWILIO_* settings."
REFUSALS = {
    21211: ("invalid_number", RECIPIENT),
    21212: ("sender", SETTINGS),
    21408: ("region_not_permitted", "Allow the region in Twilio's messaging permissions."),
    21602: ("body_missing", ""),
    21603: ("sender", SETTINGS),
    21604: ("invalid_number", RECIPIENT),
    21606: ("sender", SETTINGS),
    21609: ("status_callback", "Check PUBLIC_URL."),
    21610: ("unsubscribed", "The customer has opted out: do not send again."),
    21612: ("unroutable", RECIPIENT),
    21614: ("not_a_mobile", RECIPIENT),
    21617: ("body_too_long", ""),
}
LOOK_UP = "Look the message up before sending it again."
BUSY = {20429: "rate_limited", 21611: "queue_full"}

Result = TypeVar("Result")


class TwilioMessages:
    """`TextMessages` over the vendor's SDK, for threads to share. `timeout` (seconds) is for each step of a call."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        api_base: str | None = None,
        timeout: float = 20.0,
        status_callback: str | None = None,
    ) -> None:
        """`sender` is our number, or the id of a messaging service (`MG…`)."""
        # The SDK logs the query string, and with it the customer's number, at INFO.
        logging.getLogger("twilio.http_client").disabled = True
        self._client = Client(account_sid, auth_token, http_client=TwilioHttpClient(timeout=timeout))
        if api_base:
            self._client.api.base_url = api_base
        self._from = {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}
        self._callback = {"status_callback": status_callback} if status_callback else {}

    def send(self, *, to: str, body: str) -> str:
        """Not safe to repeat: after `OutcomeUnknown`, `find` first."""
        return _attempt(lambda: _id(self._client.messages.create(to=to, body=body, **self._from, **self._callback).sid))

    def find(self, *, to: str, body: str) -> str | None:
        """Queued messages count too, so nothing is filtered by the date of sending, which those do not have."""
        try:
            return _attempt(lambda: self._find(to, body))
        except OutcomeUnknown as unknown:
            code = unknown.code
        raise Unavailable(PROVIDER, code, "Try again.")

    def _find(self, to: str, body: str) -> str | None:
        recent = self._client.messages.stream(to=to, limit=LOOK_BACK, page_size=PAGE_SIZE)
        return next((_id(message.sid) for message in recent if message.body == body), None)


def _id(sid: str | None) -> str:
    if not sid:
        raise ValueError("an answer without a message id")
    return sid


def _attempt(call: Callable[[], Result]) -> Result:
    """Raised outside the `except`, so that no vendor text hangs on the failure as its context."""
    failure: ProviderFailure
    try:
        return call()
    except (TwilioRestException, TwilioServiceException) as error:
        failure = _answered(int(error.status), error.code)
    except requests.RequestException as error:
        failure = _unanswered(error)
    except TwilioException as error:
        failure = _not_a_page(error)
    except (ValueError, KeyError, TypeError, AttributeError):
        failure = OutcomeUnknown(PROVIDER, "unreadable_answer", LOOK_UP)
    raise failure


def _answered(status: int, code: int | None) -> ProviderFailure:
    if code in BUSY or status == 429:
        return Unavailable(PROVIDER, BUSY.get(code or 0, "rate_limited"), "Try again later.")
    if status >= 500 or status == 408:
        return OutcomeUnknown(PROVIDER, f"http_{status}", LOOK_UP)
    if status in (401, 403):
        # Not the message's fault: it is worth sending once the setting is right.
        return Unavailable(PROVIDER, "credentials", SETTINGS)
    word, advice = REFUSALS.get(code or 0, (f"error_{code or status}", "See https://www.twilio.com/docs/api/errors."))
    return Refused(PROVIDER, word, advice)


def _not_a_page(error: TwilioException) -> ProviderFailure:
    """A list that was refused comes as a bare exception with the response in it."""
    status = getattr(error.args[-1] if error.args else None, "status_code", 200)
    return OutcomeUnknown(PROVIDER, "unreadable_answer", LOOK_UP) if status == 200 else _answered(int(status), None)


def _unanswered(error: requests.RequestException) -> ProviderFailure:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Unavailable(PROVIDER, "unreachable", "Try again.")
    word = "timeout" if isinstance(error, requests.Timeout) else "connection_lost"
    return OutcomeUnknown(PROVIDER, word, LOOK_UP)
