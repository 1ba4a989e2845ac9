"""What every test may ask for, and how a run ends."""

from collections.abc import Generator

import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from infra.processes import leave

# as our processes do, but where pytest looks for it, and no more than it would show
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)

pytest_plugins = (
    "tests.cells",
    "tests.fixtures_database",
    "tests.fixtures_engine",
    "tests.fixtures_sandbox",
    "tests.fixtures_receiver",
    "tests.fixtures_shop",
    "tests.played",
    "tests.opening",
)


LONG = (
    "tests/workflows/test_crash_table.py",
    "tests/infra/database/",
    "tests/starter/cli/",
    "tests/whole/",
    "tests/workflows/",
)
ONE_HOUSE = ("tests/starter/cli/", "tests/whole/", "tests/infra/database/")
"""What is started for them costs more than they do: one process takes the whole folder."""


class ByFileOrHouse(LoadFileScheduling):  # type: ignore[misc] # comes without types
    def _split_scope(self, nodeid: str) -> str:
        """What one process takes as a whole."""
        return next((folder for folder in ONE_HOUSE if nodeid.startswith(folder)), super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFileOrHouse | None:
    return ByFileOrHouse(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # processes take the files in this order: none is to be left with a long one at the end
    items.sort(key=lambda item: next((n for n, long in enumerate(LONG) if item.nodeid.startswith(long)), len(LONG)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that a test recorded (`record_property("figures", …)`) are shown also when it passed."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(f"{report.nodeid.split('::')[-1]}: {value}")


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
