"""`orders restock`, `stock list`, `moves`, `check`: goods that arrive, what is where, and why."""

import json
import re
from typing import Annotated, Any

import typer

from starter.cli.failure import Failed, Misused
from starter.cli.read import AsJson

app = typer.Typer(help="What is where, why, and whether it is so.", no_args_is_help=True)
Where = Annotated[str | None, typer.Option("--location", help="As it is seen from there.")]


def restock(
    lines: Annotated[list[str], typer.Argument(metavar="SKU=QTY...", help="What arrived.")],
    location: Annotated[str, typer.Option(help="Where it arrived.")],
    reference: Annotated[str, typer.Option(help="The delivery's own id: told again, it changes nothing.")],
    as_json: AsJson = False,
) -> None:
    """Report goods that arrived: the oldest backorders are served first."""
    from starter.cli.client import api

    body = {"reference": reference, "location": location, "lines": [line_of(text) for text in lines]}
    done = api().post("/v1/restocks", body)
    known = "" if done["result"] == "new" else " (known already, nothing changed)"
    print(json.dumps(done) if as_json else f"{reference}: received at {location}{known}")


def line_of(text: str) -> dict[str, str | int]:
    found = re.fullmatch(r"([^=]+)=([1-9][0-9]*)", text)
    if found is None:
        raise Misused(f"{text!r} is not SKU=QTY, as MUG-BLUE=40")
    return {"sku": found[1], "quantity": int(found[2])}


@app.command("list")
def list_stock(
    skus: Annotated[list[str] | None, typer.Argument(metavar="[SKU...]", help="These alone.")] = None,
    location: Where = None,
    level: Annotated[str | None, typer.Option(help="available, or out: of products whose stock is so.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many products.")] = 50,
    as_json: AsJson = False,
) -> None:
    """What is on hand, reserved, blocked, available and waited for."""
    from starter.cli.client import api

    found, after, there = list[dict[str, Any]](), None, api()
    while True:
        room = min(200, limit - len(found))
        page = there.get("/v1/stock", sku=skus or None, location=location, level=level, limit=room, cursor=after)
        found += page["stock"]
        after = page["next"]
        if after is None or len(found) >= limit:
            break
    if as_json:
        print(json.dumps({"stock": found, "next": after}))
        return
    from starter.cli.tables import console, escaped, table

    paper = table("SKU", "location", ">on hand", ">reserved", ">blocked", ">available", ">waited for")
    for of_sku in found:
        locations = of_sku["locations"] or [{"location": "nowhere"}]
        for n, shelf in enumerate(locations):
            figures = [str(shelf.get(name, 0)) for name in ("on_hand", "reserved", "blocked", "available")]
            paper.add_row(escaped(of_sku["sku"]) if n == 0 else "", shelf["location"], *figures, waited(of_sku, n))
    console().print(paper)
    if after:
        console(stderr=True).print("there are more: -n")


def waited(of_sku: dict[str, Any], n: int) -> str:
    return str(of_sku["waiting"]) if n == 0 and of_sku["waiting"] else ""


@app.command("moves")
def list_moves(
    sku: Annotated[str, typer.Argument(help="Whose figures changed.")],
    location: Where = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Why figures changed, the newest first."""
    from urllib.parse import quote

    from starter.cli.client import api

    page = api().get(f"/v1/stock/{quote(sku, safe='')}/moves", location=location, limit=limit)
    if as_json:
        print(json.dumps(page))
        return
    from starter.cli.tables import console, day_and_time, escaped, table

    paper = table("happened", "location", "why", ">on hand", ">reserved", ">blocked", "reference", "recorded")
    for move in page["moves"]:
        figures = [f"{move[name]:+}" if move[name] else "" for name in ("on_hand", "reserved", "blocked")]
        times = [day_and_time(move[name]) for name in ("occurred_at", "recorded_at")]
        paper.add_row(times[0], move["location"], move["kind"], *figures, escaped(move["reference"]), times[1])
    console().print(paper)


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each drift.")] = False) -> None:
    """Exit 1 unless figures are what their moves make, now and at each count, and what is set aside is somebody's.

    Asks the database itself (DATABASE_URL), as `orders db check` does of everything; changes nothing.
    """
    from activities.views.check import OF_STOCK, breaches
    from infra.database.engine import sessions
    from starter.cli.database import name, opened

    with opened() as engine, sessions(engine, read_only=True)() as tx:
        drifts = 0
        for drift in breaches(tx, OF_STOCK):
            print(json.dumps(drift._asdict()) if as_json else drift)
            drifts += 1
        if drifts:
            raise Failed(f"{name(engine.url)} holds {drifts} drifts: count those shelves, and report the ids")
        if not as_json:
            print(f"{name(engine.url)}: figures are what their moves make")
