"""A house per module: what one test kills or stops, another module does not miss."""

from collections.abc import Iterator

import pytest

from tests.fixtures_shop import NewDatabase
from tests.whole.house import House


@pytest.fixture(scope="module")
def house(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Everything moves by itself, quickly."""
    house = House(tmp_path_factory.mktemp("house"), new_database("house"), pace=0.1)
    yield house
    house.leave()
