"""Customers who keep ordering, and an order in each of the stages in which orders wait."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from activities.intake.example import example_order
from infra.database.tables import Order
from tests.cluster.cluster import MISSING, PACE, STOCKED, Cluster
from tests.whole.held_up import ENDED

EVERY = 2.0
"""Seconds: half an order a second."""
PATIENCE = 15.0
MOST_UNDER_WAY = 20
"""Where other work leaves the machine too little for half an order a second, customers come more slowly."""


@dataclass
class Placed:
    order: dict[str, Any]
    asked: float
    """By the machine's clock, as are the tables' instants."""
    answered: float = 0


class Customers(threading.Thread):
    """Place one order after another, each until it was taken; who was kept waiting makes up for it."""

    def __init__(self, cluster: Cluster, drill: str) -> None:
        super().__init__(name="customers", daemon=True)
        self.cluster, self.drill = cluster, drill
        self.placed: dict[str, Placed] = {}
        self.enough = threading.Event()
        self.refused: list[str] = []
        # its own: a client's connections belong to one thread's requests
        self.http = httpx.Client(base_url=cluster.url, headers=cluster.api.headers, timeout=PATIENCE, trust_env=False)

    def run(self) -> None:
        following = time.monotonic()
        while not self.enough.wait(max(0.0, following - time.monotonic())):
            following += EVERY
            while self.under_way() >= MOST_UNDER_WAY and not self.enough.wait(EVERY):
                following = time.monotonic()
            self.place(f"{self.drill}-{len(self.placed) + 1}")
        self.http.close()

    def under_way(self) -> int:
        """As far as anybody can say while a database is away."""
        with suppress(SQLAlchemyError), self.cluster.sessions() as tx:
            mine = select(func.count()).where(Order.order_id.in_(list(self.placed)), Order.status.not_in(ENDED))
            return tx.scalar(mine) or 0
        return 0

    def place(self, order_id: str) -> None:
        asked = example_order(order_id, {STOCKED: 1}, channel=self.drill)
        mine = self.placed[order_id] = Placed(asked, time.time())
        while not self.taken(asked) and not self.enough.is_set():
            time.sleep(0.2)
        mine.answered = time.time()

    def taken(self, asked: dict[str, Any]) -> bool:
        try:
            answer = self.http.post("/v1/orders", json=asked)
        except httpx.TransportError:
            return False
        if answer.status_code not in (200, 202, 503):
            self.refused.append(f"{answer.status_code}: {answer.text}")
        return answer.is_success

    def stop(self) -> None:
        self.enough.set()
        self.join(PATIENCE * 2)


class Stages:
    """One order in each stage in which orders wait: for goods, for a person, in the warehouse, on the way."""

    def __init__(self, cluster: Cluster, drill: str) -> None:
        self.cluster, self.drill = cluster, drill
        self.backordered, self.held, self.packed, self.on_the_way = (
            f"{drill}-{stage}" for stage in ("backordered", "held", "packed", "on-the-way")
        )
        self.orders: dict[str, dict[str, Any]] = {}
        self.by_hand: list[str] = []
        """Of these nothing moves by itself."""

    def place(self, order_id: str, sku: str = STOCKED) -> None:
        self.orders[order_id] = example_order(order_id, {sku: 1}, channel=self.drill)
        self.cluster.post("/v1/orders", self.orders[order_id])

    def packed_and_released(self, *order_ids: str) -> None:
        """Orders that wait to be handed over."""
        cluster = self.cluster
        for order_id in order_ids:
            self.by_hand.append(order_id)
            cluster.sandbox.pace(None, order_id)
            self.place(order_id)
        for order_id in order_ids:
            cluster.happened(order_id, "requested")
            for step in ("accept", "pick", "pack"):
                cluster.sandbox.warehouse(f"{order_id}-1", step)
        for order_id in order_ids:
            cluster.happened(order_id, "released")

    def reach(self) -> None:
        cluster = self.cluster
        cluster.sandbox.location("OAK", "refuses", self.held)
        self.place(self.backordered, MISSING)
        self.place(self.held)
        self.packed_and_released(self.packed, self.on_the_way)
        cluster.sandbox.warehouse(f"{self.on_the_way}-1", "hand_over")
        cluster.happened(self.on_the_way, "shipped")
        cluster.happened(self.backordered, "backordered")
        cluster.happened(self.held, "held")

    def go_on(self) -> None:
        """Goods come, a person decides, the warehouse and the carrier move."""
        cluster = self.cluster
        lines = [{"sku": MISSING, "quantity": 1}]
        restock = {"reference": f"for-{self.backordered}", "location": "OAK", "lines": lines}
        cluster.until(lambda: cluster.post("/v1/restocks", restock), "goods to be taken")
        decision = {"hold": f"{self.held}-h1", "action": "replan", "why": "the other place can do it"}
        cluster.until(lambda: cluster.post(f"/v1/orders/{self.held}/resolution", decision), "a decision to be taken")
        self.move()

    def stop(self, order_ids: Iterable[str]) -> None:
        """These wait, too, from now on."""
        for order_id in order_ids:
            self.by_hand.append(order_id)
            self.cluster.sandbox.pace(None, order_id)

    def move(self) -> None:
        for order_id in self.by_hand:
            self.cluster.sandbox.pace(PACE, order_id)
