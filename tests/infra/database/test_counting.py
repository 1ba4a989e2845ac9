"""What is asked of the database is counted as it goes over the wire."""

import pytest
from sqlalchemy import insert, select, text

from infra.database.counting import count
from infra.database.engine import sessions
from infra.database.tables import Product
from tests.fixtures_database import Database


@pytest.mark.both_databases
def test_a_transaction_is_counted_with_its_statements_when_it_ends(database: Database) -> None:
    found: list[int] = []
    count(database.engine, found.append)
    with database.sessions.begin():
        pass
    rows = [{"sku": f"MUG-{n}", "name": "Mug", "weight_g": 400, "lead_time_days": 7} for n in range(50)]
    with database.sessions.begin() as tx:
        tx.execute(insert(Product), rows)
        tx.scalars(select(Product)).all()
        assert found == []
    with database.sessions() as tx:
        tx.execute(text("SELECT 1"))
        tx.rollback()
        tx.execute(text("SELECT 1"))
    with sessions(database.engine, read_only=True)() as tx:
        tx.execute(text("SELECT 1"))
    assert found == [2, 1, 1, 1]


def test_two_who_count_count_the_same(database: Database) -> None:
    one: list[int] = []
    other: list[int] = []
    count(database.engine, one.append)
    count(database.engine, other.append)
    with database.sessions() as tx:
        tx.execute(text("SELECT 1"))
    assert one == other == [1]
