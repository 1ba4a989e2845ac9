"""Who may drive the sandbox: who knows its token, no page in a browser, and nobody a part that is real."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from infra.processes import free_ports
from infra.sandbox.client import SandboxControl
from infra.sandbox.guard import Guard
from tests.infra.sandbox.test_core import bank, pay
from tests.receiver import Receiver
from tests.sandbox import ROOT, SANDBOX_TOKEN, SECRETS, SandboxProcess

DELIVERY = {"reference": "PO-1", "location": "OAK", "lines": [{"sku": "MUG-BLUE", "quantity": 1}]}
CALLS = [
    ("stripe", "/v1/customers", "application/x-www-form-urlencoded"),
    ("shippo", "/shipments", "application/json"),
    (
        "twilio",
        f"/2010-04-01/Accounts/{SECRETS['TWILIO_ACCOUNT_SID']}/Messages.json",
        "application/x-www-form-urlencoded",
    ),
    ("warehouse", "/fulfillments", "application/json"),
    ("_sandbox", "/warehouse/receive", "application/json"),
]


@pytest.fixture
def stranger(sandbox: SandboxControl) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer guess"}])
@pytest.mark.parametrize("path", ["books", "mailbox", "requests", "warehouse/receive", "nothing"])
def test_the_controls_open_to_their_token_alone(stranger: httpx.Client, path: str, given: dict[str, str]) -> None:
    assert stranger.get(f"/_sandbox/{path}", headers=given).status_code == 401
    assert stranger.post(f"/_sandbox/{path}", json=DELIVERY, headers=given).status_code == 401


@pytest.mark.parametrize(("vendor", "path", "media_type"), CALLS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_no_page_of_others_reaches_a_vendor_or_a_control(
    sandbox: SandboxControl, vendor: str, path: str, media_type: str, origin: str
) -> None:
    headers = {"Content-Type": media_type, "Origin": origin}
    assert sandbox.client.post(f"/{vendor}{path}", content=b"{}", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::1", ""])
@pytest.mark.parametrize("path", ["/", "/mailbox", "/_sandbox/books", "/stripe/v1/customers"])
def test_no_name_but_this_machines_leads_here(sandbox: SandboxControl, path: str, host: str) -> None:
    assert sandbox.client.get(path, headers={"Host": host}).status_code == 421


def test_it_answers_to_the_name_that_it_was_given() -> None:
    guard = Guard(Starlette(), "token", "sandbox")
    assert [host for host in ("sandbox:8099", "127.0.0.1:8099", "sandbox.evil.example", "") if guard.known(host)] == [
        "sandbox:8099",
        "127.0.0.1:8099",
    ]


@pytest.mark.parametrize(("vendor", "path", "media_type"), CALLS)
@pytest.mark.parametrize("sent", ["text/plain", "multipart/form-data", ""])
def test_a_body_of_another_kind_than_the_vendors_is_refused(
    sandbox: SandboxControl, vendor: str, path: str, media_type: str, sent: str
) -> None:
    answer = sandbox.client.post(f"/{vendor}{path}", content=b"{}", headers={"Content-Type": sent})
    assert (answer.status_code, answer.json()) == (415, {"error": f"expected {media_type}"})


def test_its_own_page_may_be_answered_in_a_browser(sandbox: SandboxControl, stranger: httpx.Client) -> None:
    own = {"Origin": sandbox.url, "Content-Type": "application/x-www-form-urlencoded"}
    assert stranger.post("/stripe/authenticate/pi_none", content=b"outcome=pass", headers=own).status_code == 404
    assert stranger.get("/mailbox", headers={"Host": f"localhost:{sandbox.url.rpartition(':')[2]}"}).status_code == 200


@pytest.fixture
def without_warehouse(tmp_path: Path) -> Iterator[SandboxControl]:
    """A sandbox that once played all, beside a warehouse that has become real."""
    process = SandboxProcess(tmp_path / "state").start()
    before = SandboxControl(process.url, SANDBOX_TOKEN)
    before.receive("PO-1", "OAK", {"MUG-BLUE": 1})
    before.close()
    process.stop()
    process.parts = "stripe,shippo"
    process.start()
    control = SandboxControl(process.url, SANDBOX_TOKEN)
    yield control
    control.close()
    process.stop()


def test_a_part_that_is_real_is_neither_played_nor_spoken_for(without_warehouse: SandboxControl) -> None:
    played = without_warehouse
    with closing(Receiver()) as receiver:
        played.webhooks_to(receiver.url)
        with bank(played) as client:
            assert pay(client, "W-1001").status_code == 200
        receiver.wait(lambda hook: hook.path == "/webhooks/stripe")
        assert {hook.path for hook in receiver.received} == {"/webhooks/stripe"}
    assert played.client.post("/_sandbox/warehouse/receive", json=DELIVERY).status_code == 404
    assert played.client.post("/warehouse/fulfillments", json={}).status_code == 404


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ORDERS_SANDBOX_TOKEN": ""}, "setting ORDERS_SANDBOX_TOKEN is missing"),
        ({"ORDERS_SANDBOX_TOKEN": "guess"}, "setting ORDERS_SANDBOX_TOKEN is malformed"),
        ({"STRIPE_API_KEY": "sk_live_x"}, "stripe is real by these settings"),
        ({"SHIPPO_API_TOKEN": "x"}, "shippo is real by these settings"),
    ],
)
def test_it_does_not_begin_without_a_token_or_with_the_secrets_of_a_real_part(
    tmp_path: Path, given: dict[str, str], says: str
) -> None:
    environ = os.environ | {"ORDERS_ENV_FILE": "", "ORDERS_SANDBOX_TOKEN": SANDBOX_TOKEN} | given
    command = [sys.executable, "-m", "infra.sandbox", "--state", str(tmp_path)]
    command += ["--port", str(free_ports(1)[0]), "--smtp-port", str(free_ports(1)[0])]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(says)
