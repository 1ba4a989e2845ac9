"""`orders restock`, `stock`: goods that arrive, and what is where."""

import json
import re
from typing import Annotated

import typer

from starter.cli.failure import Misused
from starter.cli.read import AsJson


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


def stock(
    skus: Annotated[list[str], typer.Argument(metavar="SKU...", help="One or several.")], as_json: AsJson = False
) -> None:
    """What is on hand, reserved, blocked, available and waited for."""
    from starter.cli.client import api

    found = api().get("/v1/stock", sku=skus)["stock"]
    if as_json:
        print(json.dumps({"stock": found}))
        return
    from starter.cli.tables import console, table

    paper = table("SKU", "location", ">on hand", ">reserved", ">blocked", ">available", ">waited for")
    for of_sku in found:
        locations = of_sku["locations"] or [{"location": "nowhere"}]
        for n, shelf in enumerate(locations):
            figures = [str(shelf.get(name, 0)) for name in ("on_hand", "reserved", "blocked", "available")]
            paper.add_row(of_sku["sku"] if n == 0 else "", shelf["location"], *figures, waited(of_sku, n))
    console().print(paper)


def waited(of_sku: dict[str, int], n: int) -> str:
    return str(of_sku["waiting"]) if n == 0 and of_sku["waiting"] else ""
