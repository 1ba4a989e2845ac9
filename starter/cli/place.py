"""`orders place`: submits orders from a file, each once however often it is run."""

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.cli.failure import Failed, Misused
from starter.cli.read import AsJson
from starter.cli.reading import Entry, Format, decoded, guessed, orders_in

if TYPE_CHECKING:
    from starter.cli.client import Api

TRIES = 4
FIRST_PAUSE = 0.5
FATAL = (401, 403)


@dataclass(frozen=True)
class Outcome:
    """What became of one order of the file."""

    line: int
    order_id: str | None
    result: str
    """`placed`, `known` or `failed`."""
    errors: tuple[str, ...] = ()


def place(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON, JSON Lines or CSV; - is stdin.")],
    format: Annotated[str | None, typer.Option(help="json, jsonl or csv, where the name does not tell.")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Orders under way at once.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Submit orders from a file. Running it again places nothing twice."""
    from starter.cli.client import api
    from starter.cli.tables import visible

    entries = read(file, format)
    client = api()
    client.send("GET", "/healthz")  # not there at all: said at once
    outcomes = []
    for outcome in watched(placed(client, entries, at_once), len(entries)):
        outcomes.append(outcome)
        if as_json:
            print(json.dumps(asdict(outcome)), flush=True)
        for error in outcome.errors:
            print(visible(f"line {outcome.line}: {error}"), file=sys.stderr)
    count = Counter(outcome.result for outcome in outcomes)
    if not as_json:
        known = f", {count['known']} known already" if count["known"] else ""
        failed = f", {count['failed']} failed" if count["failed"] else ""
        print(f"{count['placed']} placed{known}{failed}")
    if count["failed"]:
        raise Failed(f"{count['failed']} of {len(entries)} orders were not placed")


def read(file: str, format: str | None) -> list[Entry]:
    if format not in (None, "json", "jsonl", "csv"):
        raise Misused("--format is json, jsonl or csv")
    try:
        text = decoded(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except Failed as undecodable:
        raise Failed(f"{file} {undecodable}") from None
    except OSError as trouble:
        raise Misused(f"{file} cannot be read: {trouble.strerror}") from None
    chosen: Format = format or guessed(file, text)  # type: ignore[assignment]
    entries = list(orders_in(text, chosen)) if text.strip("\ufeff \t\r\n") else []
    if not entries:
        raise Failed(f"{file} holds no orders")
    return entries


def placed(client: "Api", entries: list[Entry], at_once: int) -> Iterator[Outcome]:
    """Outcomes in the file's order."""
    seen: Counter[str] = Counter()
    keyed = [(entry, key_of(entry, seen)) for entry in entries]
    with ThreadPoolExecutor(at_once) as pool:
        waiting = iter(keyed)
        under_way: list[Future[Outcome]] = [pool.submit(place_one, client, *each) for each in islice(waiting, at_once)]
        try:
            while under_way:
                yield under_way.pop(0).result()
                under_way += [pool.submit(place_one, client, *each) for each in islice(waiting, 1)]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def key_of(entry: Entry, seen: Counter[str]) -> str | None:
    """An order without an id is known again by its content; the same content twice in one file is two orders."""
    if entry.order is None or entry.order.get("order_id"):
        return None
    digest = hashlib.sha256(json.dumps(entry.order, sort_keys=True).encode()).hexdigest()
    seen[digest] += 1
    return f"place:{digest}:{seen[digest]}"


def place_one(client: "Api", entry: Entry, key: str | None) -> Outcome:
    from starter.cli.client import Refused

    if entry.order is None:
        return Outcome(entry.line, None, "failed", (entry.error,))
    try:
        status, order = submit(client, entry.order, {"Idempotency-Key": key} if key else {})
    except Refused as refusal:
        if refusal.status in FATAL:
            raise
        errors = tuple(f"{field} {message}" for field, message in refusal.errors) or (str(refusal),)
        order_id = entry.order.get("order_id")
        return Outcome(entry.line, order_id if isinstance(order_id, str) else None, "failed", errors)
    return Outcome(entry.line, order["order_id"], "placed" if status == 202 else "known")


def submit(client: "Api", order: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """A lost answer is asked for again: the same order is never placed twice."""
    from starter.cli.client import Unreachable

    for left in reversed(range(TRIES)):
        try:
            answer = client.send("POST", "/v1/orders", body=order, headers=headers)
            if answer.status_code not in (429, 502, 503, 504) or not left:
                return answer.status_code, client.read(answer)
        except Unreachable:
            if not left:
                raise
        time.sleep(FIRST_PAUSE * 2 ** (TRIES - 1 - left))
    raise AssertionError("unreachable")


def watched(outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """With a progress bar where a person looks on."""
    if not sys.stderr.isatty():
        yield from outcomes
        return
    from rich.progress import Progress

    from starter.cli.tables import console

    with Progress(console=console(stderr=True), transient=True) as progress:
        yield from progress.track(outcomes, total=total, description="placing")
