"""One stack for all tests of the command line, started as a person would: `orders up` in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.home import Home
from tests.starter.cli.commands import Orders, started_up


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home of a stack that runs, in a world that moves fast, with an operator's patience of its own."""
    home = Home(tmp_path_factory.mktemp("stack") / "home")
    up = started_up(home, pace=0.1, ORDERS_STEP_PATIENCE="2s", ORDERS_HELD_RETRY="1h")
    yield home
    assert up.stop() == 0, "stopped in order, it ends with 0"


@pytest.fixture
def orders(stack: Home) -> Orders:
    """`orders …` against that stack."""
    return Orders({"ORDERS_HOME": str(stack.path)})


@pytest.fixture
def elsewhere(tmp_path: Path) -> Orders:
    """`orders …` where no stack runs."""
    return Orders({"ORDERS_HOME": str(tmp_path / "home")})
