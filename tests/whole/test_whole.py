"""The product as it is used: processes, HTTP, and an order from nothing to delivered."""

from contextlib import suppress
from itertools import product

import httpx
import pytest

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
    assert house.api.get("/readyz").status_code == 200
    assert "orders" in house.api.get("/metrics").text
    assert "temporal" in httpx.get(house.metrics, trust_env=False).text


@pytest.mark.parametrize("part", ["worker", "api", "sandbox"])
def test_told_to_stop_each_finishes_what_it_has_begun_and_exits_0(house: House, part: Part) -> None:
    if part == "worker":
        # a call to the outside world is under way, and takes a second
        house.sandbox.fail("stripe", "confirm", "delay", seconds=1, match="W-2")
        house.place(order("W-2"))
        house.until(lambda: house.sandbox.ask("/faults")["faults"][0]["struck"], "the call to begin")
    assert house.child(part).stop() == 0
    if part == "worker":
        assert house.sandbox.books("W-2")["authorizations"] == 1
        house.happened("W-2", "authorized", timeout=1)
    with suppress(httpx.TransportError):
        house.sandbox.heal()
