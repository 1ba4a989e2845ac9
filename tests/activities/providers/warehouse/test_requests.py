"""The warehouse adapter keeps the promises of `Warehouses`: against the sandbox, signed and over HTTP."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.providers.warehouse.requests import HttpWarehouses
from infra.processes import free_ports
from infra.sandbox.client import Mode, SandboxControl
from tests.warehouse import PARCEL, SECRET, asked, connected


@pytest.fixture
def warehouses(sandbox: SandboxControl) -> Iterator[HttpWarehouses]:
    with connected(sandbox.warehouse_url) as warehouses:
        yield warehouses


@pytest.fixture
def order_id() -> str:
    return f"A-{uuid4().hex[:10]}"


CALLS: dict[str, Callable[[HttpWarehouses, str], None]] = {
    "request": lambda warehouses, id: warehouses.request("default", asked(f"{id}-1"), key=f"order:{id}:request:1"),
    "release": lambda warehouses, id: warehouses.release("default", f"{id}-1", [PARCEL], key=f"order:{id}:release:1"),
    "cancel": lambda warehouses, id: warehouses.cancel("default", f"{id}-1", key=f"order:{id}:recall:1"),
}
BOOKED = {"request": "warehouse_requests", "release": "releases", "cancel": "recalls"}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("mode", ["lose_answer", "error_after", "refuse_connection"])
def test_a_lost_answer_is_an_unknown_outcome_and_the_repeat_makes_one_effect(
    sandbox: SandboxControl, warehouses: HttpWarehouses, order_id: str, operation: str, mode: Mode
) -> None:
    if operation != "request":
        CALLS["request"](warehouses, order_id)
    sandbox.fail("warehouse", operation, mode, match=order_id)
    with pytest.raises(OutcomeUnknown):
        CALLS[operation](warehouses, order_id)
    CALLS[operation](warehouses, order_id)
    CALLS[operation](warehouses, order_id)
    assert sandbox.books(order_id)[BOOKED[operation]] == 1


@pytest.mark.parametrize("mode", ["rate_limit", "error"])
def test_a_busy_warehouse_has_done_nothing(
    sandbox: SandboxControl, warehouses: HttpWarehouses, order_id: str, mode: Mode
) -> None:
    sandbox.fail("warehouse", "request", mode, match=order_id)
    with pytest.raises(Unavailable):
        CALLS["request"](warehouses, order_id)
    assert sandbox.books(order_id)["warehouse_requests"] == 0


def test_a_slow_answer_is_not_waited_for(sandbox: SandboxControl, order_id: str) -> None:
    sandbox.fail("warehouse", "request", "delay", seconds=2, match=order_id)
    with connected(sandbox.warehouse_url, timeout=0.3) as hasty, pytest.raises(OutcomeUnknown):
        CALLS["request"](hasty, order_id)
    assert sandbox.books(order_id)["warehouse_requests"] == 1


def test_an_unreachable_warehouse_has_done_nothing(order_id: str) -> None:
    with connected(f"http://127.0.0.1:{free_ports(1)[0]}/warehouse") as nobody, pytest.raises(Unavailable) as caught:
        CALLS["request"](nobody, order_id)
    assert caught.value.code == "unreachable"


def test_a_fulfillment_known_with_other_content_is_refused(warehouses: HttpWarehouses, order_id: str) -> None:
    CALLS["request"](warehouses, order_id)
    with pytest.raises(Refused) as caught:
        warehouses.request("default", asked(f"{order_id}-1", {"MUG-BLUE": 3}), key="another")
    assert caught.value.code == "conflict"
    CALLS["release"](warehouses, order_id)
    with pytest.raises(Refused):
        warehouses.release("default", f"{order_id}-1", [PARCEL, PARCEL], key="another")


@pytest.mark.parametrize("operation", ["release", "cancel"])
def test_an_unknown_fulfillment_is_refused(warehouses: HttpWarehouses, order_id: str, operation: str) -> None:
    with pytest.raises(Refused) as caught:
        CALLS[operation](warehouses, order_id)
    assert caught.value.code == "not_found"


def test_a_release_after_the_end_is_refused(sandbox: SandboxControl, warehouses: HttpWarehouses, order_id: str) -> None:
    CALLS["request"](warehouses, order_id)
    sandbox.warehouse(f"{order_id}-1", "cancel")
    with pytest.raises(Refused):
        CALLS["release"](warehouses, order_id)


def test_a_wrong_secret_is_refused_and_says_which_setting(sandbox: SandboxControl, order_id: str) -> None:
    with (
        connected(sandbox.warehouse_url, secret="whsec_c29tZWJvZHkgZWxzZQ==") as stranger,
        pytest.raises(Refused) as caught,
    ):
        CALLS["request"](stranger, order_id)
    assert caught.value.code == "credentials"
    assert "WAREHOUSE_SECRET" in caught.value.advice


def test_a_warehouse_without_settings_is_refused_and_says_which(warehouses: HttpWarehouses, order_id: str) -> None:
    with pytest.raises(Refused) as caught:
        warehouses.request("moon", asked(f"{order_id}-1"), key="k")
    assert caught.value.code == "unknown_warehouse"
    assert "WAREHOUSES" in caught.value.advice
    assert "moon" in caught.value.advice


def test_a_url_that_is_none_is_refused(order_id: str) -> None:
    with connected("ftp://warehouse.example") as nonsense, pytest.raises(Refused) as caught:
        CALLS["request"](nonsense, order_id)
    assert "WAREHOUSE_URL" in caught.value.advice


class Door(BaseHTTPRequestHandler):
    """A warehouse that says what it was told to, and remembers."""

    status = 200
    seen: tuple[str, dict[str, str], bytes] = ("", {}, b"")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        type(self).seen = (self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def answering(code: int) -> Iterator[tuple[str, type[Door]]]:
    class LoggingDoor(Door):
        status = code

    with HTTPServer(("127.0.0.1", 0), LoggingDoor) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/wms/", LoggingDoor
        thread.join()


def test_every_call_is_signed_over_its_bytes_with_its_key_as_id(order_id: str) -> None:
    paths = {"request": "", "release": f"/{order_id}-1/release", "cancel": f"/{order_id}-1/cancel"}
    for operation, call in CALLS.items():
        with answering(202) as (url, door), connected(url) as warehouses:
            call(warehouses, order_id)
        path, headers, raw = door.seen
        assert path == f"/wms/fulfillments{paths[operation]}"
        assert headers["webhook-id"].startswith(f"order:{order_id}:")
        assert headers["content-type"] == "application/json"
        Webhook(SECRET).verify(raw, headers)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (302, OutcomeUnknown),
        (400, Refused),
        (401, Refused),
        (404, Refused),
        (408, OutcomeUnknown),
        (409, Refused),
        (422, Refused),
        (425, Unavailable),
        (429, Unavailable),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (503, Unavailable),
        (504, OutcomeUnknown),
    ],
)
def test_what_a_status_means(order_id: str, status: int, failure: type[ProviderFailure]) -> None:
    with answering(status) as (url, _), connected(url) as warehouses, pytest.raises(failure) as caught:
        CALLS["request"](warehouses, order_id)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
