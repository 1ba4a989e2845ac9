"""`orders stock count ask`, `enter`, `submit`, `decide`, `show`: what lies there, as people count it."""

import json
import re
from typing import Annotated, Any

import typer

from starter.cli.failure import Misused
from starter.cli.read import AsJson

app = typer.Typer(help="What lies there, as people count it.", no_args_is_help=True)
CountId = Annotated[str, typer.Argument(metavar="COUNT", help="The count's id.")]


@app.command()
def ask(
    count: CountId,
    skus: Annotated[list[str], typer.Argument(metavar="SKU...", help="What is to be counted.")],
    location: Annotated[str, typer.Option(help="Where.")],
    units: Annotated[int, typer.Option(min=0, help="Differences of so many units are accepted at once.")] = 0,
    percent: Annotated[int, typer.Option(min=0, max=100, help="The same in percent of the books.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Ask for a count of some products at one location."""
    from starter.cli.client import api

    tolerance = {"units": units, "percent": percent}
    body = {"count": count, "location": location, "skus": skus, "tolerance": tolerance}
    shown(api().post("/v1/counts", body), as_json)


@app.command()
def enter(
    count: CountId,
    lines: Annotated[list[str], typer.Argument(metavar="SKU=QTY...", help="What was counted; SKU=0 where none is.")],
    session: Annotated[str, typer.Option(help="Whose list this is: it is replaced whole.")],
    submit: Annotated[bool, typer.Option("--submit", help="It is in, and stays.")] = False,
    as_json: AsJson = False,
) -> None:
    """Enter what one counter has found so far."""
    from starter.cli.client import api

    body = {"lines": [line_of(text) for text in lines], "submit": submit}
    shown(api().put(f"/v1/counts/{count}/sessions/{session}", body), as_json)


@app.command()
def submit(count: CountId, as_json: AsJson = False) -> None:
    """Compare it with the books, once every session is in and every product is counted."""
    from starter.cli.client import api

    shown(api().post(f"/v1/counts/{count}/submission", None), as_json)


@app.command()
def decide(
    count: CountId,
    accept: Annotated[list[str] | None, typer.Option(help="The books follow. May be given several times.")] = None,
    recount: Annotated[list[str] | None, typer.Option(help="To be counted once more.")] = None,
    as_json: AsJson = False,
) -> None:
    """Accept lines that differ, or have them counted anew."""
    from starter.cli.client import api

    chosen = [(sku, "accept") for sku in accept or []] + [(sku, "recount") for sku in recount or []]
    if not chosen:
        raise Misused("name what to --accept or to --recount")
    body = {"lines": [{"sku": sku, "decision": decision} for sku, decision in chosen]}
    shown(api().post(f"/v1/counts/{count}/decision", body), as_json)


@app.command()
def show(count: CountId, as_json: AsJson = False) -> None:
    """What is asked for, counted and decided."""
    from starter.cli.client import api

    shown(api().get(f"/v1/counts/{count}"), as_json)


def line_of(text: str) -> dict[str, str | int]:
    found = re.fullmatch(r"([^=]+)=([0-9]+)", text)
    if found is None:
        raise Misused(f"{text!r} is not SKU=QTY, as MUG-BLUE=40 or MUG-RED=0")
    return {"sku": found[1], "quantity": int(found[2])}


def shown(count: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(count))
        return
    from starter.cli.tables import console, escaped, table

    console().print(f"{count['count']} at {count['location']}: {count['status']}, round {count['round']}")
    paper = table("SKU", "status", ">counted", ">books", ">difference")
    for line in count["lines"]:
        figures = ["" if line[name] is None else str(line[name]) for name in ("counted", "expected", "difference")]
        paper.add_row(escaped(line["sku"]), line["status"], *figures)
    console().print(paper)
