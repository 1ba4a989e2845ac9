"""`orders list`, `show`, `watch`: where orders stand."""

import json
import sys
import time
from typing import Annotated, Any

import typer

from starter.cli.failure import Misused

CLOSED = ("completed", "cancelled")
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
OrderId = Annotated[str, typer.Argument(metavar="ID", help="The order's id.")]


def list_orders(
    status: Annotated[str | None, typer.Option(help="Only those: placed, on_hold, processing …")] = None,
    reference: Annotated[str | None, typer.Option(help="Only those with another system's number.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's, by id.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only from there: web, phone …")] = None,
    sku: Annotated[str | None, typer.Option(help="Only those with this SKU.")] = None,
    placed_after: Annotated[str | None, typer.Option(metavar="INSTANT", help="ISO 8601 with its offset.")] = None,
    placed_before: Annotated[str | None, typer.Option(metavar="INSTANT", help="ISO 8601 with its offset.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    from starter.cli.client import api

    wanted = {
        "status": status,
        "reference": reference,
        "customer": customer,
        "channel": channel,
        "sku": sku,
        "placed_after": placed_after,
        "placed_before": placed_before,
    }
    found = list(api().orders(limit + 1, **wanted))
    more, shown = len(found) > limit, found[:limit]
    if as_json:
        print(json.dumps({"orders": shown, "more": more}))
        return
    from starter.cli.tables import console, summaries

    paper = console()
    if not shown:
        paper.print("no orders" if not any(wanted.values()) else "no such orders")
        return
    paper.print(summaries(shown))
    if more:
        console(stderr=True).print(f"there are more: -n {limit * 2} shows them")


def show(
    order_id: OrderId,
    effects: Annotated[
        bool, typer.Option("--effects", help="What providers were asked for, with keys and outcomes, instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one order: lines, payments, parcels, holds, messages, timeline."""
    order = read(order_id, "/effects" if effects else "")
    if as_json:
        print(json.dumps(order))
        return
    from starter.cli import tables

    tables.console().print(tables.effects(order["effects"]) if effects else tables.whole(order))


def watch(
    order_id: OrderId,
    as_json: AsJson = False,
    every: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds between looks.")] = 0.5,
) -> None:
    """Watch one order live, until it is closed."""
    if as_json:
        for order in changes(order_id, every):
            print(json.dumps(order), flush=True)
        return
    from starter.cli.tables import console

    paper = console()
    if sys.stdout.isatty():
        watch_live(paper, order_id, every)
    else:
        watch_lines(order_id, every)


def watch_live(paper: Any, order_id: str, every: float) -> None:
    from rich.live import Live

    from starter.cli.tables import whole

    with Live(console=paper, auto_refresh=False, vertical_overflow="visible") as screen:
        for order in changes(order_id, every):
            screen.update(whole(order), refresh=True)


def watch_lines(order_id: str, every: float) -> None:
    """For pipes: each line of the timeline once, as it comes."""
    from starter.cli.tables import about, day_and_time, visible

    seen = 0
    for order in changes(order_id, every):
        for entry in order["timeline"][seen:]:
            facts = about(entry)
            print(day_and_time(entry["at"]), entry["event"], *([visible(facts)] if facts else []), flush=True)
        seen = len(order["timeline"])
        if order["status"] in CLOSED:
            print(order["order_id"], order["status"], flush=True)


def changes(order_id: str, every: float) -> Any:
    """The order whenever it has changed; ends when it is closed and its customer knows."""
    from starter.cli.client import api

    where, client, version = path(order_id), api(), None
    while True:
        order = client.get(where)
        if order["version"] != version:
            version = order["version"]
            yield order
        if order["status"] in CLOSED and not any(m["status"] in ("pending", "claimed") for m in order["messages"]):
            return
        time.sleep(every)


def read(order_id: str, more: str = "") -> dict[str, Any]:
    from starter.cli.client import api

    where = path(order_id, more)
    found: dict[str, Any] = api().get(where)
    return found


def path(order_id: str, more: str = "") -> str:
    """An id with a slash must not lead elsewhere."""
    from urllib.parse import quote

    if order_id in ("", ".", ".."):
        raise Misused("ID must be an order's id")
    return f"/v1/orders/{quote(order_id, safe='')}{more}"
