"""`orders pickup list`, `hand-over`, `extend`, `resend`: what customers come for."""

import json
from typing import Annotated, Any

import typer

from starter.cli.failure import Misused
from starter.cli.read import AsJson
from starter.cli.stock import line_of

FulfillmentId = Annotated[str, typer.Argument(metavar="FULFILLMENT", help="As `orders pickup list` shows it.")]

app = typer.Typer(help="What waits to be picked up.", no_args_is_help=True)


@app.command("list")
def list_pickups(
    location: Annotated[str | None, typer.Option(help="Only at this store.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what is ready, that which has waited longest first."""
    from starter.cli.client import api

    page = api().get("/v1/pickups", location=location, limit=limit)
    if as_json:
        print(json.dumps(page))
        return
    from starter.cli.tables import console, day_and_time, escaped, table

    paper = console()
    if not page["pickups"]:
        paper.print("nothing waits to be picked up")
        return
    made = table("fulfillment", "order", "location", "ready since", "until", "extended")
    for one in page["pickups"]:
        words = (one["fulfillment_id"], one["order_id"], one["location"], day_and_time(one["ready_at"]))
        until, once = day_and_time(one["pickup_until"]), "once" if one["extended_at"] else ""
        made.add_row(*map(escaped, words), until, once)
    paper.print(made)
    if page["more"]:
        console(stderr=True).print("there are more: -n")


@app.command("hand-over")
def hand_over(
    fulfillment_id: FulfillmentId,
    code: Annotated[str | None, typer.Option(help="As the customer shows it.")] = None,
    note: Annotated[str, typer.Option(help="Without the code: what you have looked at.")] = "",
    by: Annotated[str | None, typer.Option(help="Who hands it over, beside the key's name.")] = None,
    unit: Annotated[list[str] | None, typer.Option(metavar="SKU=QTY", help="Only so many of these.")] = None,
    paid: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Just now, in minor units: 18.00 is 1800.")] = None,
    paid_as: Annotated[str, typer.Option(help="The till's own id for what was paid.")] = "",
    request_id: Annotated[str | None, typer.Option(help="The same again is the same hand-over.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hand it over to who stands there: with the code, or with a note of what you have looked at."""
    if bool(paid) != bool(paid_as) or not (paid or "0").isdigit():
        raise Misused("hand-over: give --paid AMOUNT and --paid-as, or neither")
    body: dict[str, Any] = {"note": note}
    body |= {name: given for name, given in (("code", code), ("by", by), ("request_id", request_id)) if given}
    body |= {"units": [line_of(text) for text in unit]} if unit else {}
    body |= {"paid": {"reference": paid_as, "amount": int(paid)}} if paid else {}
    ask(fulfillment_id, "pick-up", "handed over", body, as_json=as_json)


@app.command()
def extend(fulfillment_id: FulfillmentId, as_json: AsJson = False) -> None:
    """Let it wait as long again, once."""
    ask(fulfillment_id, "extension", "waits longer", as_json=as_json)


@app.command()
def resend(fulfillment_id: FulfillmentId, as_json: AsJson = False) -> None:
    """Tell the customer once more where it is, until when, and with which code."""
    ask(fulfillment_id, "notice", "the customer is told once more", as_json=as_json)


def ask(fulfillment_id: str, path: str, done: str, body: dict[str, Any] | None = None, *, as_json: bool) -> None:
    from starter.cli.client import api

    order = api().post(f"/v1/fulfillments/{fulfillment_id}/{path}", body)
    print(json.dumps(order) if as_json else f"{fulfillment_id}: {done}")
