"""The engine is away for longer than every patience: what came meanwhile counts, when it is back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.clock import wall_clock
from infra.processes import free_ports
from infra.temporal import DevServer, start_dev_server
from tests.fixtures_shop import NewDatabase
from tests.sandbox import SandboxControl
from tests.shop import Shop
from tests.workflows import stories
from tests.workflows.test_paid import payment_intent

PATIENCE = timedelta(seconds=15)
SHORT = dict.fromkeys(("ORDERS_PATIENCE_FOR_PACKING", "ORDERS_PAYMENT_DEADLINE"), "15s")


class Engine:
    """With a memory of its own, at the same address each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.ui_port = free_ports(2)
        self.server = self.start()

    def start(self) -> DevServer:
        self.server = start_dev_server(
            self.folder / "log", database=self.folder / "engine.db", port=self.port, ui_port=self.ui_port
        )
        return self.server


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.server.child.stop()


def test_what_came_while_the_engine_was_away_counts(
    new_database: NewDatabase, engine: Engine, sandbox: SandboxControl
) -> None:
    with Shop(new_database("away"), engine.server, sandbox, settings=SHORT) as shop:
        placed_at = wall_clock()
        unpaid = shop.place({shop.product(OAK=1): 1}, card="pm_card_authenticationRequired", by_hand=True)
        order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
        shop.happened(order, "requested")
        stories.customer_hears(shop, order, "confirmed")
        stories.customer_hears(shop, unpaid, "payment_action", "payment 1")
        engine.server.child.stop()
        shop.warehouse(order).packs()
        shop.happened(order, "packed")
        shop.sandbox.card(payment_intent(shop, unpaid), "authenticate")
        shop.happened(unpaid, "payment_confirmed")
        shop.until(lambda: wall_clock() > placed_at + 2 * PATIENCE, "every patience to end", timeout=60)
        engine.start()
        shop.happened(order, "released", timeout=60)
        shop.happened(unpaid, "requested", timeout=60)
        assert "held" not in shop.timeline(order)
        assert "cancellation_accepted" not in shop.timeline(unpaid)
