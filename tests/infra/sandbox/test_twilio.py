"""The sandbox's Twilio: what the vendor's SDK and its published contract expect of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from infra.sandbox.client import SandboxControl
from infra.sandbox.order_ids import order_in
from infra.sandbox.twilio.answers import segments
from infra.sandbox.twilio.parameters import CREATE, LIST, NOT_HERE
from tests.sandbox import SANDBOX_TOKEN, SECRETS, SandboxProcess
from tests.specs import load

ACCOUNT, TOKEN = SECRETS["TWILIO_ACCOUNT_SID"], SECRETS["TWILIO_AUTH_TOKEN"]
OURS, ADA = "+14155550199", "+14155550110"


class Door:
    """A web server of ours that takes status callbacks, and only genuine ones."""

    def __init__(self) -> None:
        self.callbacks: Queue[dict[str, str]] = Queue()
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fields = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                genuine = RequestValidator(TOKEN).validate(door.url, fields, self.headers["X-Twilio-Signature"])
                if genuine:
                    door.callbacks.put(fields)
                self.send_response(204 if genuine else 401)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/twilio?from=twilio"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def next(self) -> dict[str, str]:
        return self.callbacks.get(timeout=10)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def twilio_contract() -> dict[str, Any]:
    return load("twilio", prefix="/twilio").document


@pytest.fixture
def twilio(sandbox: SandboxControl) -> Any:
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=10))
    client.api.base_url = sandbox.twilio_base
    return client


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def test_a_message_is_queued_then_sent_then_delivered(twilio: Any, sandbox: SandboxControl, door: Door) -> None:
    sent = twilio.messages.create(to=ADA, from_=OURS, body="Order TS-1: confirmed.", status_callback=door.url)
    assert (sent.status, sent.date_sent, sent.price) == ("queued", None, None)
    assert twilio.messages(sent.sid).fetch().status == "queued"
    sandbox.pace(0.02)
    first, second = door.next(), door.next()
    assert (first["MessageStatus"], second["MessageStatus"]) == ("sent", "delivered")
    assert (first["MessageSid"], first["SmsStatus"], first["To"], first["From"]) == (sent.sid, "sent", ADA, OURS)
    arrived = twilio.messages(sent.sid).fetch()
    assert arrived.status == "delivered"
    assert arrived.date_sent is not None
    assert arrived.price_unit == "USD"


def test_a_number_ending_in_30003_is_not_reached_later(twilio: Any, sandbox: SandboxControl, door: Door) -> None:
    sent = twilio.messages.create(to="+14150030003", from_=OURS, body="Order TS-2.", status_callback=door.url)
    assert sent.status == "queued"
    sandbox.pace(0.02)
    first, second = door.next(), door.next()
    assert (first["MessageStatus"], second["MessageStatus"], second["ErrorCode"]) == ("sent", "undelivered", "30003")
    assert twilio.messages(sent.sid).fetch().error_code == 30003


def test_a_message_moves_when_told_and_never_back(twilio: Any, sandbox: SandboxControl, door: Door) -> None:
    sent = twilio.messages.create(to=ADA, from_=OURS, body="Order TS-3.", status_callback=door.url)
    sandbox.tell(f"/twilio/messages/{sent.sid}/failed", {"code": 30007})
    sandbox.tell(f"/twilio/messages/{sent.sid}/delivered")
    sandbox.tell(f"/twilio/messages/{sent.sid}/sent")
    callback = door.next()
    assert (callback["MessageStatus"], callback["ErrorCode"]) == ("failed", "30007")
    assert twilio.messages(sent.sid).fetch().status == "failed"


def test_messages_are_listed_newest_first_page_by_page(twilio: Any) -> None:
    to = "+14155550111"
    sids = [twilio.messages.create(to=to, from_=OURS, body=f"Order TS-4 {n}.").sid for n in range(5)]
    assert [each.sid for each in twilio.messages.stream(to=to, page_size=2)] == sids[::-1]
    page = twilio.messages.page(to=to, page_size=2)
    twilio.messages.create(to=to, from_=OURS, body="Order TS-4, in between.")
    assert [each.sid for each in page.next_page()] == sids[2:0:-1], "a later message shifts no page"
    assert twilio.messages.list(to=to, from_="+14155550000") == []


def test_dates_of_sending_miss_what_is_queued(twilio: Any, sandbox: SandboxControl) -> None:
    to = "+14155550112"
    sent = twilio.messages.create(to=to, from_=OURS, body="Order TS-5.")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert twilio.messages.list(to=to, date_sent_after=yesterday) == []
    sandbox.tell(f"/twilio/messages/{sent.sid}/sent")
    assert len(twilio.messages.list(to=to, date_sent_after=yesterday)) == 1
    assert twilio.messages.list(to=to, date_sent_before=yesterday) == []


def post(sandbox: SandboxControl, fields: dict[str, str], auth: tuple[str, str] = (ACCOUNT, TOKEN)) -> httpx.Response:
    path = f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    return sandbox.client.post(path, data=fields, auth=auth)


MESSAGE = {"To": ADA, "From": OURS, "Body": "Order TS-6."}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (MESSAGE | {"Boddy": "typo"}, 20001),
        (MESSAGE | {"MediaUrl": "https://example.com/a.png"}, 20001),
        (MESSAGE | {"ValidityPeriod": "soon"}, 20001),
        ({"From": OURS, "Body": "x"}, 21604),
        ({"To": ADA, "Body": "x"}, 21603),
        ({"To": ADA, "From": OURS}, 21602),
        (MESSAGE | {"Body": "x" * 1601}, 21617),
        (MESSAGE | {"StatusCallback": "not a url"}, 21609),
        (MESSAGE | {"To": "4155550110"}, 21211),
    ],
)
def test_a_wrong_parameter_is_answered_as_by_twilio(sandbox: SandboxControl, fields: dict[str, str], code: int) -> None:
    answer = post(sandbox, fields)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (400, code, 400)
    assert answer.json()["more_info"].endswith(str(code))
    assert sandbox.books("TS-6")["sms"] == 0


def test_who_does_not_know_the_token_gets_nothing(sandbox: SandboxControl) -> None:
    for auth in ((ACCOUNT, "wrong"), ("AC" + "9" * 32, TOKEN)):
        answer = post(sandbox, MESSAGE, auth)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    path = f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert sandbox.client.get(path).status_code == 401


def test_an_unknown_message_is_not_found(twilio: Any) -> None:
    with pytest.raises(TwilioRestException) as missing:
        twilio.messages("SM" + "0" * 32).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)


def test_what_was_taken_survives_a_crash(tmp_path: Path) -> None:
    process = SandboxProcess(tmp_path).start()
    control = SandboxControl(process.url, SANDBOX_TOKEN)
    sid = post(control, MESSAGE | {"Body": "Order TS-7."}).json()["sid"]
    process.kill()
    process.start()
    path = f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"
    assert control.client.get(path, auth=(ACCOUNT, TOKEN)).json()["body"] == "Order TS-7."
    assert control.books("TS-7")["sms"] == 1
    control.close()
    assert process.stop() == 0


@pytest.mark.parametrize(
    ("body", "count"),
    [("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("ж" * 70, 1), ("ж" * 71, 2), ("😀" * 35, 1)],
)
def test_segments_are_counted_as_carriers_do(body: str, count: int) -> None:
    assert segments(body) == count


@pytest.mark.parametrize(
    ("text", "order"),
    [("Order W-1.", "W-1"), ("Your order W_2-x: shipped", "W_2-x"), ("border W-3", ""), ("order: W-4", "")],
)
def test_the_order_is_read_from_the_text(text: str, order: str) -> None:
    assert order_in(text) == order


def test_parameters_are_those_of_the_published_contract(twilio_contract: dict[str, Any]) -> None:
    path = twilio_contract["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]
    form = path["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert set(CREATE) | NOT_HERE == set(form["properties"])
    assert {name for name, field in CREATE.items() if field.required} == set(form["required"])
    enums = twilio_contract["components"]["schemas"]
    for name, field in CREATE.items():
        expected = form["properties"][name]
        expected = enums[expected["$ref"].rpartition("/")[2]] if "$ref" in expected else expected
        assert field.type == expected["type"], name
        assert field.pattern == expected.get("pattern", field.pattern), name
        assert list(field.values) == expected.get("enum", []), name
    query = {each["name"]: each["schema"] for each in path["get"]["parameters"] if each["in"] == "query"}
    assert set(LIST) == set(query)
    assert {name: field.type for name, field in LIST.items()} == {name: each["type"] for name, each in query.items()}
    assert (LIST["PageSize"].minimum, LIST["PageSize"].maximum) == (
        query["PageSize"]["minimum"],
        query["PageSize"]["maximum"],
    )


def test_answers_are_those_of_the_published_contract(
    twilio: Any, sandbox: SandboxControl, twilio_contract: dict[str, Any]
) -> None:
    message = post(sandbox, MESSAGE | {"Body": "Order TS-8."}).json()
    schema = twilio_contract["components"]["schemas"]["api.v2010.account.message"]["properties"]
    assert set(message) == set(schema)
    statuses = twilio_contract["components"]["schemas"]["message_enum_status"]["enum"]
    for step in ("sent", "delivered"):
        sandbox.tell(f"/twilio/messages/{message['sid']}/{step}")
        fetched = twilio.messages(message["sid"]).fetch()
        assert fetched.status in statuses
    for name, declared in schema.items():
        kinds = {"string": str, "integer": int, "object": dict}
        if message[name] is not None and "type" in declared:
            assert isinstance(message[name], kinds[declared["type"]]), name
    listed = sandbox.client.get(f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json", auth=(ACCOUNT, TOKEN)).json()
    path = twilio_contract["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]
    page = path["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    assert set(listed) == set(page)
