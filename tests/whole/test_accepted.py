"""What was answered 202 happens, whichever process dies: the order, its cancellation, the news it waits for."""

import os
import signal
import time

from sqlalchemy import select

from infra.database.tables import Relay
from tests.whole.house import House, order

QUICKLY = 2.0
"""Seconds; far below what the engine's client would wait."""


def takes_over(house: House) -> None:
    """The API that knew of it is dead before the engine is back; another process finds what is due."""
    house.kill("api")
    house.begin("engine")
    house.begin("api")
    house.ready("api")


def due(house: House, order_id: str) -> list[str]:
    with house.database.sessions() as tx:
        return list(tx.scalars(select(Relay.kind).where(Relay.subject_id == order_id, Relay.done_at.is_(None))))


def test_an_order_is_started_though_its_api_died_between_commit_and_start(house: House) -> None:
    house.stocked(MUG=10)
    house.kill("engine")
    began = time.monotonic()
    house.place(order("A-1"))
    assert time.monotonic() - began < QUICKLY
    assert due(house, "A-1") == ["start"]
    takes_over(house)
    house.happened("A-1", "delivered")
    assert house.sandbox.books("A-1")["captures"] == 1


def test_an_order_is_started_though_its_api_died_while_it_asked_the_engine(house: House) -> None:
    """The dead one has leased the row: it is due again when the lease ends."""
    house.settled()
    os.kill(house.child("engine").pid, signal.SIGSTOP)  # it neither answers nor refuses
    house.place(order("A-2"))

    def leased() -> bool:
        with house.database.sessions() as tx:
            return bool(tx.scalars(select(Relay.attempts).where(Relay.subject_id == "A-2")).one())

    try:
        house.until(leased, "the relay to have it in hand", timeout=10)
    finally:
        house.kill("api")
        house.kill("engine")
    house.begin("engine")
    house.begin("api")
    house.happened("A-2", "delivered")
    assert house.sandbox.books("A-2")["captures"] == 1


def test_a_cancellation_is_heard_though_its_api_died_between_commit_and_nudge(house: House) -> None:
    house.sandbox.pace(None)
    house.place(order("A-3"))
    house.happened("A-3", "requested")
    house.settled()
    house.kill("engine")
    began = time.monotonic()
    answer = house.api.post("/v1/orders/A-3/cancellation", json={"reason": "customer", "why": ""})
    assert answer.status_code == 202
    assert time.monotonic() - began < QUICKLY
    assert due(house, "A-3") == ["news"]
    takes_over(house)
    house.happened("A-3", "recall_asked")
    house.sandbox.warehouse("A-3-1", "cancel")
    house.until(lambda: house.view("A-3")["status"] == "cancelled", "the order to end")
    books = house.sandbox.books("A-3")
    assert (books["voids"], books["recalls"], books["captures"]) == (1, 1, 0)


def test_a_webhook_is_heard_though_its_api_died_between_commit_and_nudge(house: House) -> None:
    house.sandbox.pace(None)
    house.place(order("A-4"))
    house.happened("A-4", "requested")
    house.settled()
    house.kill("engine")
    house.sandbox.warehouse("A-4-1", "pack")
    house.sandbox.webhooks_taken()
    assert due(house, "A-4") == ["news"]
    takes_over(house)
    house.happened("A-4", "released")
    assert house.sandbox.books("A-4")["labels"] == 1
