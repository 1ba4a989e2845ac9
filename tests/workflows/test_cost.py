"""What an order may cost: histories are kept for weeks, and every action is on Temporal Cloud's bill."""

from infra.sandbox.client import SandboxControl
from infra.settings import Settings
from infra.temporal import DevServer
from starter.cli.cost import cost_of
from tests.fixtures_shop import NewDatabase
from tests.shop import FAST, Shop, unique
from tests.workflows import stories
from tests.workflows.record import histories

USUAL = {name: f"{Settings.model_fields[name.lower()].default.total_seconds():g}s" for name in FAST}
"""Timing as it is unless somebody sets it: only then it does not travel with the order."""


def test_a_plain_card_order_to_delivered_stays_small(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl
) -> None:
    order = unique("W")
    with Shop(new_database("cost"), engine_server, sandbox, settings=USUAL) as shop:
        sandbox.pace(None)
        stories.delivered(shop, order)
        books = sandbox.books(order)
        cost = cost_of(shop.call(histories(shop, order)))
    print(f"{cost.events} events, {cost.bytes} bytes, {cost.billed} actions: {cost.actions}")
    assert (books["emails"], books["sms"]) == (4, 4)
    assert cost.events <= 100
    assert cost.bytes <= 12 * 1024
    assert cost.billed <= 24, cost.actions
