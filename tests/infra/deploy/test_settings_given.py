"""What a deployment gives our processes is what they need, and nothing that they do not know: manifests and compose."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import API_NEEDS, WORKER_NEEDS, Settings, secret_names
from tests.infra.deploy.compose import Service, services
from tests.infra.deploy.manifests import KUBERNETES, PROCESSES, given, named
from tests.infra.deploy.prepared import prepared
from tests.infra.test_documents import OTHERS, settings_listed

OF_THE_SERVER = {"FORWARDED_ALLOW_IPS"}
"""Read by uvicorn."""
KNOWN = {name.upper() for name in Settings.model_fields} | OTHERS | {*settings_listed()} | OF_THE_SERVER
ELSEWHERE = {"DATABASE_URL", "PUBLIC_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
"""What has a default only beside the embedded stack, on this machine."""
NEEDS = {
    "api": {need.upper() for need in API_NEEDS} | ELSEWHERE,
    "worker": {need.upper() for need in WORKER_NEEDS} | ELSEWHERE,
    "migration": {"DATABASE_URL", "ORDERS_MIGRATION_DATABASE_URL"},
    "trim": {"DATABASE_URL"},
    "sandbox": {"ORDERS_SANDBOX_TOKEN"},
}
OWNER = "ORDERS_MIGRATION_DATABASE_URL"


def lacking(process: str, has: set[str]) -> Iterator[str]:
    if {"WAREHOUSE_URL", "WAREHOUSE_SECRET"} <= has:
        has = has | {"WAREHOUSES"}
    yield from (f"{process} is not given {name}" for name in NEEDS[process] - has)
    if OWNER in has and process != "migration":
        yield f"{process} could change tables"


# --- manifests -------------------------------------------------------------------------------------------------------


def wrong_in(folder: Path) -> Iterator[str]:
    yield from (f"no setting {name}" for name in named(folder) - KNOWN)
    for process in PROCESSES:
        yield from lacking(process, given(process, folder))


def test_each_process_is_given_what_it_needs_and_nothing_unknown() -> None:
    assert list(wrong_in(KUBERNETES)) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "found"),
    [
        ("base/settings.env", "PUBLIC_URL=", "PUBLIC_URI=", "no setting PUBLIC_URI"),
        ("base/settings.env", "PUBLIC_URL=", "PUBLIC_URI=", "api is not given PUBLIC_URL"),
        ("base/secrets.yaml", "secretKey: STRIPE_API_KEY", "secretKey: STRIPE", "worker is not given STRIPE_API_KEY"),
        ("base/secrets.yaml", "secretKey: STRIPE_WEBHOOK_SECRET", f"secretKey: {OWNER}", "api could change tables"),
        ("base/worker.yaml", "name: ORDERS_METRICS_ADDRESS", "name: ORDERS_METRICS", "no setting ORDERS_METRICS"),
        ("overlays/cloud/kustomization.yaml", "- TEMPORAL_ADDRESS=", "- X=", "api is not given TEMPORAL_ADDRESS"),
    ],
)
def test_a_wrong_name_and_one_that_lacks_are_found(
    tmp_path: Path, file: str, before: str, after: str, found: str
) -> None:
    folder = tmp_path / "kubernetes"
    shutil.copytree(KUBERNETES, folder)
    plant(folder / file, before, after)
    assert found in wrong_in(folder)


def plant(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


# --- compose ---------------------------------------------------------------------------------------------------------

FOR_COMPOSE = {"COMPOSE_PROFILES", "ORDERS_USER"}
"""What .env has for compose itself."""


def wrong_in_compose(folder: Path) -> Iterator[str]:
    for process, service in services(folder).items():
        if service.ours:
            yield from (f"no setting {name} of {process}" for name in unknown(service))
            yield from lacking(process, {name.removesuffix("_FILE") for name in service.environ})


def unknown(service: Service) -> set[str]:
    in_files = {f"{name}_FILE" for name in secret_names()}
    return {*service.environ} - KNOWN - in_files - FOR_COMPOSE


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("deploy") / "deploy")


def test_compose_gives_each_process_what_it_needs_and_nothing_unknown(composed: Path) -> None:
    assert list(wrong_in_compose(composed)) == []
    assert {*NEEDS} - {"trim"} == {name for name, service in services(composed).items() if service.ours}


@pytest.mark.parametrize(
    ("file", "before", "after", "found"),
    [
        (".env", "PUBLIC_URL=", "PUBLIC_URI=", "no setting PUBLIC_URI of worker"),
        (".env", "PUBLIC_URL=", "PUBLIC_URI=", "api is not given PUBLIC_URL"),
        (".env", "WAREHOUSE_URL=", "#", "worker is not given WAREHOUSES"),
        ("services.yaml", "SMTP_URL_FILE", "SMTP_URL_FILES", "no setting SMTP_URL_FILES of worker"),
        ("services.yaml", "STRIPE_API_KEY_FILE", "STRIPE_API_FILE", "worker is not given STRIPE_API_KEY"),
        ("services.yaml", "ORDERS_API_PORT:", "ORDERS_API_PORT_FILE:", "no setting ORDERS_API_PORT_FILE of api"),
        ("services.yaml", "TEMPORAL_ADDRESS:", "TEMPORAL_HOST:", "api is not given TEMPORAL_ADDRESS"),
        ("services.yaml", "STRIPE_WEBHOOK_SECRET_FILE", f"{OWNER}_FILE", "api could change tables"),
    ],
)
def test_a_wrong_name_and_one_that_lacks_are_found_in_compose(
    composed: Path, tmp_path: Path, file: str, before: str, after: str, found: str
) -> None:
    folder = tmp_path / "deploy"
    shutil.copytree(composed, folder)
    plant(folder / file, before, after)
    assert found in wrong_in_compose(folder)
