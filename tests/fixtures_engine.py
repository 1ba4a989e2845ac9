"""One engine for the whole test run, the real server with time skipping; ids and task queues keep tests apart."""

from collections.abc import Iterator

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from infra.temporal import DevServer, connect, dev_server


@pytest.fixture(scope="session")
def engine_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """The server; `engine_server.settings()` is what other processes need to find it."""
    with dev_server(tmp_path_factory.mktemp("engine") / "log") as server:
        yield server


@pytest.fixture(scope="session")
async def temporal(engine_server: DevServer) -> Client:
    """A client. What it starts lives in real time, until `time_skipper.fast_forward(handle, duration)`."""
    return await connect(engine_server.settings())


@pytest.fixture(scope="session")
def time_skipper(temporal: Client) -> TimeSkipper:
    return TimeSkipper(temporal)
