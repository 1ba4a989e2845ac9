"""What `/metrics` says of the tables."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from activities.facts.journal import nudge_about
from activities.models import Subject
from infra.clock import wall_clock
from infra.database.tables import Order, Relay
from tests.starter.door import Api

pytestmark = pytest.mark.both_databases


async def number(api: Api, name: str) -> float:
    lines = (await api.client.get("/metrics")).text.splitlines()
    [value] = [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]
    return float(value)


async def test_a_deadline_that_is_still_to_come_is_nothing_that_an_order_does_not_hear(api: Api) -> None:
    with api.database.sessions.begin() as tx:
        nudge_about(tx, [Subject("order", "W-1001")], "deadline", at=wall_clock() + timedelta(days=10))
        tx.execute(update(Relay).values(recorded_at=wall_clock() - timedelta(days=1)))
    assert await number(api, "orders_relay_due") == 0
    with api.database.sessions.begin() as tx:
        tx.execute(update(Relay).values(attempts=1, due_at=wall_clock() + timedelta(seconds=5)))
    assert await number(api, "orders_relay_due") == 1, "it has come, and nobody has read it"
    assert await number(api, "orders_relay_oldest_seconds") == 0
    with api.database.sessions.begin() as tx:
        tx.execute(update(Relay).values(kind="news"))
    assert await number(api, "orders_relay_oldest_seconds") > 86_000


async def test_orders_are_counted_until_they_are_closed(api: Api) -> None:
    await api.place()
    assert await number(api, 'orders_by_status{status="placed"}') == 1
    with api.database.sessions.begin() as tx:
        tx.execute(update(Order).values(status="completed"))
    assert await number(api, 'orders_by_status{status="placed"}') == 0
    assert 'orders_by_status{status="completed"}' not in (await api.client.get("/metrics")).text
