"""A receiver for the sandbox's webhooks. Those that earlier tests caused arrive too: ask for your own ids."""

from collections.abc import Iterator

import pytest

from infra.sandbox.client import SandboxControl
from tests.receiver import Receiver


@pytest.fixture
def hooks(sandbox: SandboxControl) -> Iterator[Receiver]:
    """The webhooks of all vendors, sent to us while the test runs."""
    receiver = Receiver()
    sandbox.webhooks_to(receiver.url)
    yield receiver
    sandbox.webhooks_to(None)
    receiver.close()
