"""A till's sales out of a file: each once, and what is wrong is said by line and field."""

import json

from tests.starter.cli.commands import Orders

SALE = {
    "sold_at": "2026-11-27T10:00:00Z",
    "currency": "usd",
    "lines": [{"sku": "MUG-BLUE", "quantity": 1, "unit_price": 1800}],
    "total": 1800,
    "payment": {"method": "external", "reference": "drawer", "kind": "cash"},
}


def test_a_file_of_sales_is_taken_once_however_often(orders: Orders) -> None:
    assert orders("till", "put", "OAK-1", "--location", "OAK").out == "till OAK-1 is at OAK\n"
    day = [SALE | {"order_id": f"T-{n}"} for n in range(3)]
    text = "\n".join(map(json.dumps, [*day, SALE | {"order_id": "T-9", "total": 1}]))
    first, again = (orders("till", "import", "-", "--till", "OAK-1", stdin=text) for _ in range(2))
    assert (first.code, first.out) == (1, "3 taken, 1 refused\n")
    assert first.err.startswith("line 4: total is 1, but ")
    assert (again.code, again.out) == (1, "0 taken, 3 known already, 1 refused\n")
    assert orders("show", "T-1", "--json").json["status"] == "completed"
    assert "line 1 names no till" in orders("till", "import", "-", stdin=text).failed(2)
