"""The product as it is used: processes, HTTP, and an order from nothing to delivered."""

import os
import signal
from contextlib import suppress
from itertools import product

import httpx
import pytest
from sqlalchemy import select

from infra.database.tables import Order
from infra.processes import NotReady
from starter.cli.stack.stack import wait_for_api
from tests.whole.house import House, Part, order


def test_an_order_goes_from_http_to_the_customers_hands(house: House) -> None:
    house.stocked(MUG=10)
    house.place(order("W-1", quantity=2))
    house.happened("W-1", "delivered")
    house.settled()
    view = house.view("W-1")
    assert (view["status"], view["payment"]["status"]) == ("completed", "captured")
    [fulfillment] = view["fulfillments"]
    assert fulfillment["status"] == "delivered"
    assert fulfillment["parcels"][0]["tracking_number"]
    books = house.sandbox.books("W-1")
    assert (books["captures"], books["captured"]) == (1, 4100)
    messages = [(message["kind"], message["channel"]) for message in view["messages"]]
    kinds = ("confirmed", "shipped", "out_for_delivery", "delivered")
    assert sorted(messages) == sorted(product(kinds, ("email", "sms")))
    # several facts at once make one message
    assert 1 <= books["emails"] <= 4
    assert 1 <= books["sms"] <= 4
    mailbox = house.sandbox.client.get("/mailbox").text
    assert "W-1" in mailbox
    assert house.api.get("/readyz").json() == {"database": "ok", "engine": "ok", "stopping": False}
    assert "orders" in house.api.get("/metrics").text
    assert "temporal" in httpx.get(house.metrics, trust_env=False).text


def test_up_waits_for_an_engine_that_orders_do_not_wait_for(house: House) -> None:
    engine = house.child("engine").pid
    os.kill(engine, signal.SIGSTOP)
    try:
        answer = house.api.get("/readyz")
        assert (answer.status_code, answer.json()["engine"]) == (200, "away")
        with pytest.raises(NotReady, match="readyz within"):
            wait_for_api(house.child("api"), house.running.stack.api_url, seconds=0.1)
    finally:
        os.kill(engine, signal.SIGCONT)
    wait_for_api(house.child("api"), house.running.stack.api_url)


def answers(house: House, path: str) -> int:
    address = house.running.environ["ORDERS_HEALTH_ADDRESS"]
    return httpx.get(f"http://{address}{path}", trust_env=False, timeout=15).status_code


@pytest.mark.parametrize("part", ["worker", "api", "sandbox"])
def test_told_to_stop_each_finishes_what_it_has_begun_and_exits_0(house: House, part: Part) -> None:
    if part == "worker":
        # a call to the outside world is under way, and takes a second
        fault = house.sandbox.fail("stripe", "confirm", "delay", seconds=1, match="W-2")
        house.place(order("W-2"))
        house.until(lambda: house.sandbox.struck(fault), "the call to begin")
        assert (answers(house, "/healthz"), answers(house, "/readyz")) == (200, 200)
        with house.database.sessions.begin() as tx:  # what is under way cannot be written down before we have looked
            tx.execute(select(Order.order_id).where(Order.order_id == "W-2").with_for_update())
            house.child(part).process.terminate()
            house.until(lambda: answers(house, "/readyz") == 503, "the worker to take up no more work")
            assert answers(house, "/healthz") == 200
    assert house.child(part).stop() == 0
    if part == "worker":
        assert house.sandbox.books("W-2")["authorizations"] == 1
        house.happened("W-2", "authorized", timeout=1)
    with suppress(httpx.TransportError):
        house.sandbox.heal()
