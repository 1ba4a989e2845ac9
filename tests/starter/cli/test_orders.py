"""What an operator does: looks, cancels, decides, reports goods."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.home import Home
from infra.sandbox.client import SandboxControl
from starter.cli.stack.environment import SANDBOX_TOKEN
from tests.starter.cli.commands import Orders, an_order


def place(orders: Orders, **changes: Any) -> str:
    order = an_order(**changes)
    assert orders("place", "-", stdin=json.dumps(order)).code == 0
    return str(order["order_id"])


def test_an_order_is_watched_until_it_is_delivered_and_then_shown(orders: Orders) -> None:
    order_id = place(orders)
    watched = orders("watch", order_id)
    assert watched.code == 0
    assert watched.out.splitlines()[-1] == f"{order_id} completed"
    assert [" shipped" in line for line in watched.out.splitlines()].count(True) >= 1
    changes = [json.loads(line) for line in orders("watch", order_id, "--json").out.splitlines()]
    assert [change["status"] for change in changes] == ["completed"]
    shown = orders("show", order_id)
    assert shown.code == 0
    for word in (order_id, "completed", "captured", "delivered", "MUG-BLUE", "$23.00", "Timeline"):
        assert word in shown.out
    assert orders("show", order_id, "--json").json["payment"]["captured"] == 2300


def test_orders_are_listed_by_what_is_asked_for(orders: Orders) -> None:
    mine = place(orders, channel="phone", customer={"customer_id": "C-LIST", "name": "Ben", "email": "b@example.com"})
    for asked in (["--customer", "C-LIST"], ["--channel", "phone"], ["--sku", "MUG-BLUE"]):
        found = orders("list", "--json", *asked).json["orders"]
        assert mine in [order["order_id"] for order in found]
    assert orders("list", "--customer", "C-NOBODY").out == "no such orders\n"
    assert mine in orders("list", "--customer", "C-LIST").out
    one = orders("list", "--json", "-n", "1").json
    assert (len(one["orders"]), one["more"]) == (1, True)
    assert "status" in orders("list", "--status", "lost").failed(1)


def test_an_order_that_does_not_exist_is_not_found(orders: Orders) -> None:
    assert orders("show", "NOBODY").failed(1) == "orders: order NOBODY is not known"
    assert "order ../x" not in orders("show", "../x").failed(1)


def test_units_are_cancelled_then_the_whole_order_and_what_has_left_is_refused(orders: Orders) -> None:
    waiting = place(orders, lines=[{"sku": "LAMP-OAK", "quantity": 3, "unit_price": 1800}])
    line_1 = ("cancel", waiting, "--line", "1")
    assert orders("cancel", waiting, "--line", "7").failed(1) == "orders: lines[0].line is not one of this order"
    assert "lines[0].quantity is more than is left of this line: 3" in orders(*line_1, "--quantity", "4").failed(1)
    for _ in range(2):
        order = orders(*line_1, "--quantity", "2", "--request-id", "R-1", "--json").json
    asked = [entry["data"]["units"] for entry in order["timeline"] if entry["event"] == "cancellation_asked"]
    assert asked == [2], "once, and nothing by what was refused"
    output = orders("cancel", waiting, "--why", "found it elsewhere")
    assert output.out.startswith(f"{waiting}: cancellation ")
    assert orders("watch", waiting).out.splitlines()[-1] == f"{waiting} cancelled"
    assert orders("cancel", waiting).failed(1) == "orders: the order is cancelled already"
    delivered = place(orders)
    orders("watch", delivered)
    assert "can't be cancelled" in orders("cancel", delivered, "--line", "1").failed(1)


def test_money_is_asked_back_by_unit_by_amount_and_as_a_whole_never_more_than_was_taken(orders: Orders) -> None:
    order_id = place(orders, lines=[{"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800}])
    orders("watch", order_id)
    assert "several of them" in orders("refund", order_id, "--amount", "5", "--shipping").failed(2)
    assert "as many --quantity" in orders("refund", order_id, "--quantity", "1").failed(2)
    assert "amount is more than can be refunded: 4100" in orders("refund", order_id, "--amount", "4101").failed(1)
    assert orders("refund", order_id, "--line", "2").failed(1) == "orders: lines[0].line is not one of this order"
    for _ in range(2):
        output = orders("refund", order_id, "--amount", "100", "--cause", "late", "--request-id", "R-1")
        assert output.out.startswith(f"{order_id}: refund asked; ")
    known = orders("refund", order_id, "--line", "1", "--quantity", "1", "--why", "damaged", "--json").json
    assert [each["lines"] for each in known["payment"]["refunds"]] == [[], [{"line": 1, "quantity": 1}]]
    assert orders("refund", order_id).code == 0
    assert "nothing of this order can be refunded" in orders("refund", order_id).failed(1)
    shown = orders("show", order_id).out
    for word in ("Refunds", f"{order_id}-r1", "$1.00", f"{order_id}-r2", "1 of line 1"):
        assert word in shown
    refunds = orders("show", order_id, "--json").json["payment"]["refunds"]
    assert sum(each["amount"] for each in refunds) == 4100


@pytest.fixture
def stack_sandbox(orders: Orders) -> Iterator[SandboxControl]:
    stack = json.loads(Path(orders.environ["ORDERS_HOME"], "stack.json").read_text())
    found = SandboxControl(f"http://127.0.0.1:{stack['ports']['sandbox']}", stack["secrets"][SANDBOX_TOKEN])
    yield found
    found.close()


def test_an_outage_is_held_and_goes_on_when_an_operator_says_so(orders: Orders, stack_sandbox: SandboxControl) -> None:
    order = an_order()
    order_id = order["order_id"]
    fault = stack_sandbox.fail("shippo", "*", "error", times=None, match=order_id)
    place(orders, **order)
    hold = held(orders, order_id)
    assert "step failed" in orders("list", "--status", "on_hold").out
    stack_sandbox.mend(fault)
    assert "is not offered" in orders("resolve", order_id, "--action", "skip", "--why", "try").failed(1)
    output = orders("resolve", order_id, "--action", "retry", "--why", "Shippo is back", "--by", "eve")
    assert output.out.startswith(f"{order_id}: retry asked for {hold}")
    assert orders("watch", order_id).out.splitlines()[-1] == f"{order_id} completed"
    assert "has no open hold" in orders("resolve", order_id, "--action", "retry", "--why", "again").failed(1)
    assert orders("show", order_id, "--json").json["holds"][0]["closed_by"] == "eve (default)"


def test_an_address_that_no_carrier_knows_is_held_and_cancelled_by_an_operator(orders: Orders) -> None:
    order = an_order()
    order["shipping"]["address"]["zip"] = "00000"
    order_id = place(orders, **order)
    decision = ("resolve", order_id, "--hold", held(orders, order_id), "--action", "cancel", "--why", "no such place")
    assert orders(*decision).code == 0
    assert orders("watch", order_id).out.splitlines()[-1] == f"{order_id} cancelled"
    assert "is closed" in orders(*decision).failed(1)


def test_news_that_nobody_here_waits_for_is_listed_and_resolved(orders: Orders) -> None:
    assert orders("news", "list").code == 0
    assert orders("news", "list", "--status", "finding", "--json").json == {"news": [], "more": False}
    assert "not known" in orders("news", "resolve", "stripe", "evt/1", "--why", "seen").failed(1)


def held(orders: Orders, order_id: str) -> str:
    """The id of the order's open hold, once there is one."""
    for _ in range(60):
        for hold in orders("show", order_id, "--json").json["holds"]:
            if hold["closed_at"] is None:
                return str(hold["hold"])
    raise AssertionError(f"{order_id} was not held")


def test_goods_that_arrive_are_taken_once(orders: Orders) -> None:
    before = orders("stock", "list", "KETTLE", "--json").json["stock"][0]["on_hand"]
    delivery = ("restock", "KETTLE=5", "--location", "OAK", "--reference", "PO-CLI-1")
    assert orders(*delivery).out == "PO-CLI-1: received at OAK\n"
    assert orders(*delivery).out == "PO-CLI-1: received at OAK (known already, nothing changed)\n"
    assert orders("stock", "list", "KETTLE", "--json").json["stock"][0]["on_hand"] == before + 5
    assert "RNO" in orders("stock", "list", "KETTLE").out
    other = orders("restock", "KETTLE=6", "--location", "OAK", "--reference", "PO-CLI-1").failed(1)
    assert "was used before, for another delivery" in other
    nowhere = orders("restock", "KETTLE=6", "--location", "MOON", "--reference", "PO-CLI-2").failed(1)
    assert nowhere == "orders: location is not known"


def test_what_an_order_costs_is_measured(orders: Orders) -> None:
    """The promise of a plain card order: at most 100 events, 12 KB of history and 24 billable actions."""
    found = orders("bench", "-n", "3", "-c", "2", "--json").json
    assert found["orders"] == 3
    assert found["orders_per_second"] > 0
    assert found["p50_seconds"] <= found["p95_seconds"]
    assert found["events"] <= 100
    assert found["bytes"] <= 12 * 1024
    assert found["actions"] <= 24
    assert {"worker", "api", "engine", "sandbox"} == {name for name, ms in found["cpu_ms"].items() if ms > 0}
    for figures, fewest in ((found["statements"], 50), (found["transactions"], 10)):
        assert {"worker", "api"} == {name for name, figure in figures.items() if figure > fewest}
    assert found["not_seen"] == []
    assert found["actions"] == pytest.approx(sum(found["actions_by_kind"].values()), abs=0.1)


def test_a_stack_with_a_real_provider_is_not_measured(stack: Home, tmp_path: Path) -> None:
    """Its cards would be charged."""
    known = stack.read()
    assert known is not None
    home = Home(tmp_path / "home")
    home.write(known.model_copy(update={"sandboxed": [part for part in known.sandboxed if part != "stripe"]}))
    refused = Orders({"ORDERS_HOME": str(home.path)})("bench", "-n", "1", "-c", "1").failed(1)
    assert "has real providers (stripe)" in refused
