"""`orders store LOCATION …`: what waits at a place where no warehouse system works, and what its people did."""

import json
import re
from typing import Annotated, Any

import typer

from infra.words import FulfillmentStatus, RefusalReason
from starter.cli.failure import Misused
from starter.cli.read import AsJson

app = typer.Typer(
    help="Work at a place that has no warehouse system: what waits there, and what was done.", no_args_is_help=True
)

Fulfillment = Annotated[str, typer.Argument(metavar="FULFILLMENT", help="Its id, as `list` shows it.")]
By = Annotated[str | None, typer.Option(help="Who did it, beside the key's name.")]
RequestId = Annotated[str | None, typer.Option(help="The same again is the same request.")]


@app.callback()
def store(
    context: typer.Context, location: Annotated[str, typer.Argument(metavar="LOCATION", help="The place, as BER.")]
) -> None:
    """Work at a place that has no warehouse system: what waits there, and what was done."""
    context.obj = location


@app.command("list")
def list_fulfillments(
    context: typer.Context,
    status: Annotated[
        list[FulfillmentStatus] | None, typer.Option(help="Left out: what is to be done: requested and packed.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what is to be packed, handed over or stopped, the oldest first."""
    from starter.cli.client import api

    page = api().get("/v1/fulfillments", location=context.obj, status=status, limit=limit)
    if as_json:
        print(json.dumps(page))
        return
    from starter.cli.tables import console, day_and_time, escaped, table

    paper = console()
    if not page["fulfillments"]:
        paper.print(f"nothing waits at {escaped(context.obj)}")
        return
    made = table("fulfillment", "asked", "stands", "~in it", "~label")
    for one in page["fulfillments"]:
        units = "\n".join(escaped(f"{line['quantity']} × {line['name']} ({line['sku']})") for line in one["lines"])
        labels = "\n".join(escaped(parcel["label_url"] or "") for parcel in one["parcels"])
        made.add_row(escaped(one["fulfillment_id"]), day_and_time(one["requested_at"]), stands(one), units, labels)
    paper.print(made)
    if page["more"]:
        console(stderr=True).print("there are more: see to these, or -n")


def stands(one: dict[str, Any]) -> str:
    if one["recall"] == "asked":
        return "to be stopped"
    if one["status"] == "requested":
        return "being picked" if one["picking_at"] else "accepted" if one["accepted_at"] else "to be accepted"
    return "to be handed over" if one["released"] else str(one["status"])


def plain(what: str, words: str) -> None:
    """What needs no more words than that it is so."""

    def act(
        context: typer.Context,
        fulfillment: Fulfillment,
        by: By = None,
        request_id: RequestId = None,
        as_json: AsJson = False,
    ) -> None:
        tell(context, fulfillment, what, {}, by, request_id, as_json)

    app.command(what, help=words)(act)


plain("accept", "Say that it will be packed.")
plain("pick", "Say that picking has begun.")


@app.command("refuse")
def refuse(
    context: typer.Context,
    fulfillment: Fulfillment,
    reason: Annotated[RefusalReason, typer.Option(help="Why.")],
    by: By = None,
    request_id: RequestId = None,
    as_json: AsJson = False,
) -> None:
    """Say that it will not be packed here."""
    tell(context, fulfillment, "refuse", {"reason": reason}, by, request_id, as_json)


@app.command("pack")
def pack(
    context: typer.Context,
    fulfillment: Fulfillment,
    parcel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'GRAMS LxWxH [SKU=QTY ...]'",
            help="Weight, size in millimetres, and what is in it: all, where left out. More than once: of several.",
        ),
    ] = None,
    by: By = None,
    request_id: RequestId = None,
    as_json: AsJson = False,
) -> None:
    """Say in what it is packed, as --parcel '800 200x150x100'; or nothing, of a pickup. What is in none was missing."""
    body = {"parcels": [parcel_of(text) for text in parcel or ()]}
    tell(context, fulfillment, "pack", body, by, request_id, as_json)


plain("hand-over", "Say that the carrier has it.")
plain("stop", "Say that it is stopped, as was asked: back on the shelf.")
plain("refuse-stop", "Say that it can't be stopped, as was asked.")


def parcel_of(text: str) -> dict[str, Any]:
    found = re.fullmatch(r"(\d{1,9})g? (\d{1,9})x(\d{1,9})x(\d{1,9})((?: [^= ]+=[1-9]\d{0,8})*)", text.strip())
    if found is None:
        raise Misused(
            f"--parcel {text!r} is not 'GRAMS LxWxH', as '800 200x150x100', or with what is in it: MUG-BLUE=2"
        )
    names = ("weight_g", "length_mm", "width_mm", "height_mm")
    parcel: dict[str, Any] = {name: int(found[n]) for n, name in enumerate(names, start=1)}
    units = [unit.partition("=") for unit in found[5].split()]
    return parcel | ({"contents": [{"sku": sku, "quantity": int(count)} for sku, _, count in units]} if units else {})


def tell(
    context: typer.Context,
    fulfillment: str,
    what: str,
    body: dict[str, Any],
    by: str | None,
    request_id: str | None,
    as_json: bool,
) -> None:
    from urllib.parse import quote

    from starter.cli.client import api

    client, where = api(), f"/v1/fulfillments/{quote(fulfillment, safe='')}"
    if (place := client.get(where)["location"]) != context.obj:
        raise Misused(f"{fulfillment} is at {place}, not at {context.obj}")
    headers = {"Idempotency-Key": request_id} if request_id else {}
    done = client.post(f"{where}/{what}", body | ({"by": by} if by else {}), **headers)
    print(json.dumps(done) if as_json else f"{fulfillment}: {stands(done)}")
