"""What an order may cost: histories are kept for weeks, every action is on Temporal Cloud's bill, and every statement
is a way to the database and back."""

import threading
from collections import Counter
from collections.abc import Callable

from sqlalchemy import select
from temporalio import activity

from infra.database.counting import count
from infra.database.tables import Message
from infra.sandbox.client import SandboxControl
from infra.settings import Settings
from infra.temporal import DevServer
from starter.cli.bench.cost import cost_of
from starter.http.metrics import source
from tests.fixtures_shop import NewDatabase
from tests.shop import FAST, Shop, unique
from tests.workflows import stories
from tests.workflows.recording import histories

USUAL = {name: f"{Settings.model_fields[name.lower()].default.total_seconds():g}s" for name in FAST}
"""Timing as it is unless somebody sets it: only then it does not travel with the order."""
BESIDE = ("POST /v1/restocks",)
"""What is asked so that there is something to order."""


class Asked:
    """What API, relay and worker ask of the database, by who asks. In the main thread it is the test that looks."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()
        self.transactions: Counter[str] = Counter()
        self.lock = threading.Lock()

    def count_transaction(self, statements: int) -> None:
        who = activity.info().activity_type if activity.in_activity() else source()
        found_nothing = who == "relay" and statements == 1
        if threading.current_thread() is threading.main_thread() or found_nothing or who in BESIDE:
            return
        with self.lock:
            self.statements[who] += statements
            self.transactions[who] += 1

    def __str__(self) -> str:
        rows = [f"{who:<34}{self.transactions[who]:>4}{n:>6}" for who, n in sorted(self.statements.items())]
        whole = f"{'':<34}{self.transactions.total():>4}{self.statements.total():>6}"
        return "\n".join([f"{'':<25}transactions, statements", *rows, whole])


def told_all(shop: Shop, order: str) -> None:
    """A plain order, step by step, and all that anybody tells us about it."""
    shop.place({shop.product(OAK=2): 2}, order_id=order, by_hand=True)
    stories.customer_hears(shop, order, "confirmed")
    for step in ("accept", "pick"):
        shop.warehouse(order).does(step)
        shop.sandbox.webhooks_taken(shop.settings.public_url)
    stories.pack(shop, order)
    stories.deliver(shop, order)
    assert shop.ends(order) == "completed"
    shop.goes_by_itself(order)  # what is left are the text messages' statuses
    shop.until(lambda: statuses(shop, order) == {"delivered"}, "the messages to arrive", order)
    shop.sandbox.webhooks_taken(shop.settings.public_url)


def statuses(shop: Shop, order: str) -> set[str]:
    with shop.database.sessions() as tx:
        return set(tx.scalars(select(Message.status).where(Message.order_id == order, Message.channel == "sms")))


def test_a_plain_card_order_to_delivered_stays_small(
    new_database: NewDatabase,
    engine_server: DevServer,
    sandbox: SandboxControl,
    record_property: Callable[[str, object], None],
) -> None:
    order, asked, database = unique("W")[-6:], Asked(), new_database("cost", "postgresql")
    count(database.engine, asked.count_transaction)
    with Shop(database, engine_server, sandbox, settings=USUAL) as shop:
        told_all(shop, order)
        books = sandbox.books(order)
        cost = cost_of(shop.call(histories(shop, order)))
    record_property("figures", f"{cost.events} events, {cost.bytes} bytes, {cost.billed} actions\n{asked}")
    assert (books["emails"], books["sms"]) == (4, 4)
    assert cost.events <= 53
    assert cost.bytes <= 9_800
    assert cost.billed <= 18, cost.actions
    # what a provider tells before its own answer takes a few statements more
    assert asked.transactions.total() <= 48, str(asked)
    assert asked.statements.total() <= 290, str(asked)
