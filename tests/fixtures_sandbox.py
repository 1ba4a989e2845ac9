"""One sandbox process for the whole test run; each test that uses it leaves it calm. Use order ids of your own."""

from collections.abc import Iterator

import pytest

from infra.sandbox.client import SandboxControl
from tests.sandbox import SANDBOX_TOKEN, SandboxProcess


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox")).start()
    yield process
    if process.running is not None:
        process.stop()


@pytest.fixture(scope="session")
def sandbox(sandbox_process: SandboxProcess) -> Iterator[SandboxControl]:
    """The outside world's controls. Webhooks wait until `webhooks_to(url)` says where to."""
    control = SandboxControl(sandbox_process.url, SANDBOX_TOKEN, smtp_port=sandbox_process.smtp_port)
    yield control
    control.close()


@pytest.fixture(autouse=True)
def calm_sandbox(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "sandbox" in request.fixturenames:
        request.getfixturevalue("sandbox").calm()
