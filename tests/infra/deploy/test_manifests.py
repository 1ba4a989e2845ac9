"""Where manifests and charts repeat what the code says, they say the same."""

import re
import tomllib
from datetime import timedelta
from typing import Any

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from infra.settings import Settings
from starter.api import health
from starter.api.__main__ import DRAIN_SECONDS
from tests.infra.deploy.compose import pairs
from tests.infra.deploy.manifests import DEPLOY, KUBERNETES, container, documents, one, pod, read
from tests.sandbox import ROOT
from workflows.messages import TASK_QUEUE
from workflows.release_gate import RELEASE_GATE

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def environment(process: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(process)["env"] if "value" in each}


def ports(process: str) -> dict[str, int]:
    return {each["name"]: each["containerPort"] for each in container(process).get("ports", ())}


def test_ports_are_those_that_the_processes_are_told_to_listen_at() -> None:
    api, worker = environment("api"), environment("worker")
    assert api["ORDERS_API_HOST"] == "0.0.0.0"
    assert ports("api") == {"http": int(api["ORDERS_API_PORT"])}
    addresses = {"health": worker["ORDERS_HEALTH_ADDRESS"], "metrics": worker["ORDERS_METRICS_ADDRESS"]}
    assert {name: f"0.0.0.0:{port}" for name, port in ports("worker").items()} == addresses
    for each in documents(KUBERNETES / "base"):
        if each["kind"] == "PodMonitor":
            assert {end["port"] for end in each["spec"]["podMetricsEndpoints"]} <= {*ports(each["metadata"]["name"])}


@pytest.mark.parametrize(("process", "port"), [("api", "http"), ("worker", "health")])
def test_probes_ask_whether_it_lives_and_whether_it_can_work(process: str, port: str) -> None:
    asked = {probe: container(process)[probe]["httpGet"] for probe in PROBES}
    paths = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert asked == {probe: {"path": path, "port": port} for probe, path in paths.items()}
    served = {getattr(route, "path", "") for route in health.router.routes}
    assert {*paths.values()} <= served


def test_a_process_is_given_the_time_that_it_takes_to_end() -> None:
    timeout = Settings.from_environment({}).orders_http_timeout
    drain = timeout + timedelta(seconds=5)
    assert timedelta(seconds=pod("worker")["terminationGracePeriodSeconds"]) >= drain + timeout
    waits = container("api")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod("api")["terminationGracePeriodSeconds"] >= waits + DRAIN_SECONDS + 10
    runbook = (ROOT / "docs/operating.md").read_text()
    given = {process: pod(process)["terminationGracePeriodSeconds"] for process in ("worker", "api")}
    named = re.findall(r"a worker (\d+) seconds between\sSIGTERM and SIGKILL, and one of the API (\d+)", runbook)
    assert named == [(str(given["worker"]), str(given["api"]))]


def test_only_what_others_may_reach_is_published() -> None:
    rules = one("api", ("HTTPRoute",))["spec"]["rules"]
    published = {match["path"]["value"]: match["path"]["type"] for rule in rules for match in rule["matches"]}
    assert published == {"/v1": "PathPrefix", "/webhooks": "PathPrefix", "/track": "PathPrefix"}, (
        "so /metrics, for one, has no route"
    )


@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("192.0.2.1, 203.0.113.9, 10.2.0.7", "203.0.113.9"),  # what the caller says of itself comes first
    ],
)
async def test_the_gateway_is_believed_whom_it_speaks_for_and_the_caller_is_not(forwarded: str, caller: str) -> None:
    found = []

    async def app(scope: Any, *_: Any) -> None:
        found.append(scope["client"][0])

    behind = ProxyHeadersMiddleware(app, environment("api")["FORWARDED_ALLOW_IPS"])
    for gateway in ("10.1.2.3", "fd00::1"):
        scope: Any = {"type": "http", "client": (gateway, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
        await behind(scope, None, None)  # type: ignore[arg-type]
    assert found == [caller, caller]


def test_all_of_an_overlay_speaks_to_the_same_engine() -> None:
    text = {file: file.read_text() for file in KUBERNETES.rglob("*.yaml") if file.name != "values.yaml"}
    for overlay, others in (("cloud", ".svc.cluster.local"), ("self-hosted", ".tmprl.cloud")):
        ours = [read(KUBERNETES / "overlays" / overlay / "connection.yaml")[0]["spec"]["hostPort"]]
        for content in text.values():
            ours += [
                address
                for address in re.findall(r"(?:TEMPORAL_ADDRESS=|hostPort: |endpoint: |value: )(\S+:7233)", content)
                if others not in address
            ]
        assert len({*ours}) == 1, ours
    queues = {queue for content in text.values() for queue in re.findall(r"taskQueue: (\S+)", content)}
    assert queues == {TASK_QUEUE}


def test_versions_are_written_once_or_equal() -> None:
    versions = pairs(DEPLOY / "versions.env")
    values: Any = read(KUBERNETES / "overlays/self-hosted/values.yaml")[0]
    server = versions["TEMPORAL_SERVER_VERSION"]
    assert (values["server"]["image"]["tag"], values["admintools"]["image"]["tag"]) == (server, server)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    (base,) = read(KUBERNETES / "base/kustomization.yaml")
    assert base["images"] == [{"name": "orders", "newTag": project}]
    majors = {
        each["metadata"]["name"]: each["spec"]["imageCatalogRef"]["major"]
        for each in documents(KUBERNETES)
        if each["kind"] == "Cluster"
    }
    assert majors == dict.fromkeys(
        ("orders-database", "temporal-database"), int(versions["POSTGRES_VERSION"].split(".")[0])
    )
    for name in ("ci", "release"):
        text = (ROOT / f".github/workflows/{name}.yml").read_text()
        assert re.findall(r'python-version: "(.*)"', text) == [versions["PYTHON_VERSION"]], name
    checked = re.findall(r"python: \[(.*)\]", (ROOT / ".github/workflows/ci.yml").read_text())
    assert f'"{versions["PYTHON_VERSION"]}"' in checked[0], "what is released was tested"


def test_a_version_of_workers_is_let_in_by_the_gate_that_they_have() -> None:
    text = (KUBERNETES / "components/versioned-workers/kustomization.yaml").read_text()
    assert re.findall(r"workflowType: (\S+)", text) == [RELEASE_GATE]
