"""`orders holds list`, `resolve`: what waits for a person, of orders and of everything else."""

import json
from typing import Annotated, Any

import typer

from infra.holds import Action, HoldReason
from starter.cli.operate import By
from starter.cli.read import AsJson

app = typer.Typer(help="What waits for a person.", no_args_is_help=True)


@app.command("list")
def list_holds(
    reason: Annotated[HoldReason | None, typer.Option(help="Only those.")] = None,
    about: Annotated[str | None, typer.Option(help="Only about those: order, fulfillment, parcel …")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the open holds, the oldest first."""
    from starter.cli.client import api

    page = api().get("/v1/holds", reason=reason, subject_kind=about, limit=limit)
    if as_json:
        print(json.dumps(page))
        return
    from starter.cli.tables import console, day_and_time, escaped, table

    paper = console()
    if not page["holds"]:
        paper.print("nothing waits for anybody")
        return
    made = table("hold", "about", "since", "kind", "code", "offers", "~advice")
    for one in page["holds"]:
        subject = f"{one['subject_kind']} {one['subject_id']}"
        words = (one["hold"], subject, day_and_time(one["opened_at"]), one["kind"], one["code"], offered(one))
        made.add_row(*map(escaped, words), escaped(one["advice"]))
    paper.print(made)
    if page["more"]:
        console(stderr=True).print("there are more: resolve these, or -n")


def offered(hold: dict[str, Any]) -> str:
    return ", ".join(hold["actions"])


@app.command("resolve")
def resolve(
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Its id, as `orders holds list` shows it.")],
    action: Annotated[Action, typer.Option(help="One that the hold offers.")],
    why: Annotated[str, typer.Option(help="Stands in its records.")],
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Decide an open hold, whatever it is about: its workflow goes on from there."""
    from urllib.parse import quote

    from starter.cli.client import api

    body = {"action": action, "why": why} | ({"by": by} if by else {})
    answer = api().post(f"/v1/holds/{quote(hold, safe='')}/resolution", body)
    print(json.dumps(answer) if as_json else f"{hold}: {action} asked")
