"""One cluster for all drills of faults: each leaves it whole."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.ring import BUILT

Say = Callable[[str], None]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    assert (BUILT / "version").exists(), "make cluster builds the server"
    with Cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Say:
    """At once, and again at the end of the run."""

    def shown(figures: str) -> None:
        print(figures, flush=True)
        record_property("figures", figures)

    return shown
