"""Files of orders: every format, and the line of every fault."""

import codecs

import pytest

from starter.cli.failure import Failed
from starter.cli.reading import TOO_DEEP, TORN, Entry, Format, decoded, guessed, orders_in


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
        ('{"order_id": \n nope}', 2, "is not JSON: Expecting value; what follows was not read"),
        ('[{"a": 1}\n {"b": 2}]', 2, "is not JSON: expecting ',' or ']'; what follows was not read"),
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
        ("sku,Total Price\nA,1\n", 1, "column 2 is named after no field: name it by its path, as customer.name"),
        ("sku,,\nA,1,\n", 2, "has a cell in a column without a name"),
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


def test_columns_that_a_spreadsheet_leaves_empty_are_nothing() -> None:
    assert read("sku,quantity,,\nA,1,,\n", "csv")[-1] == Entry(2, {"lines": [{"sku": "A", "quantity": 1}]})


TABLE = "order_id,customer.name,sku,quantity,unit_price\n1,Jörg,MUG,1,1800\n2,Łucja,MUG,1,1800\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("bom", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(bom: bytes, encoding: str, delimiter: str) -> None:
    for text in (TABLE, "sep=,\n" + TABLE, TABLE.replace("\n", "\r\n"), TABLE.replace("order_id", '"order_id"')):
        entries = read(decoded(bom + text.replace(",", delimiter).encode(encoding)), "csv")
        assert [e.order and e.order["customer"]["name"] for e in entries] == ["Jörg", "Łucja"]


def test_windows_1252_is_refused_by_line_where_it_is_not_utf8() -> None:
    text = TABLE.replace("Łucja", "Lucy")
    first, second = read(decoded(text.encode("cp1252")), "csv")
    why = "customer.name holds a byte that is not UTF-8: save the file as UTF-8 (in a spreadsheet: CSV UTF-8)"
    assert first == Entry(2, error=why)
    assert second.order


def test_half_a_utf_16_file_is_refused() -> None:
    with pytest.raises(Failed, match="save the file as UTF-8"):
        decoded("order_id,sku".encode("utf-16")[:-1])


@pytest.mark.parametrize("begin", [b"PK\x03\x04\x14", b"\xd0\xcf\x11\xe0\xa1"])
def test_a_workbook_is_refused_with_what_to_do(begin: bytes) -> None:
    with pytest.raises(Failed, match="save its sheet as CSV"):
        decoded(begin + bytes(range(256)))


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        ('{"customer": {"name": "T \\ud83d"}}', "customer.name holds half a character: write it anew"),
        ('{"lines": [{"options": {"To \\ud83d": 1}}]}', "lines[0].options holds half a character: write it anew"),
        ('{"total": NaN}', "total is not a number: write one, or leave it out"),
        ('{"total": 1e999}', "total is not a number: write one, or leave it out"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, TOO_DEEP),
        ('{"a":' * 990 + "1" + "}" * 990, TOO_DEEP),
        ('{"total": ' + "9" * 5_000 + "}", "is not JSON: a number is too long"),
    ],
)
def test_what_cannot_be_sent_is_the_error_of_its_line(odd: str, error: str) -> None:
    first, second, third = read("\n".join(['{"order_id": "A"}', odd, '{"order_id": "B"}']), "jsonl")
    assert (first.order, third.order) == ({"order_id": "A"}, {"order_id": "B"})
    assert second == Entry(2, error=error)
    listed = read(f'[{{"order_id": "A"}},\n{odd}]', "json")
    assert (listed[0].order, listed[1].order, listed[1].line) == ({"order_id": "A"}, None, 2)
    assert error in listed[1].error


def table(*names: str, id: str = "{n}") -> str:
    rows = [f"{id.format(n=n)},{name},MUG,1,1800" for n, name in enumerate(names)]
    return "\n".join(["order_id,customer.name,sku,quantity,unit_price", *rows]) + "\n"


@pytest.mark.parametrize("odd", ['"T', '"T" and more', '"' + "T" * 200_000 + '"'])
@pytest.mark.parametrize("after", [1, 1_600])
def test_a_torn_row_leaves_all_others_alone(odd: str, after: int) -> None:
    """However much follows: a quote that is not closed takes in whole rows."""
    entries = read(table("A", odd, *['"B, C"'] * after, "D"), "csv")
    assert [e for e in entries if e.error] == [Entry(3, error=TORN)]
    assert [e.line for e in entries if e.order] == [2, *range(4, after + 5)]


def test_an_order_that_a_torn_row_interrupts_is_not_placed_without_it() -> None:
    assert read(table("T", '"T', "", id="A"), "csv")[-1] == Entry(
        2, error="cannot be placed: a row of it cannot be read, line 3"
    )


def test_a_heading_without_an_end_is_an_error_of_its_line() -> None:
    assert [e.line for e in read('"' + "T" * 200_000, "csv")] == [1]
