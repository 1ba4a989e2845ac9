"""SMS through the vendor's own SDK, against the sandbox."""

import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.providers.twilio.messages import TwilioMessages
from infra.processes import free_ports
from infra.sandbox.client import Mode, SandboxControl
from tests.sandbox import SECRETS
from tests.specs import load

SENDER = "+14155550199"
ADA = "+14155550100"


def messages(
    sandbox: SandboxControl, sender: str = SENDER, *, timeout: float = 10.0, token: str = ""
) -> TwilioMessages:
    return TwilioMessages(
        SECRETS["TWILIO_ACCOUNT_SID"],
        token or SECRETS["TWILIO_AUTH_TOKEN"],
        sender,
        api_base=sandbox.twilio_base,
        timeout=timeout,
    )


@pytest.fixture
def texts(sandbox: SandboxControl) -> TwilioMessages:
    return messages(sandbox)


def everything_in(failure: BaseException | None) -> str:
    """Everything that a log or a workflow history could hold of a failure."""
    assert failure is not None
    assert failure.__cause__ is None
    assert failure.__context__ is None
    return f"{failure!r} {failure} {failure.__dict__}"


def test_a_message_is_sent_once_and_found(texts: TwilioMessages, sandbox: SandboxControl) -> None:
    body = "Order TW-1: confirmed."
    assert texts.find(to=ADA, body=body) is None
    sid = texts.send(to=ADA, body=body)
    assert texts.find(to=ADA, body=body) == sid
    assert sandbox.books("TW-1")["sms"] == 1


def test_only_exactly_this_text_to_exactly_this_number_is_found(texts: TwilioMessages) -> None:
    texts.send(to=ADA, body="Order TW-2: shipped.")
    assert texts.find(to=ADA, body="Order TW-2: shipped") is None
    assert texts.find(to=ADA, body="order TW-2: shipped.") is None
    assert texts.find(to="+14155550101", body="Order TW-2: shipped.") is None


def test_a_queued_message_is_found_and_so_is_a_delivered_one(texts: TwilioMessages, sandbox: SandboxControl) -> None:
    sid = texts.send(to=ADA, body="Order TW-3: shipped.")
    assert texts.find(to=ADA, body="Order TW-3: shipped.") == sid
    sandbox.tell(f"/twilio/messages/{sid}/delivered")
    assert texts.find(to=ADA, body="Order TW-3: shipped.") == sid


def test_a_message_is_found_behind_many_later_ones(texts: TwilioMessages) -> None:
    to = "+14155550102"
    first = texts.send(to=to, body="Order TW-4: confirmed. äöü € 😀")
    for n in range(205):
        texts.send(to=to, body=f"Order TW-4: news {n}.")
    assert texts.find(to=to, body="Order TW-4: confirmed. äöü € 😀") == first


@pytest.mark.parametrize("mode", ["lose_answer", "error_after"])
def test_a_lost_answer_is_looked_up_and_not_sent_twice(
    texts: TwilioMessages, sandbox: SandboxControl, mode: Mode
) -> None:
    order = f"TW-5-{mode.replace('_', '-')}"
    body = f"Order {order}: confirmed."
    sandbox.fail("twilio", "send", mode, match=order)
    with pytest.raises(OutcomeUnknown) as lost:
        texts.send(to=ADA, body=body)
    assert ADA not in everything_in(lost.value)
    assert texts.find(to=ADA, body=body) is not None
    assert sandbox.books(order)["sms"] == 1


def test_an_answer_that_comes_too_late_is_an_unknown_outcome(sandbox: SandboxControl) -> None:
    texts = messages(sandbox, timeout=0.2)
    sandbox.fail("twilio", "send", "delay", seconds=1.0, match="TW-6")
    with pytest.raises(OutcomeUnknown, match="timeout"):
        texts.send(to=ADA, body="Order TW-6: confirmed.")
    assert messages(sandbox).find(to=ADA, body="Order TW-6: confirmed.") is not None
    assert sandbox.books("TW-6")["sms"] == 1


def test_a_failure_without_effect_leaves_nothing_to_find(texts: TwilioMessages, sandbox: SandboxControl) -> None:
    body = "Order TW-7: confirmed."
    modes: list[Mode] = ["error", "refuse_connection"]
    for mode in modes:
        sandbox.fail("twilio", "send", mode, match="TW-7")
        with pytest.raises(OutcomeUnknown):
            texts.send(to=ADA, body=body)
    assert texts.find(to=ADA, body=body) is None
    assert sandbox.books("TW-7")["sms"] == 0


def test_one_call_is_one_attempt(texts: TwilioMessages, sandbox: SandboxControl) -> None:
    fault = sandbox.fail("twilio", "send", "error", times=5, match="TW-8")
    with pytest.raises(OutcomeUnknown):
        texts.send(to=ADA, body="Order TW-8: confirmed.")
    assert sandbox.struck(fault) == 1


def test_a_busy_twilio_has_sent_nothing(texts: TwilioMessages, sandbox: SandboxControl) -> None:
    sandbox.fail("twilio", "send", "rate_limit", match="TW-9")
    with pytest.raises(Unavailable, match="rate_limited"):
        texts.send(to=ADA, body="Order TW-9: confirmed.")
    with pytest.raises(Unavailable, match="queue_full"):
        messages(sandbox, "+15005550008").send(to=ADA, body="Order TW-9: confirmed.")
    assert sandbox.books("TW-9")["sms"] == 0


def test_nothing_was_sent_when_twilio_is_unreachable() -> None:
    texts = TwilioMessages("AC" + "1" * 32, "token", SENDER, api_base=f"http://127.0.0.1:{free_ports(1)[0]}", timeout=2)
    with pytest.raises(Unavailable, match="unreachable") as failed:
        texts.send(to=ADA, body="Order TW-10: confirmed.")
    assert ADA not in everything_in(failed.value)


@pytest.mark.parametrize("mode", ["error", "error_after", "lose_answer", "refuse_connection", "rate_limit"])
def test_a_look_up_that_fails_never_means_that_nothing_was_sent(
    texts: TwilioMessages, sandbox: SandboxControl, mode: Mode
) -> None:
    sandbox.fail("twilio", "list", mode)
    with pytest.raises(Unavailable) as failed:
        texts.find(to=ADA, body="Order TW-11: confirmed.")
    assert ADA not in everything_in(failed.value)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("+15005550001", "invalid_number"),
        ("+15005550002", "unroutable"),
        ("+15005550003", "region_not_permitted"),
        ("+15005550004", "unsubscribed"),
        ("+15005550009", "not_a_mobile"),
        ("not a number", "invalid_number"),
    ],
)
def test_a_number_that_cannot_be_texted_is_refused(
    texts: TwilioMessages, sandbox: SandboxControl, to: str, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        texts.send(to=to, body="Order TW-12: confirmed.")
    assert refusal.value.code == code
    assert to not in everything_in(refusal.value)
    assert sandbox.books("TW-12")["sms"] == 0


@pytest.mark.parametrize("sender", ["+15005550001", "+15005550007"])
def test_a_sender_that_is_not_ours_is_refused(sandbox: SandboxControl, sender: str) -> None:
    with pytest.raises(Refused, match="sender"):
        messages(sandbox, sender).send(to=ADA, body="Order TW-13: confirmed.")


def test_a_text_beyond_the_limit_is_refused(texts: TwilioMessages) -> None:
    with pytest.raises(Refused, match="body_too_long"):
        texts.send(to=ADA, body="Order TW-14: " + "x" * 1600)
    with pytest.raises(Refused, match="body_missing"):
        texts.send(to=ADA, body="")


def test_wrong_credentials_wait_for_the_right_ones(sandbox: SandboxControl) -> None:
    texts = messages(sandbox, token="stolen")
    with pytest.raises(Unavailable, match="credentials") as failed:
        texts.send(to=ADA, body="Order TW-15: confirmed.")
    assert "stolen" not in everything_in(failed.value)
    with pytest.raises(Unavailable, match="credentials"):
        texts.find(to=ADA, body="Order TW-15: confirmed.")


def test_a_messaging_service_may_be_the_sender(sandbox: SandboxControl) -> None:
    texts = messages(sandbox, "MG" + "2" * 32)
    sid = texts.send(to=ADA, body="Order TW-16: confirmed.")
    assert texts.find(to=ADA, body="Order TW-16: confirmed.") == sid


def test_every_call_is_one_that_the_vendor_takes(sandbox: SandboxControl) -> None:
    spec = load("twilio", prefix="/twilio")
    sandbox.client.delete("/_sandbox/requests")
    callback = "https://orders.example/webhooks/twilio"
    for sender in (SENDER, "MG" + "2" * 32):
        texts = TwilioMessages(
            SECRETS["TWILIO_ACCOUNT_SID"],
            SECRETS["TWILIO_AUTH_TOKEN"],
            sender,
            api_base=sandbox.twilio_base,
            status_callback=callback,
        )
        texts.send(to=ADA, body="Order TW-19: confirmed.")
        texts.find(to=ADA, body="Order TW-19: something else.")
    calls = sandbox.requests("twilio")
    assert {call["operation"] for call in calls} == {"send", "list"}
    assert [error for call in calls for error in spec.wrong(call)] == []


@pytest.fixture
def nonsense() -> Iterator[str]:
    """A proxy in between that answers 200 with a page of its own."""

    class Nonsense(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>+14155550100</html>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Nonsense)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_that_cannot_be_read_may_hide_a_message(nonsense: str) -> None:
    texts = TwilioMessages("AC" + "1" * 32, "token", SENDER, api_base=nonsense, timeout=5)
    with pytest.raises(OutcomeUnknown) as failed:
        texts.send(to=ADA, body="Order TW-17: confirmed.")
    assert ADA not in everything_in(failed.value)
    with pytest.raises(Unavailable):
        texts.find(to=ADA, body="Order TW-17: confirmed.")


def test_no_number_is_logged(texts: TwilioMessages, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    texts.send(to=ADA, body="Order TW-18: confirmed.")
    texts.find(to=ADA, body="Order TW-18: confirmed.")
    with pytest.raises(ProviderFailure):
        texts.send(to="+15005550001", body="Order TW-18: confirmed.")
    assert not [
        record
        for record in caplog.records
        if "4155550100" in record.getMessage() or "15005550001" in record.getMessage()
    ]
