"""What compose starts, started without it: the same commands, environments, secrets and checks, as the same user.

The list of what differs stands in here.py. nginx is tried by itself; the web UI, Prometheus and Grafana are not here.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from activities.intake.example import example_order
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.infra.deploy.compose import Service, services
from tests.infra.deploy.here import OURS, Here, engine_is_built
from tests.infra.deploy.prepared import prepared
from tests.namespaces import MAY_MOUNT
from tests.sandbox import ROOT
from workflows.messages import TASK_QUEUE
from workflows.release_gate import RELEASE_GATE

NOT_HERE = {"ui", "proxy"}
JOB, HEALTHY = "service_completed_successfully", "service_healthy"

pytestmark = pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="its roles are for a server of its own")


@dataclass
class Deployed:
    every: dict[str, Service]
    here: Here

    def start(self, given: set[str]) -> None:
        """As compose does: each when what it waits for has ended well, or is healthy."""
        left = [name for name in self.every if name not in given | NOT_HERE]
        jobs = {name for service in self.every.values() for name, how in service.waits_for.items() if how == JOB}
        while left:
            name = min(left, key=lambda each: len({*self.every[each].waits_for} & {*left}))
            service = self.every[name]
            assert not {*service.waits_for} & {*left}, f"{name} waits for ever"
            for other in {other for other, how in service.waits_for.items() if how == HEALTHY} - given:
                self.until_healthy(other)
            left.remove(name)
            if name in jobs:
                done = self.here.run(service, service.command)
                assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
                continue
            for replica in range(service.replicas):
                self.here.start(service, replica)
        for name, _ in self.here.running:
            self.until_healthy(name)

    def until_healthy(self, name: str, seconds: float = 60) -> None:
        """By the check that compose makes; of the engine by its port, as `nc` need not be here."""
        service, end = self.every[name], time.monotonic() + seconds
        for replica in range(service.replicas):
            child = self.here.running[name, replica]
            if name == "temporal":
                child.wait_for_port(self.here.ports[name, 0, 7233])
                continue
            port = int(next(part for part in service.check[-1].split(":") if part[:4].isdigit())[:4])
            child.wait_for_port(self.here.ports[name, replica, port], seconds=seconds)
            while (done := self.here.run(service, service.check, replica)).returncode:
                assert child.exit_code is None, child.written()
                assert time.monotonic() < end, f"{child.written()}{done.stderr}"


@pytest.fixture(scope="module")
def deployed(
    postgres_url: str, engine_server: DevServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    folder, logs = prepared(tmp_path_factory.mktemp("deploy") / "deploy"), tmp_path_factory.mktemp("logs")
    every, address = services(folder, {"sandbox"}), make_url(postgres_url)
    known, given = {"postgres": address.port or 5432}, {"postgres"}
    if not engine_is_built():
        known["temporal"], given = int(engine_server.address.rpartition(":")[2]), given | {"schema", "temporal"}
    here = Here.of(every, folder / "secrets", logs, **known)
    make_roles(here, every["postgres"], folder)
    deployed = Deployed(every, here)
    try:
        deployed.start(given)
        yield deployed
    finally:
        here.leave()


def make_roles(here: Here, postgres: Service, folder: Path) -> None:
    """As the image does when its volume is empty."""
    script = here.text((folder / "postgres/roles.sh").read_text(), "postgres", 0)
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(here.ports["postgres", 0, 5432])}
    subprocess.run(["bash", "-c", script], env=here.environ(postgres, 0) | where, check=True, cwd=ROOT)


def test_an_order_is_delivered(deployed: Deployed) -> None:
    here, api = deployed.here, deployed.every["api"]
    made = here.run(api, ["orders", "keys", "create", "--name", "me", "--scope", "admin"])
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    sandbox = SandboxControl(
        f"http://127.0.0.1:{here.ports['sandbox', 0, 8099]}", (here.secrets / "sandbox_token").read_text()
    )
    sandbox.pace(0.05)
    first, second = (f"http://127.0.0.1:{here.ports['api', replica, 8080]}" for replica in range(api.replicas))
    with httpx.Client(base_url=first, headers=headers, timeout=30, trust_env=False) as client:
        address = {"name": "Dock", "street1": "1 Dock Rd", "city": "Oakland", "state": "CA", "zip": "94607"}
        place = {"name": "Oakland", "priority": 1, "address": address | {"country": "US"}}
        client.put("/v1/locations/OAK", json=place).raise_for_status()
        client.put("/v1/products/MUG", json={"name": "Mug", "weight_g": 400}).raise_for_status()
        restock = {"reference": "opening", "location": "OAK", "lines": [{"sku": "MUG", "quantity": 9}]}
        client.post("/v1/restocks", json=restock).raise_for_status()
        assert client.post("/v1/orders", json=example_order("C-1", {"MUG": 2})).status_code == 202
    with httpx.Client(base_url=second, headers=headers, timeout=30, trust_env=False) as client:
        end = time.monotonic() + 60
        while (view := client.get("/v1/orders/C-1").raise_for_status().json())["status"] != "completed":
            assert time.monotonic() < end, view
            time.sleep(0.2)
    assert sandbox.books("C-1")["captures"] == 1
    sandbox.close()


def test_another_version_is_asked_for_its_gate_before_it_starts(deployed: Deployed) -> None:
    """`docker compose run --rm worker release-gate`; and the workers that run have the workflow of that name."""
    asked = deployed.here.run(deployed.every["worker"], ["orders", "release-gate", "--json"])
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["failed"] == {}
    words = ["workflow", "execute", "--type", RELEASE_GATE, "--task-queue", TASK_QUEUE, "--workflow-id", "gate"]
    begun = deployed.here.run(deployed.every["namespace"], ["temporal", *words, "--namespace", "orders"])
    assert (begun.returncode, "COMPLETED" in begun.stdout) == (0, True), begun.stdout + begun.stderr


def test_what_has_served_its_time_is_removed_by_a_command_in_a_worker(deployed: Deployed) -> None:
    trimmed = deployed.here.run(deployed.every["worker"], ["orders", "db", "trim", "--json"])
    assert trimmed.returncode == 0, trimmed.stderr
    assert json.loads(trimmed.stdout)["orders"] == 0


def test_the_processes_of_orders_may_change_no_table(deployed: Deployed) -> None:
    url = (deployed.here.secrets / "database_url").read_text()
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE theirs (n integer)")


@pytest.mark.skipif(
    not (os.geteuid() == 0 and MAY_MOUNT), reason="only root can take rights away from a process that it starts"
)
def test_each_runs_without_rights_on_a_root_that_cannot_be_written_to(deployed: Deployed) -> None:
    running = {name: child for (name, _), child in deployed.here.running.items() if name in OURS}
    assert {*running} == {"worker", "api", "sandbox"}
    for name, child in running.items():
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{child.pid}/status").read_text().splitlines())
        assert status["Uid"].split() == [deployed.every[name].raw["user"].partition(":")[0]] * 4
        assert (int(status["CapEff"], 16), int(status["CapBnd"], 16), status["NoNewPrivs"]) == (0, 0, "1")
        mounts = [line.split() for line in Path(f"/proc/{child.pid}/mounts").read_text().splitlines()]
        assert [options.split(",")[0] for _, place, _, options, *_ in mounts if place == "/"] == ["ro"]


@pytest.mark.skipif(
    not engine_is_built(), reason="Temporal's server is not built (make cluster): another took its place"
)
def test_the_engine_is_the_one_that_compose_starts(deployed: Deployed) -> None:
    assert ("temporal", 0) in deployed.here.running


def test_told_to_stop_each_ends_well_in_its_time(deployed: Deployed) -> None:
    running = deployed.here.running
    for child in running.values():
        os.kill(child.pid, signal.SIGTERM)
    ended = {name: child.process.wait(deployed.every[name].patience) for (name, _), child in running.items()}
    assert {name: ended[name] for name in ended if name in OURS} == {"worker": 0, "api": 0, "sandbox": 0}
