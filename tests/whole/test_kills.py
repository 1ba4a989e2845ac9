"""Processes die at seeded random moments while orders pour in; every order ends as if nothing had happened."""

import os
import random
import threading
import time
from contextlib import suppress
from typing import Any

import httpx
from sqlalchemy import func, select

from activities.views.check import breaches
from infra.database.tables import Effect, Hold, Message, Stock
from infra.processes import NotReady
from infra.words import Channel
from tests.whole.house import House, Part, order

SEED = 3
ALL = os.environ["CELLS"] == "all"
VICTIMS: tuple[tuple[Part, int], ...] = (
    (("worker", 8), ("api", 6), ("engine", 6)) if ALL else (("worker", 2), ("api", 2), ("engine", 2))
)
"""Six die in `make test`, twenty in `make test-all`."""
ORDERS = 40 if ALL else 12
LONGEST_PEACE = 1.2
STOCK = {"MUG": 100, "POT": 100, "LAMP": 100}


class Customers(threading.Thread):
    """Place one order after another, each until it was answered well; so many for each kill."""

    def __init__(self, house: House, orders: list[dict[str, Any]]) -> None:
        super().__init__(name="customers", daemon=True)
        self.house, self.orders = house, orders
        self.let = threading.Semaphore(0)
        self.again = 0
        self.refused: list[str] = []

    def run(self) -> None:
        for asked in self.orders:
            self.let.acquire()
            while not self.taken(asked):
                self.again += 1
                time.sleep(0.1)

    def taken(self, asked: dict[str, Any]) -> bool:
        try:
            answer = self.house.api.post("/v1/orders", json=asked)
        except httpx.TransportError:
            return False
        if answer.status_code not in (200, 202):
            self.refused.append(f"{answer.status_code}: {answer.text}")
        return answer.is_success


def test_kills_under_load_lose_nothing_and_double_nothing(own_house: House) -> None:
    house = own_house
    chance = random.Random(SEED)
    house.stocked(**STOCK)
    orders = [order(f"K-{n}", chance.choice(list(STOCK)), chance.randint(1, 3)) for n in range(1, ORDERS + 1)]
    victims = [part for part, times in VICTIMS for _ in range(times)]
    chance.shuffle(victims)
    customers = Customers(house, orders)
    customers.start()
    began = time.monotonic()
    for n, victim in enumerate(victims, start=1):
        customers.let.release(ORDERS // len(victims))
        supervised(house, victim)
        time.sleep(chance.uniform(0, LONGEST_PEACE))  # the moment is what chance decides; nothing is awaited
        house.kill(victim)
        house.begin(victim)
        print(f"{time.monotonic() - began:5.1f} s  kill {n}: {victim}; {house.statuses()}")
    for part, _ in VICTIMS:
        supervised(house, part)
    customers.join(60)
    assert not customers.is_alive(), f"orders were not taken\n{house.state()}"
    house.until(lambda: house.statuses() == {"completed": ORDERS}, "all to be delivered", 120)
    house.settled()
    print(f"{time.monotonic() - began:5.1f} s  all delivered; {customers.again} requests were sent again")
    assert not customers.refused
    assert not (wrong := differences(house, orders)), "\n".join(wrong)
    with house.database.sessions() as tx:
        assert [*breaches(tx)] == []
        assert tx.scalars(select(Effect.step).where(Effect.finished_at.is_(None))).all() == []
        assert tx.scalars(select(Hold.hold_id)).all() == []
        left = dict(tx.execute(select(Stock.sku, Stock.on_hand)).all())
    sold = {sku: sum(o["lines"][0]["quantity"] for o in orders if o["lines"][0]["sku"] == sku) for sku in STOCK}
    assert left == {sku: STOCK[sku] - sold[sku] for sku in STOCK}


def supervised(house: House, part: Part) -> None:
    """Who could not start, as what it needs was dead just then, is started again."""
    for _ in range(10):
        with suppress(NotReady):
            return house.ready(part)
        house.begin(part)
    raise AssertionError(house.state())


def differences(house: House, orders: list[dict[str, Any]]) -> list[str]:
    """What the outside world's books say of any order that they should not."""
    found = []
    for asked in orders:
        books = house.sandbox.books(asked["order_id"])
        del books["entries"]
        expected = {
            "authorizations": 1,
            "captures": 1,
            "captured": asked["total"],
            "labels": 1,
            "warehouse_requests": 1,
            "releases": 1,
            "hand_overs": 1,
            **messages(house, asked["order_id"]),
        }
        if {name: n for name, n in books.items() if n} != expected:
            found.append(f"{asked['order_id']}: {books}, not {expected}")
    return found


def messages(house: House, order_id: str) -> dict[str, int]:
    """As many as our tables say were sent: several facts at once make one message."""
    with house.database.sessions() as tx:
        sent = (
            select(Message.channel, func.count(Message.claimed_as.distinct()))
            .where(Message.order_id == order_id, Message.code.is_(None) | (Message.code == ""))
            .group_by(Message.channel)
        )
        counted = dict(tx.execute(sent).all())
    assert set(counted) == set(Channel), f"{order_id}: {counted}"
    return {"emails": counted[Channel.EMAIL], "sms": counted[Channel.SMS]}
