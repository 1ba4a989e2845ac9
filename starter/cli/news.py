"""`orders news list`, `resolve`: what providers and warehouses told that needs a person."""

import json
from typing import Annotated, Any, Literal

import typer

from starter.cli.operate import By
from starter.cli.read import AsJson

app = typer.Typer(help="News that needs a person.", no_args_is_help=True)


@app.command("list")
def list_news(
    status: Annotated[Literal["unmatched", "finding"] | None, typer.Option(help="Only those; else both.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List news about what is not known here, and news at odds with what the same id told before."""
    from starter.cli.client import api

    page = api().get("/v1/news", status=status, limit=limit)
    if as_json:
        print(json.dumps(page))
        return
    from starter.cli.tables import console, day_and_time, escaped, table

    paper = console()
    if not page["news"]:
        paper.print("no news needs anybody")
        return
    made = table("sender", "id", "told", "status", "type", "about", "~content")
    for one in page["news"]:
        words = (one["sender"], one["id"], day_and_time(one["recorded_at"]), one["status"], one["type"], one["about"])
        made.add_row(*map(escaped, words), escaped(in_short(one)))
    paper.print(made)
    if page["more"]:
        console(stderr=True).print("there are more: resolve these, or -n")


def in_short(one: dict[str, Any]) -> str:
    """What differs from before, or all of it."""
    before = one["content_before"] or {}
    content = {
        name: value for name, value in (one["content"] or {}).items() if name != "kind" and value != before.get(name)
    }
    return ", ".join(f"{name} {value}" for name, value in content.items() if value not in (None, ""))


@app.command("resolve")
def resolve(
    sender: Annotated[str, typer.Argument(metavar="SENDER", help="Who told it: stripe, shippo, twilio, warehouse.")],
    news_id: Annotated[str, typer.Argument(metavar="ID", help="The sender's id for it.")],
    why: Annotated[str, typer.Option(help="What was done about it.")],
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Somebody has seen to it: it is listed no more, and will not be applied."""
    from urllib.parse import quote

    from starter.cli.client import api

    where = f"/v1/news/{quote(sender, safe='')}/{quote(news_id, safe='')}/resolution"
    page = api().post(where, {"why": why} | ({"by": by} if by else {}))
    print(json.dumps(page) if as_json else f"{sender} {news_id}: resolved")
