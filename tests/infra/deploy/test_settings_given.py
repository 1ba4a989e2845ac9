"""What a deployment gives our processes is what they need, and nothing that they do not know."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import API_NEEDS, WORKER_NEEDS, Settings
from tests.infra.deploy.manifests import KUBERNETES, PROCESSES, given, named
from tests.infra.test_documents import OTHERS, settings_listed

KNOWN = {name.upper() for name in Settings.model_fields} | OTHERS | {*settings_listed()}
ELSEWHERE = {"DATABASE_URL", "PUBLIC_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
"""What has a default only beside the embedded stack, on this machine."""
NEEDS = {
    "api": {need.upper() for need in API_NEEDS} | ELSEWHERE,
    "worker": {need.upper() for need in WORKER_NEEDS} | ELSEWHERE,
    "migration": {"DATABASE_URL", "ORDERS_MIGRATION_DATABASE_URL"},
}


def wrong_in(folder: Path) -> Iterator[str]:
    yield from (f"no setting {name}" for name in named(folder) - KNOWN)
    for process in PROCESSES:
        yield from (f"{process} is not given {name}" for name in NEEDS[process] - given(process, folder))


def test_each_process_is_given_what_it_needs_and_nothing_unknown() -> None:
    assert list(wrong_in(KUBERNETES)) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "found"),
    [
        ("base/settings.env", "PUBLIC_URL=", "PUBLIC_URI=", "no setting PUBLIC_URI"),
        ("base/settings.env", "PUBLIC_URL=", "PUBLIC_URI=", "api is not given PUBLIC_URL"),
        ("base/secrets.yaml", "secretKey: STRIPE_API_KEY", "secretKey: STRIPE", "worker is not given STRIPE_API_KEY"),
        ("base/worker.yaml", "name: ORDERS_METRICS_ADDRESS", "name: ORDERS_METRICS", "no setting ORDERS_METRICS"),
        ("overlays/cloud/kustomization.yaml", "- TEMPORAL_ADDRESS=", "- X=", "api is not given TEMPORAL_ADDRESS"),
    ],
)
def test_a_wrong_name_and_one_that_lacks_are_found(
    tmp_path: Path, file: str, before: str, after: str, found: str
) -> None:
    folder = tmp_path / "kubernetes"
    shutil.copytree(KUBERNETES, folder)
    text = (folder / file).read_text()
    assert before in text
    (folder / file).write_text(text.replace(before, after))
    assert found in wrong_in(folder)
