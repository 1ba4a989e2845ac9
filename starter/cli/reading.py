"""Orders out of a file: JSON (one order or a list), JSON Lines, CSV. Each with the line it begins in."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

from starter.cli.failure import Failed

Format = Literal["json", "jsonl", "csv"]
ENDINGS: dict[str, Format] = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}

LINE_COLUMNS = ("sku", "quantity", "unit_price", "line_tax", "line_discount")
NUMBERS = ("quantity", "unit_price", "line_tax", "line_discount", "tax", "discount", "total", "shipping.price")
PATH = re.compile(r"[a-z]\w*(\.[a-z]\w*)*", re.ASCII)
"""Of a field: what a column is named after."""
DELIMITERS = ",;\t"
"""As spreadsheets write tables, by their language."""

WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How the files of spreadsheets themselves begin, new ones and old ones."""
AS_UTF8 = "save the file as UTF-8 (in a spreadsheet: CSV UTF-8)"
TOO_DEEP = "is nested too deeply to be an order"
TORN = 'has a quote that is not closed, or text after it: close it, and write " inside quotes as ""'
REST = "; what follows was not read"


@dataclass(frozen=True)
class Entry:
    """What stands at a line: an order, or why it cannot be read."""

    line: int
    order: dict[str, Any] | None = None
    error: str = ""


def decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 as spreadsheets write it. A byte that is neither stays, to be the error of its line."""
    if data.startswith(WORKBOOKS):
        raise Failed("is a workbook: save its sheet as CSV UTF-8")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif 0 in data[:2]:  # orders begin with a sign of ASCII
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    else:
        return data.decode("utf-8", "surrogateescape")
    try:
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        raise Failed(f"is neither UTF-8 nor UTF-16: {AS_UTF8}") from None


class Row(NamedTuple):
    """A line of a table; nothing where it cannot be read."""

    line: int
    cells: dict[str, str] | None


def orders_in(text: str, format: Format) -> Iterator[Entry]:
    readers = {"json": from_json, "jsonl": from_json_lines, "csv": from_csv}
    return readers[format](text.removeprefix("\ufeff"))


def guessed(name: str, text: str) -> Format:
    """By the file's ending, else by how it begins."""
    if known := ENDINGS.get(name[name.rfind(".") :].lower() if "." in name else ""):
        return known
    begin = text.lstrip("\ufeff \t\r\n")
    if begin.startswith("{"):
        first, _, rest = begin.partition("\n")
        return "jsonl" if rest.strip() and is_json(first) else "json"
    return "json" if begin.startswith("[") else "csv"


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def from_json(text: str) -> Iterator[Entry]:
    """One order, or a list of them. A fault ends the reading: nobody knows where the next order begins."""
    at = past_blanks(text, 0)
    listed = text[at : at + 1] == "["
    at = past_blanks(text, at + 1) if listed else at
    while at < len(text) and not (listed and text[at] == "]"):
        line = text.count("\n", 0, at) + 1
        try:
            found, at = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError) as wrong:
            yield Entry(getattr(wrong, "lineno", line), error=no_json(wrong) + REST)
            return
        yield entry(line, found)
        at = past_blanks(text, at)
        if listed and text[at : at + 1] == ",":
            at = past_blanks(text, at + 1)
        elif listed and text[at : at + 1] != "]":
            yield Entry(text.count("\n", 0, at) + 1, error=f"is not JSON: expecting ',' or ']'{REST}")
            return


def from_json_lines(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield entry(number, json.loads(line))
            except (ValueError, RecursionError) as wrong:
                yield Entry(number, error=no_json(wrong))


def no_json(wrong: ValueError | RecursionError) -> str:
    if isinstance(wrong, RecursionError):
        return TOO_DEEP
    return f"is not JSON: {wrong.msg if isinstance(wrong, json.JSONDecodeError) else 'a number is too long'}"


def from_csv(text: str) -> Iterator[Entry]:
    """A column is a field by its path (`customer.name`); `sku`, `quantity`, `unit_price` make a line of the order. Rows
    that follow each other with the same `order_id` are one order, whose own fields stand in its first row."""
    lines = list(io.StringIO(text, newline=""))
    begin = 1 if lines and lines[0].lower().startswith("sep=") else 0
    delimiter, heading = headed(lines[begin][: csv.field_size_limit()] if begin < len(lines) else "")
    if wrong := fault_of(heading):
        yield Entry(begin + 1, error=wrong)
        return
    collected: list[Row] = []
    for line, row in rows_of(lines, begin + 1, delimiter):
        if row is not None and not any(cell.strip() for cell in row):
            continue
        if row is None or len(row) > len(heading):
            yield Entry(line, error=TORN if row is None else f"has {len(row)} cells for {len(heading)} columns")
            collected += [Row(line, None)] if collected else []
            continue
        cells = {name: cell.strip() for name, cell in zip(heading, row, strict=False) if cell.strip()}
        if "" in cells:
            yield Entry(line, error="has a cell in a column without a name")
            collected += [Row(line, None)] if collected else []
            continue
        if collected and cells.get("order_id") != (collected[0].cells or {}).get("order_id", object()):
            yield joined(collected)
            collected = []
        collected.append(Row(line, cells))
    if collected:
        yield joined(collected)


def headed(line: str) -> tuple[str, list[str]]:
    """How cells are told apart, and what the columns are called."""
    found = {
        delimiter: [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
        for delimiter in DELIMITERS
    }
    return next(((delimiter, names) for delimiter, names in found.items() if "sku" in names), (",", found[","]))


def fault_of(heading: list[str]) -> str:
    """Of the names of columns; those without one may be empty all the way down, as spreadsheets leave them."""
    named = [name for name in heading if name]
    if "sku" not in named:
        return "sku is missing among the columns"
    if len(set(named)) < len(named):
        return "names a column twice"
    odd = next((n for n, name in enumerate(heading, start=1) if name and PATH.fullmatch(name) is None), 0)
    return f"column {odd} is named after no field: name it by its path, as customer.name" if odd else ""


def rows_of(lines: list[str], begin: int, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Rows, each with the line it begins in. One that cannot be read is nothing, and the line after it begins anew."""
    while begin < len(lines):
        first = begin
        rows = csv.reader((lines[n] for n in range(first, len(lines))), delimiter=delimiter, strict=True)
        try:
            for row in rows:
                yield begin + 1, row
                begin = first + rows.line_num
        except csv.Error:
            yield begin + 1, None
            begin += 1


def joined(rows: list[Row]) -> Entry:
    """The rows of one order. What cannot be read at their end may be another's."""
    first, fields = rows[0].line, rows[0].cells or {}
    last = max(n for n, row in enumerate(rows) if row.cells is not None)
    order: dict[str, Any] = {"lines": []}
    try:
        for line, cells in rows[: last + 1]:
            if cells is None:
                return Entry(first, error=f"cannot be placed: a row of it cannot be read, line {line}")
            for name in cells.keys() - {*LINE_COLUMNS}:
                if cells[name] != fields.get(name):
                    return Entry(line, error=f"{name} differs from the order's first row, line {first}")
            parts = {
                name.removeprefix("line_"): number(line, name, cells[name]) for name in LINE_COLUMNS if name in cells
            }
            order["lines"].append(parts)
        for name, cell in fields.items():
            if name not in LINE_COLUMNS:
                put(order, name.split("."), cell.split() if name == "customer.notify" else number(first, name, cell))
    except Unreadable as wrong:
        return wrong.entry
    if "payment_method" in order.get("payment", {}):
        order["payment"].setdefault("method", "card")
    return entry(first, order)


class Unreadable(Exception):
    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.error)
        self.entry = entry


def number(line: int, name: str, cell: str) -> str | int:
    if name not in NUMBERS:
        return cell
    if re.fullmatch(r"-?\d{1,18}", cell, re.ASCII) is None:
        raise Unreadable(Entry(line, error=f"{name} is not a whole number (money is in minor units, 18.00 is 1800)"))
    return int(cell)


def put(order: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = order.setdefault(name, {})
        order = inner if isinstance(inner, dict) else {}
    order[path[-1]] = value


def entry(line: int, found: Any) -> Entry:
    if not isinstance(found, dict):
        return Entry(line, error="is not an order: expecting an object")
    try:
        odd = next(unsendable(found, ""), None)
    except RecursionError:
        odd = TOO_DEEP
    return Entry(line, error=odd) if odd else Entry(line, found)


def unsendable(value: Any, field: str) -> Iterator[str]:
    """What Python reads and JSON cannot carry: the field, and what to do."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from unsendable(name, field)
            yield from unsendable(inner, f"{field}.{name}" if re.fullmatch(r"\w+", name, re.ASCII) else field)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from unsendable(inner, f"{field}[{n}]")
    elif isinstance(value, float) and not isfinite(value):
        yield f"{field.removeprefix('.')} is not a number: write one, or leave it out"
    elif isinstance(value, str) and (found := re.search("[\ud800-\udfff]", value)):
        undecoded = "\udc80" <= found[0] <= "\udcff"
        what = f"a byte that is not UTF-8: {AS_UTF8}" if undecoded else "half a character: write it anew"
        yield f"{field.removeprefix('.')} holds {what}".strip()


def past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
