"""`python -m starter.api`, started and killed for real."""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from infra.database import engine
from infra.processes import Child, free_ports, start
from infra.settings import Settings
from infra.temporal import DevServer
from starter import keys
from starter.api.__main__ import exposed
from tests.fixtures_database import Database
from tests.namespaces import AS_PROCESS_1, MAY_BE_PROCESS_1, process_1
from tests.sandbox import ROOT, SECRETS
from tests.starter.door import an_order
from tests.starter.test_relay import is_running, until


@dataclass
class Process:
    child: Child
    url: str
    client: httpx.Client

    def place(self, order_id: str, **headers: str) -> httpx.Response:
        return self.client.post("/v1/orders", json=an_order(order_id=order_id), headers=headers)


Launch = Callable[..., Process]


@pytest.fixture
def launch(shop: Database, tmp_path: Path) -> Iterator[Launch]:
    started: list[Process] = []
    with shop.sessions.begin() as tx:
        key = keys.create(tx, "process", ["admin"])

    def launched(ready: bool = True, before: Sequence[str] = (), **settings: str) -> Process:
        (port,) = free_ports(1)
        environ = os.environ | SECRETS | {"DATABASE_URL": shop.url, "ORDERS_API_PORT": str(port), "ORDERS_ENV_FILE": ""}
        environ |= {
            "WAREHOUSE_URL": "http://127.0.0.1:9",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{free_ports(1)[0]}",
        } | settings
        log = tmp_path / f"api-{len(started)}"
        command = [*before, sys.executable, "-m", "starter.api"]
        child = start("api", command, log=log, environ=environ, folder=ROOT)
        url = f"http://127.0.0.1:{port}"
        client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False)
        process = Process(child, url, client)
        started.append(process)
        if ready:
            child.wait_for_url(f"{url}/healthz")
        return process

    yield launched
    for process in started:
        process.client.close()
        process.child.kill()


async def test_an_order_outlives_the_process_that_accepted_it(
    launch: Launch, engine_server: DevServer, temporal: Client
) -> None:
    order_id = f"K-{uuid4().hex[:12]}"
    first = launch()
    assert first.place(order_id).status_code == 202
    first.child.kill()
    assert not await is_running(temporal, order_id)
    second = launch(**engine_server.settings())
    await until(lambda: is_running(temporal, order_id))
    assert second.client.get(f"/v1/orders/{order_id}").json()["status"] == "placed"


def test_told_to_stop_it_answers_what_it_has_begun_and_ends_well(launch: Launch) -> None:
    """As process 1 of a container, where that can be had."""
    (port,) = free_ports(1)
    api = launch(before=AS_PROCESS_1 if MAY_BE_PROCESS_1 else (), TEMPORAL_ADDRESS=f"127.0.0.1:{port}")
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(api.place("S-1", Prefer="wait=3")))
    waiting.start()
    while api.client.get("/v1/orders/S-1").status_code != 200:
        pass
    balancer = HTTPConnection("127.0.0.1", int(api.url.rpartition(":")[2]), timeout=30)
    balancer.request("GET", "/healthz")
    balancer.getresponse().read()
    with socket.create_server(("127.0.0.1", port)):  # an engine that says nothing: a look at it takes its time
        balancer.request("GET", "/readyz")
        os.kill(process_1(api.child).pid if MAY_BE_PROCESS_1 else api.child.pid, signal.SIGTERM)
        ready = balancer.getresponse()
        assert ready.status == 503
        assert json.loads(ready.read()) == {"database": "ok", "engine": "away", "stopping": True}
    balancer.close()
    waiting.join(20)
    assert [answer.status_code for answer in answers] == [202]
    assert api.child.process.wait(20) == 0


def test_it_refuses_to_run_on_an_old_database(launch: Launch, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine.create(url).dispose()
    api = launch(ready=False, DATABASE_URL=url)
    assert api.child.process.wait(20) == 1
    assert api.child.written().strip() == "orders api: the database is older than this code: run `orders db upgrade`"


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
        ({"ORDERS_API_PORT": "many"}, "ORDERS_API_PORT"),
        ({"DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:9/none"}, "DATABASE_URL"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line_that_names_the_setting(
    launch: Launch, environ: dict[str, Any], setting: str
) -> None:
    api = launch(ready=False, **environ)
    assert api.child.process.wait(30) == 1
    line = api.child.written().strip()
    assert setting in line
    assert "\n" not in line
    assert "secret" not in line.lower().replace("webhook_secret", "").replace("signing secret", "")


def test_an_engine_without_the_namespace_is_told_before_it_listens(launch: Launch, engine_server: DevServer) -> None:
    api = launch(ready=False, **engine_server.settings() | {"TEMPORAL_NAMESPACE": "nowhere"})
    assert api.child.process.wait(30) == 1
    assert api.child.written() == "orders api: no namespace nowhere: create it, or set TEMPORAL_NAMESPACE\n"


def test_a_port_that_is_taken_ends_it(launch: Launch) -> None:
    first = launch()
    second = launch(ready=False, ORDERS_API_PORT=first.url.rpartition(":")[2])
    assert second.child.process.wait(20) == 1


@pytest.mark.parametrize(
    ("host", "public", "warned"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080", False),
        ("localhost", "http://localhost:8080", False),
        ("0.0.0.0", "http://10.0.0.1:8080", True),
        ("orders.internal", "http://orders.internal", True),
        ("0.0.0.0", "https://orders.example.com", False),
    ],
)
def test_a_start_that_is_reachable_without_tls_is_told(host: str, public: str, warned: bool) -> None:
    settings = Settings.from_environment({"ORDERS_API_HOST": host, "PUBLIC_URL": public})
    assert exposed(settings) == warned
