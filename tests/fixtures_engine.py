"""One engine for the whole test run, the real server with time skipping; ids and task queues keep tests apart."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from infra import temporal as engines
from infra.temporal import DevServer, connect, dev_server

AT_ONCE = {"history.workflowIdReuseMinimalInterval": '"1ms"'}
"""Else a run that goes on as a new one within a second of its start stands still for the rest of it."""


@pytest.fixture(scope="session")
def engine_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """The server; `engine_server.settings()` is what other processes need to find it."""
    with ExitStack() as until_the_end:
        with pytest.MonkeyPatch.context() as patch:  # other engines of tests are as ours are
            for name, value in AT_ONCE.items():
                patch.setitem(engines.DYNAMIC_SETTINGS, name, value)
            server = until_the_end.enter_context(dev_server(tmp_path_factory.mktemp("engine") / "log"))
        yield server


@pytest.fixture(scope="session")
async def temporal(engine_server: DevServer) -> Client:
    """A client. What it starts lives in real time, until `time_skipper.fast_forward(handle, duration)`."""
    return await connect(engine_server.settings())


@pytest.fixture(scope="session")
def time_skipper(temporal: Client) -> TimeSkipper:
    return TimeSkipper(temporal)
