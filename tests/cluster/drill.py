"""One drill: orders in every stage and customers who keep coming, a fault, and afterwards the books of both sides."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select

from activities.views.check import breaches
from infra.database.tables import Effect, Event, Hold, Message, Order, Relay
from infra.words import Channel
from starter.cli.books import PLAYED, differences
from tests.cluster.cluster import Cluster
from tests.cluster.trade import Customers, Placed, Stages

AFTERWARDS = 3
"""Orders that are placed when all is well again, and delivered before it counts as that."""


class Drill:
    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name
        self.stages, self.customers = Stages(cluster, name), Customers(cluster, name)
        self.made = time.time()
        self.began = self.mended = 0.0

    @property
    def placed(self) -> dict[str, Placed]:
        return self.customers.placed

    def strikes(self) -> None:
        """From now on what is slow is slow for the fault."""
        self.began = time.time()

    def ends(self) -> None:
        self.mended = self.mended or time.time()

    def tell(self, what: str) -> None:
        """For whoever watches: a drill takes a minute or two."""
        print(f"{time.time() - self.made:6.1f} s  {self.name}: {what}; {len(self.placed)} placed", flush=True)

    def goes_on(self) -> None:
        """Orders that are placed from now on are delivered."""
        now = time.time()
        self.cluster.until(lambda: self.delivered_since(now) >= AFTERWARDS, "new orders to be delivered", 600)

    def delivered_since(self, instant: float) -> int:
        mine = [order_id for order_id, each in list(self.placed.items()) if each.asked > instant]
        return len(self.statuses(mine, "completed"))

    def statuses(self, order_ids: Iterable[str], status: str) -> list[str]:
        with self.cluster.sessions() as tx:
            mine = select(Order.order_id).where(Order.order_id.in_([*order_ids]), Order.status == status)
            return [*tx.scalars(mine)]

    def finish(self) -> None:
        """All that was placed is delivered."""
        cluster = self.cluster
        self.goes_on()
        self.tell("goes on")
        self.customers.stop()
        self.stages.go_on()
        every = [*self.placed, *self.stages.orders]
        cluster.until(lambda: len(self.statuses(every, "completed")) == len(every), "all to be delivered", 600)
        cluster.until(lambda: self.settled(every), "nothing to be under way", 120)

    def settled(self, every: list[str]) -> bool:
        with self.cluster.sessions() as tx:
            due = tx.scalar(select(func.count()).where(Relay.done_at.is_(None)))
            waits = Message.status.in_(("pending", "claimed")), Message.order_id.in_(every)
            untold = tx.scalar(select(func.count()).where(*waits))
        return not due and not untold and not self.cluster.sandbox.ask("/webhooks")["pending"]

    # --- the books ---------------------------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """What is lost or doubled: our tables against themselves, and against what the outside world has done."""
        cluster = self.cluster
        with cluster.sessions() as tx:
            found = [str(breach) for breach in breaches(tx)]
            names = [name for part in PLAYED.values() for name in part]
            found += [str(each) for each in differences(tx, cluster.sessions, cluster.sandbox, names)]
            open_ones = select(Effect.order_id, Effect.step).where(Effect.finished_at.is_(None))
            found += [f"{order_id}: {step} has no outcome" for order_id, step in tx.execute(open_ones)]
            holds = select(Hold.hold_id, Hold.kind).where(Hold.closed_at.is_(None))
            found += [f"{hold_id}: {kind} is open" for hold_id, kind in tx.execute(holds)]
        found += self.customers.refused
        orders = self.stages.orders | {name: each.order for name, each in self.placed.items()}
        for order_id, order in orders.items():
            # its first warehouse refused
            requests = 2 if order_id == self.stages.held else 1
            found += self.otherwise(order_id, order["total"], requests)
        return found

    def otherwise(self, order_id: str, total: int, requests: int) -> Iterator[str]:
        books = self.cluster.sandbox.books(order_id)
        del books["entries"]
        with self.cluster.sessions() as tx:
            sent = (
                select(Message.channel, func.count(Message.claimed_as.distinct()))
                .where(Message.order_id == order_id, Message.code.is_(None) | (Message.code == ""))
                .group_by(Message.channel)
            )
            messages = dict(tx.execute(sent).all())
        once = dict.fromkeys(("authorizations", "captures", "labels", "releases", "hand_overs"), 1)
        expected = once | {
            "captured": total,
            "warehouse_requests": requests,
            "emails": messages.get(Channel.EMAIL, 0),
            "sms": messages.get(Channel.SMS, 0),
        }
        if {name: n for name, n in books.items() if n} != expected:
            yield f"{order_id}: {books}, not {expected}"

    # --- what a customer saw -----------------------------------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        """Seconds. An order stands still between two facts about it, or from the customer's click to the first."""
        stood = {order_id: [each.asked, *self.instants(order_id)] for order_id, each in self.placed.items()}
        gaps = [(after, after - before) for all in stood.values() for before, after in pairwise(all)]
        answers = [(each.answered, each.answered - each.asked) for each in self.placed.values()]
        return {
            "orders": len(stood) + len(self.stages.orders),
            "slowest answer in peace": self.longest(answers, until=self.began),
            "slowest answer": self.longest(answers, since=self.began),
            "longest stall in peace": self.longest(gaps, until=self.began),
            "longest stall": self.longest(gaps, since=self.began),
            "mended after": round(self.mended - self.began, 1),
        }

    def instants(self, order_id: str) -> list[float]:
        with self.cluster.sessions() as tx:
            rows = select(Event.recorded_at).where(Event.order_id == order_id).order_by(Event.event_no)
            return [each.timestamp() for each in tx.scalars(rows)]

    @staticmethod
    def longest(gaps: Iterable[tuple[float, float]], since: float = 0, until: float = float("inf")) -> float:
        return round(max((seconds for end, seconds in gaps if since <= end < until), default=0), 1)


@contextmanager
def drill(cluster: Cluster, name: str, say: Any) -> Iterator[Drill]:
    """The block is the fault: it begins it, proves it, and mends it."""
    made = Drill(cluster, name)
    made.customers.start()
    try:
        made.stages.reach()
        cluster.until(lambda: made.delivered_since(0) >= 1, "an order to be delivered before it")
        made.tell("every stage is there")
        made.strikes()
        yield made
        made.ends()
        gave_up = cluster.supervised()
        made.tell("mended")
        made.finish()
    finally:
        made.customers.stop()
    figures = made.figures() | ({"ended by itself": gave_up} if gave_up else {})
    say(f"{name}: {figures}")
    wrong = made.wrong()
    assert not wrong, "\n".join(wrong)
