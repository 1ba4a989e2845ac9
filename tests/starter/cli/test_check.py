"""`orders db check` and `show --effects`: was anybody charged twice?"""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra.home import Home
from tests.starter.cli.commands import Orders
from tests.starter.cli.test_orders import place, stack_sandbox

__all__ = ["stack_sandbox"]


@pytest.fixture
def delivered(orders: Orders) -> str:
    order_id = place(orders)
    assert orders("watch", order_id).code == 0
    return order_id


def test_a_stack_is_as_it_must_be_and_as_the_sandbox_has_it(orders: Orders, delivered: str) -> None:
    checked = orders("db", "check")
    assert (checked.code, checked.err) == (0, ""), checked.out
    assert checked.out.endswith("matches this version; money and stock hold together\n")
    assert orders("db", "check", "--json").out == ""


def test_every_breach_is_named_with_its_ids(orders: Orders, elsewhere: Orders, stack: Home, delivered: str) -> None:
    copy = Home(Path(elsewhere.environ["ORDERS_HOME"]))
    copy.make()
    shutil.copy(stack.stack, copy.stack)
    with closing(sqlite3.connect(stack.database)) as tables, closing(sqlite3.connect(copy.database)) as broken:
        tables.backup(broken)
        mine = (delivered,)
        broken.execute("UPDATE money_moves SET amount = amount + 100 WHERE order_id = ? AND kind = 'captured'", mine)
        broken.execute("DELETE FROM events WHERE order_id = ? AND type = 'label_bought'", mine)
        broken.commit()
    checked = elsewhere("db", "check")
    again = [json.loads(line) for line in elsewhere("db", "check", "--json").out.splitlines()]
    assert checked.code == 1
    assert checked.err.count("\n") == 1
    assert f"holds {len(again)} breaches" in checked.err
    assert f"charged more than the order costs: order_id {delivered}, total 2300, captured 2400\n" in checked.out
    books = f"otherwise than in the sandbox's books: order_id {delivered}"
    assert f"captured {books}, here 2400, there 2300\n" in checked.out
    assert f"labels {books}, here 0, there 1\n" in checked.out
    assert [f"{b['what']}: {', '.join(f'{k} {v}' for k, v in b['ids'].items())}" for b in again] == (
        checked.out.splitlines()
    )


def test_what_was_asked_of_providers_is_shown_with_keys(orders: Orders, delivered: str) -> None:
    found = orders("show", delivered, "--effects", "--json").json["effects"]
    assert [each["step"].split(":")[0] for each in found][:2] == ["authorize", "request"]
    assert {(each["n"], each["outcome"]) for each in found} == {(1, "done")}
    shown = orders("show", delivered, "--effects").out
    assert all(each["key"] in shown and each["step"] in shown for each in found)
    assert "not known" in orders("show", "NOBODY", "--effects").failed(1)
