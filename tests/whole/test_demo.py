"""The first thing a stranger runs ends well, and leaves nothing behind."""

import json
from pathlib import Path

from tests.starter.cli.commands import Orders


def test_the_tour_is_as_expected(tmp_path: Path) -> None:
    output = Orders({"ORDERS_HOME": str(tmp_path)})("demo", "--json")
    orders = json.loads(output.out)
    assert {order["order_id"]: order["wrong"] for order in orders if order["wrong"]} == {}
    assert len(orders) == 15
    assert output.code == 0
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in text(path)]
    assert left == [], "of the processes that it started"


def text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # ended meanwhile
        return b""
