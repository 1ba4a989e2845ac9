"""What every test may ask for, and how a run ends."""

from collections.abc import Generator

import pytest

from infra.processes import leave

pytest_plugins = (
    "tests.fixtures_database",
    "tests.fixtures_engine",
    "tests.fixtures_sandbox",
    "tests.fixtures_receiver",
    "tests.fixtures_shop",
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None]:
    session.config.stash[ENDED_WITH] = int(exitstatus)
    yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    # the engine's client can abort while the interpreter shuts down, and turn a passed run into a failed one
    if (code := config.stash.get(ENDED_WITH, None)) is not None:
        leave(code)


ENDED_WITH = pytest.StashKey[int]()
