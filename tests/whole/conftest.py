"""One house for all modules; another for who kills so often that nobody else could live there."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.processes import free_ports
from tests.fixtures_shop import NewDatabase
from tests.whole.house import House

PACE = 0.1


@contextmanager
def built(new_database: NewDatabase, folders: pytest.TempPathFactory) -> Iterator[House]:
    health = f"127.0.0.1:{free_ports(1)[0]}"
    house = House(folders.mktemp("house"), new_database("house"), pace=PACE, ORDERS_HEALTH_ADDRESS=health)
    try:
        yield house
    finally:
        house.leave()


@pytest.fixture(scope="session")
def shared_house(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with built(new_database, tmp_path_factory) as house:
        yield house


@pytest.fixture(scope="module")
def house(shared_house: House) -> House:
    """Everything moves by itself, quickly."""
    shared_house.sandbox.pace(PACE)
    return shared_house


@pytest.fixture(scope="module")
def own_house(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with built(new_database, tmp_path_factory) as house:
        yield house
