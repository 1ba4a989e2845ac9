"""Files of orders: every format, and the line of every fault."""

import pytest

from starter.cli.reading import Entry, Format, guessed, orders_in


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("x.json", "", "json"),
        ("x.JSONL", "", "jsonl"),
        ("x.ndjson", "", "jsonl"),
        ("x.csv", "{", "csv"),
        ("-", '{"a": 1}', "json"),
        ("-", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("-", '{\n"a": 1\n}', "json"),
        ("-", '\ufeff [{"a": 1}]', "json"),
        ("-", "order_id,sku\n", "csv"),
        ("orders", "sku\n", "csv"),
    ],
)
def test_the_format_is_told_by_the_name_or_by_how_it_begins(name: str, text: str, format: Format) -> None:
    assert guessed(name, text) == format


def read(text: str, format: Format) -> list[Entry]:
    return list(orders_in(text, format))


def test_a_list_of_orders_knows_their_lines() -> None:
    text = '[\n  {"order_id": "A",\n   "total": 1},\n\n  {"order_id": "B"}\n]\n'
    assert read(text, "json") == [Entry(2, {"order_id": "A", "total": 1}), Entry(5, {"order_id": "B"})]


@pytest.mark.parametrize(
    ("text", "line", "error"),
    [
        ('{"order_id": \n nope}', 2, "is not JSON: Expecting value"),
        ('[{"a": 1}\n {"b": 2}]', 2, "is not JSON: expecting ',' or ']'"),
        ('[{"a": 1},\n 3]', 2, "is not an order: expecting an object"),
    ],
)
def test_a_fault_has_its_line(text: str, line: int, error: str) -> None:
    assert read(text, "json")[-1] == Entry(line, error=error)


def test_lines_that_are_no_json_leave_the_others_alone() -> None:
    text = '{"order_id": "A"}\n\nnope\n{"order_id": "B"}'
    assert [(e.line, e.order, e.error) for e in read(text, "jsonl")] == [
        (1, {"order_id": "A"}, ""),
        (3, None, "is not JSON: Expecting value"),
        (4, {"order_id": "B"}, ""),
    ]


def test_rows_of_one_order_are_its_lines() -> None:
    text = (
        "order_id,customer.name,customer.notify,total,payment.payment_method,sku,quantity,unit_price,line_tax\r\n"
        'A,"Park, Ada",email sms,30,pm_card_visa,X,1,10,\r\n'
        "A,,,,,Y,2,10,1\r\n"
        "B,Ben,email,10,pm_card_visa,X,1,10,\r\n"
    )
    first, second = read(text, "csv")
    assert first == Entry(
        2,
        {
            "order_id": "A",
            "customer": {"name": "Park, Ada", "notify": ["email", "sms"]},
            "total": 30,
            "payment": {"payment_method": "pm_card_visa", "method": "card"},
            "lines": [
                {"sku": "X", "quantity": 1, "unit_price": 10},
                {"sku": "Y", "quantity": 2, "unit_price": 10, "tax": 1},
            ],
        },
    )
    assert (second.line, second.order and second.order["order_id"]) == (4, "B")


@pytest.mark.parametrize(
    ("rows", "line", "error"),
    [
        ("order_id,total\nA,1\n", 1, "sku is missing among the columns"),
        ("sku,sku\nA,1\n", 1, "names a column twice"),
        ("sku,total\nA,18.00\n", 2, "total is not a whole number (money is in minor units, 18.00 is 1800)"),
        ("sku,total\nA,1,2\n", 2, "has 3 cells for 2 columns"),
        ("order_id,total,sku\nA,1,X\nA,2,Y\n", 3, "total differs from the order's first row, line 2"),
        (
            'order_id,total,sku\nA,1,"X\nX"\nB,x,Y\n',
            4,
            "total is not a whole number (money is in minor units, 18.00 is 1800)",
        ),
    ],
)
def test_a_fault_in_a_table_has_its_row(rows: str, line: int, error: str) -> None:
    assert read(rows, "csv")[-1] == Entry(line, error=error)
