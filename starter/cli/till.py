"""`orders till`: where tills stand, and what they sold while they were offline."""

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.cli.failure import Failed, Misused
from starter.cli.place import FIRST_PAUSE, TRIES, read
from starter.cli.read import AsJson
from starter.cli.reading import Entry

if TYPE_CHECKING:
    from starter.cli.client import Api

AT_ONCE = 200
"""Sales in a request."""

app = typer.Typer(help="Tills: where they stand, and what they sold.", no_args_is_help=True)


@app.command()
def put(
    till: Annotated[str, typer.Argument(help="The till's id, as BER-1.")],
    location: Annotated[str, typer.Option(help="Where it stands.")],
    as_json: AsJson = False,
) -> None:
    """Say where a till stands."""
    from starter.cli.client import api

    done = api().put(f"/v1/tills/{till}", {"location": location})
    print(json.dumps(done) if as_json else f"till {till} is at {location}")


@app.command("import")
def import_sales(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON, JSON Lines or CSV; - is stdin.")],
    till: Annotated[str | None, typer.Option(help="The till whose sales they are, where they do not say.")] = None,
    format: Annotated[str | None, typer.Option(help="json, jsonl or csv, where the name does not tell.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take sales out of a file. Running it again takes nothing twice."""
    from starter.cli.client import api
    from starter.cli.tables import visible

    entries, client = read(file, format), api()
    results: Counter[str] = Counter()
    for entry, outcome in imported(client, entries, till):
        results[outcome["result"]] += 1
        if as_json:
            print(json.dumps({"line": entry.line, **outcome}), flush=True)
        for error in outcome["errors"]:
            print(visible(f"line {entry.line}: {error['field']} {error['message']}"), file=sys.stderr)
    if not as_json:
        known = f", {results['known']} known already" if results["known"] else ""
        refused = f", {results['refused']} refused" if results["refused"] else ""
        print(f"{results['taken']} taken{known}{refused}")
    if results["refused"]:
        raise Failed(f"{results['refused']} of {len(entries)} sales were not taken")


def imported(client: "Api", entries: list[Entry], till: str | None) -> Iterator[tuple[Entry, dict[str, Any]]]:
    of_till: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.order is None:
            error = {"field": "sale", "message": entry.error}
            yield entry, {"order_id": None, "result": "refused", "errors": [error]}
        elif name := till or entry.order.get("till"):
            of_till[str(name)].append(entry)
        else:
            raise Misused(f"line {entry.line} names no till: say whose sales they are with --till")
    for name, sales in of_till.items():
        waiting = iter(sales)
        while batch := list(islice(waiting, AT_ONCE)):
            answer = send(client, f"/v1/tills/{name}/sales", {"sales": [entry.order for entry in batch]})
            for entry, outcome in zip(batch, answer["sales"], strict=True):
                yield entry, {key: outcome[key] for key in ("order_id", "result", "errors")}


def send(client: "Api", path: str, body: dict[str, Any]) -> Any:
    """A lost answer is asked for again: the same sale is taken once."""
    from starter.cli.client import Unreachable

    for left in reversed(range(TRIES)):
        try:
            answer = client.send("POST", path, body=body)
            if answer.status_code not in (429, 502, 503, 504) or not left:
                return client.read(answer)
        except Unreachable:
            if not left:
                raise
        time.sleep(FIRST_PAUSE * 2 ** (TRIES - 1 - left))
    raise AssertionError("unreachable")
