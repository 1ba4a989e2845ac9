"""Orders from files: each once, and what is wrong is told by line and field."""

import json
from pathlib import Path

from tests.starter.cli.commands import ROOT, Orders, an_order

EXAMPLES = ROOT / "docs" / "examples"


def test_the_examples_are_placed_once_however_often(orders: Orders) -> None:
    first = orders("place", str(EXAMPLES / "orders.jsonl"))
    again = orders("place", str(EXAMPLES / "orders.jsonl"))
    assert (first.code, first.out) == (0, "4 placed\n")
    assert (again.code, again.out) == (0, "0 placed, 4 known already\n")
    listed = orders("list", "--json", "-n", "1000").json["orders"]
    assert sorted(o["order_id"] for o in listed if o["order_id"] in ("W-1001", "W-1002", "W-1003", "P-2001")) == [
        "P-2001",
        "W-1001",
        "W-1002",
        "W-1003",
    ]


def test_a_table_of_orders(orders: Orders) -> None:
    assert orders("place", str(EXAMPLES / "orders.csv")).out == "2 placed\n"
    lines = orders("show", "W-1101", "--json").json["lines"]
    assert [(line["sku"], line["quantity"]) for line in lines] == [("MUG-BLUE", 1), ("TEAPOT", 1)]


def test_orders_without_an_id_are_known_by_their_content(orders: Orders) -> None:
    """Two alike in one file are two orders; the file placed again is the same two."""
    nameless = {name: value for name, value in an_order().items() if name != "order_id"}
    nameless["customer"] = {"name": "Ada Park", "email": "twice@example.com"}
    text = json.dumps([nameless, nameless])
    first = orders("place", "-", "--json", stdin=text)
    again = orders("place", "-", "--json", stdin=text)
    placed, known = ([json.loads(line) for line in output.out.splitlines()] for output in (first, again))
    assert [each["result"] for each in placed] == ["placed", "placed"]
    assert [each["result"] for each in known] == ["known", "known"]
    assert len({each["order_id"] for each in placed}) == 2
    assert [each["order_id"] for each in placed] == [each["order_id"] for each in known]


def test_what_is_wrong_is_told_by_line_and_field_and_the_rest_is_placed(orders: Orders, tmp_path: Path) -> None:
    good, bad = an_order(), an_order(total=1)
    unknown = an_order(lines=[{"sku": "NO-SUCH", "quantity": 1, "unit_price": 1800}])
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join([json.dumps(bad), "{", json.dumps(good), json.dumps(unknown), "7"]))
    output = orders("place", str(file))
    assert output.code == 1
    assert output.out == "1 placed, 4 failed\n"
    first, *others = output.err.splitlines()
    assert first.startswith("line 1: total is 1, but ")
    assert others == [
        "line 2: is not JSON: Expecting property name enclosed in double quotes",
        "line 4: lines[0].sku is not known",
        "line 5: is not an order: expecting an object",
        "orders: 4 of 5 orders were not placed",
    ]
    assert orders("show", good["order_id"], "--json").code == 0


def test_the_same_id_with_other_content_is_refused(orders: Orders) -> None:
    order = an_order()
    assert orders("place", "-", stdin=json.dumps(order)).code == 0
    output = orders(
        "place", "-", stdin=json.dumps(order | {"total": 4100, "lines": [order["lines"][0] | {"quantity": 2}]})
    )
    assert output.code == 1
    assert "line 1: order_id was used for another order" in output.err


def test_a_key_that_may_not_place_ends_it_at_once(orders: Orders) -> None:
    key = orders("keys", "create", "--name", "only-reads", "--scope", "orders:read").out.strip()
    output = orders("place", "-", stdin=json.dumps([an_order(), an_order()]), ORDERS_API_KEY=key)
    assert "this API key lacks the scope orders:write" in output.failed(1)


def test_one_odd_line_is_that_lines_error(orders: Orders, tmp_path: Path) -> None:
    """What Python reads and JSON over HTTP cannot carry stops nothing; placed again, nothing is placed twice."""
    good = [an_order(), an_order()]
    half, no_number = (
        json.dumps(an_order()).replace("Ada", "\\ud83d"),
        json.dumps(an_order(total=1)).replace(": 1,", ": NaN,"),
    )
    assert "\\ud83d" in half
    assert "NaN" in no_number
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    file = tmp_path / "odd.jsonl"
    file.write_text("\n".join([json.dumps(good[0]), half, no_number, deep, json.dumps(good[1])]))
    first, again = orders("place", str(file)), orders("place", str(file))
    assert (first.code, first.out) == (1, "2 placed, 3 failed\n")
    assert (again.code, again.out) == (1, "0 placed, 2 known already, 3 failed\n")
    assert [line.partition(":")[0] for line in first.err.splitlines()] == ["line 2", "line 3", "line 4", "orders"]


def test_an_empty_file_says_so(orders: Orders, tmp_path: Path) -> None:
    for text in ("", "\ufeff \n", "[]", "order_id,sku\n"):
        file = tmp_path / "orders"
        file.write_text(text)
        assert orders("place", str(file)).failed(1).endswith("holds no orders")


def test_what_cannot_be_read_at_all_is_one_line(orders: Orders, tmp_path: Path) -> None:
    file = tmp_path / "half.csv"
    file.write_bytes("order_id,sku\n".encode("utf-16")[:-1])
    assert "save the file as UTF-8" in orders("place", str(file)).failed(1)
    assert "cannot be read" in orders("place", str(tmp_path)).failed(2)
    assert "cannot be sent" in orders("list", "--sku", "\udcff").failed(1)
