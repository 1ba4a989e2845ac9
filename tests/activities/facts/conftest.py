"""An order whose money was taken."""

import pytest

from tests.activities import orders
from tests.activities.disputes import ORDER
from tests.fixtures_database import Database
from tests.starter import stages


@pytest.fixture
def paid(database: Database) -> Database:
    """Packed, and all of it captured."""
    orders.placed(database, ORDER, 2, in_stock=2)
    stages.authorized(database, ORDER)
    orders.packed(database, ORDER)
    stages.captured(database, ORDER)
    return database
