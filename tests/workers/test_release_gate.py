"""Which orders a version is asked about where very many are open: of real tables, and of a real engine."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import insert, select

from activities.views.stages import STAGES
from infra.clock import wall_clock
from infra.database.tables import Order
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from infra.words import OrderFulfillment, OrderStatus, PaymentStatus
from tests.fixtures_shop import NewDatabase
from tests.shop import Shop, unique
from workers.release_gate import ENDED, WITH_WORK_LEFT, read_stages, replay_orders
from workers.replaying import FILES, recorded
from workers.wiring import WORKFLOWS
from workflows.messages import ORDER, Entry, searchable, workflow_id
from workflows.release_gate import Wish

FEW, SOME, CROWD = 7, 24, 90
SHARE = 20
IN_PROCESS = {
    "requested": (PaymentStatus.AUTHORIZED, OrderFulfillment.UNFULFILLED),
    "packed": (PaymentStatus.CAPTURED, OrderFulfillment.UNFULFILLED),
    "backordered": (PaymentStatus.AUTHORIZED, OrderFulfillment.BACKORDERED),
    "partly_shipped": (PaymentStatus.PARTIALLY_CAPTURED, OrderFulfillment.PARTIAL),
    "shipped": (PaymentStatus.CAPTURED, OrderFulfillment.FULFILLED),
    "arrived": (PaymentStatus.CAPTURED, OrderFulfillment.DELIVERED),
}
LATE = "requested"
"""The engine does not know the oldest orders of this stage: they were taken while it was away."""
NOT_BEGUN = 3


def statuses(stage: str) -> dict[str, Any]:
    status = OrderStatus.COMPLETED if stage == ENDED else OrderStatus(stage) if stage not in IN_PROCESS else None
    payment, fulfillment = IN_PROCESS.get(stage, (PaymentStatus.AUTHORIZED, OrderFulfillment.UNFULFILLED))
    return {
        "status": status or OrderStatus.PROCESSING,
        "payment_status": payment,
        "fulfillment_status": fulfillment,
    }


@pytest.fixture(scope="module")
def shop(new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl) -> Iterator[Shop]:
    with Shop(new_database("very-many"), engine_server, sandbox) as shop:
        yield shop


@pytest.fixture(scope="module")
def many(shop: Shop) -> dict[str, list[str]]:
    """By stage, from the oldest on: one is really played so far, and the others are as it is but for stage and age."""
    played = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(played, "requested")
    numbers = count(1)
    sizes = dict.fromkeys([*STAGES, ENDED], SOME) | {"placed": CROWD, "arrived": FEW}
    orders = {stage: [f"many-{stage}-{next(numbers):03}" for _ in range(n)] for stage, n in sizes.items()}
    with shop.database.sessions.begin() as tx:
        row = dict(tx.execute(select(Order.__table__).where(Order.order_id == played)).mappings().one())
        for stage, order_ids in orders.items():
            for n, order_id in enumerate(order_ids):
                own = {"order_id": order_id, "track_token": unique("t"), "idempotency_key": None}
                age = {"placed_at": row["placed_at"] - timedelta(days=30) + timedelta(minutes=n)}
                tx.execute(insert(Order), [row | own | age | statuses(stage)])
    shop.call(begin_all(shop, orders))
    orders["requested"].append(played)
    return orders


async def begin_all(shop: Shop, orders: dict[str, list[str]]) -> None:
    """On a queue that nobody works on, so that they stay as they are."""
    begun = [
        (stage, order_id)
        for stage, order_ids in orders.items()
        for order_id in (order_ids[NOT_BEGUN:] if stage == LATE else order_ids)
    ]
    idle = unique("idle")

    async def begin(stage: str, order_id: str) -> None:
        status = statuses(stage)["status"]
        attributes = searchable(status=status, channel="web", customer_id="C", total=1, placed_at=wall_clock())
        await shop.client.start_workflow(
            ORDER, Entry(order_id=order_id), id=workflow_id(order_id), task_queue=idle, search_attributes=attributes
        )

    for n in range(0, len(begun), 20):
        await asyncio.gather(*(begin(*each) for each in begun[n : n + 20]))
    while (await shop.client.count_workflows(WITH_WORK_LEFT)).count < len(orders[ENDED]):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def test_of_two_hundred_orders_each_stage_has_twenty_where_there_are_so_many(
    shop: Shop, many: dict[str, list[str]]
) -> None:
    reported: list[int] = []
    replayed = shop.call(replay_orders(shop.client, shop.database.sessions, WORKFLOWS, Wish().orders, reported.append))
    assert sum(replayed.orders.values()) == Wish().orders == 200
    assert replayed.orders["arrived"] == FEW, "all that there are"
    others = {stage: n for stage, n in replayed.orders.items() if stage != "arrived"}
    assert {*others} == {*STAGES, ENDED} - {"arrived"}
    assert SHARE <= min(others.values()) <= max(others.values()) <= SOME
    assert replayed.recorded == sum(len(recorded(file)) for file in FILES)
    assert reported == [*range(1, replayed.total + 1)]


def test_the_oldest_and_the_newest_of_a_stage_come_first(shop: Shop, many: dict[str, list[str]]) -> None:
    by_stage = read_stages(shop.database.sessions, Wish().orders)
    assert {stage: sorted(order_ids) for stage, order_ids in by_stage.items()} == {
        stage: sorted(order_ids) for stage, order_ids in many.items() if stage != ENDED
    }
    crowd = many["placed"]
    assert by_stage["placed"][:4] == [crowd[0], crowd[-1], crowd[1], crowd[-2]]
