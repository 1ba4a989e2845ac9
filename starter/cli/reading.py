"""Orders out of a file: JSON (one order or a list), JSON Lines, CSV. Each with the line it begins in."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Format = Literal["json", "jsonl", "csv"]
ENDINGS: dict[str, Format] = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}

LINE_COLUMNS = ("sku", "quantity", "unit_price", "line_tax", "line_discount")
NUMBERS = ("quantity", "unit_price", "line_tax", "line_discount", "tax", "discount", "total", "shipping.price")


@dataclass(frozen=True)
class Entry:
    """What stands at a line: an order, or why it cannot be read."""

    line: int
    order: dict[str, Any] | None = None
    error: str = ""


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
    except ValueError:
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
        except ValueError as wrong:
            where = getattr(wrong, "lineno", line)
            yield Entry(where, error=f"is not JSON: {getattr(wrong, 'msg', wrong)}")
            return
        yield entry(line, found)
        at = past_blanks(text, at)
        if listed and text[at : at + 1] == ",":
            at = past_blanks(text, at + 1)
        elif listed and text[at : at + 1] != "]":
            yield Entry(text.count("\n", 0, at) + 1, error="is not JSON: expecting ',' or ']'")
            return


def from_json_lines(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield entry(number, json.loads(line))
            except ValueError as wrong:
                yield Entry(number, error=f"is not JSON: {getattr(wrong, 'msg', wrong)}")


def from_csv(text: str) -> Iterator[Entry]:
    """A column is a field by its path (`customer.name`); `sku`, `quantity`, `unit_price` make a line of the order. Rows
    that follow each other with the same `order_id` are one order, whose own fields stand in its first row."""
    rows = csv.reader(io.StringIO(text, newline=""))
    heading = [name.strip() for name in next(rows, [])]
    if "sku" not in heading or len(set(heading)) < len(heading):
        yield Entry(1, error="sku is missing among the columns" if "sku" not in heading else "names a column twice")
        return
    collected: list[tuple[int, dict[str, str]]] = []
    before = rows.line_num
    for row in rows:
        line, before = before + 1, rows.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(heading):
            yield Entry(line, error=f"has {len(row)} cells for {len(heading)} columns")
            continue
        cells = {name: cell.strip() for name, cell in zip(heading, row, strict=False) if cell.strip()}
        if collected and cells.get("order_id") != collected[0][1].get("order_id", object()):
            yield joined(collected)
            collected = []
        collected.append((line, cells))
    if collected:
        yield joined(collected)


def joined(rows: list[tuple[int, dict[str, str]]]) -> Entry:
    """The rows of one order."""
    first, fields = rows[0]
    order: dict[str, Any] = {"lines": []}
    try:
        for line, cells in rows:
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
    return Entry(first, order)


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
    return Entry(line, found) if isinstance(found, dict) else Entry(line, error="is not an order: expecting an object")


def past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
