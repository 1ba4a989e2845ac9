"""`orders keys`: who may do what over the API."""

import json
import re
import sys
from typing import Annotated, Any

import typer

from starter.cli.database import opened
from starter.cli.failure import Failed, Misused

app = typer.Typer(help="API keys: who may do what.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Whose key it is: stands in orders' records.")],
    scope: Annotated[
        list[str], typer.Option(help="orders:read, orders:write, orders:operate, stock:write, store, till, admin.")
    ],
    channel: Annotated[str | None, typer.Option(help="Only for orders of this channel; left out: all.")] = None,
    location: Annotated[
        str | None,
        typer.Option(help="Bound to this place; with the scopes store, stock:write, stock:count and till alone."),
    ] = None,
    till: Annotated[str | None, typer.Option(help="Bound to this till; with the scope till alone.")] = None,
) -> None:
    """Make a key. It is shown once, alone on the last line."""
    from activities.intake.fields import CHANNEL
    from infra.database.engine import sessions
    from infra.database.tables import Location, Till
    from starter.keys import SCOPES, KeyTaken, NotOfAPlace
    from starter.keys import create as make

    if not (name.strip() and name.isprintable() and len(name) <= 100):
        raise Misused("--name must be 1 to 100 printable characters")
    if unknown := sorted(set(scope) - set(SCOPES)):
        raise Misused(f"no scope {', '.join(unknown)}: there are {', '.join(SCOPES)}")
    if channel is not None and not re.fullmatch(CHANNEL, channel):
        raise Misused("--channel must be a channel's name, as web")
    with opened() as engine:
        try:
            with sessions(engine).begin() as tx:
                if location is not None and tx.get(Location, location) is None:
                    raise Misused(f"--location: there is no location {location}")
                if till is not None and tx.get(Till, till) is None:
                    raise Misused(f"--till: there is no till {till}")
                key = make(tx, name.strip(), scope, channel, location, till)  # type: ignore[arg-type]
        except NotOfAPlace as beyond:
            bound = "is bound to a till" if till else "is bound to a location" if location else "is bound to neither"
            raise Misused(f"--scope: a key that {bound} can't have {beyond}") from None
        except KeyTaken:
            raise Failed(f"there is a key {name} (or was one, revoked): choose another name") from None
    where = f" of the channel {channel}" if channel else ""
    where += f" at the location {location}" if location else ""
    where += f" at the till {till}" if till else ""
    print(f"key {name} for {', '.join(sorted(set(scope)))}{where}; it is not shown again:", file=sys.stderr)
    print(key)


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Names, scopes and dates; never the keys."""
    from sqlalchemy import select

    from infra.database.engine import sessions
    from infra.database.tables import ApiKey

    with opened() as engine, sessions(engine, read_only=True)() as tx:
        found: list[dict[str, Any]] = [
            {
                "name": key.name,
                "scopes": key.scopes,
                "channel": key.channel,
                "location": key.location_id,
                "till": key.till_id,
                "created_at": key.recorded_at.isoformat(timespec="seconds"),
                "revoked_at": key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else None,
            }
            for key in tx.scalars(select(ApiKey).order_by(ApiKey.recorded_at, ApiKey.name))
        ]
    if as_json:
        print(json.dumps({"keys": found}))
        return
    from starter.cli.tables import console, table

    paper = table("name", "scopes", "channel", "location", "till", "made", "revoked")
    for key in found:
        bound = (key[place] or "" for place in ("channel", "location", "till"))
        paper.add_row(key["name"], ", ".join(key["scopes"]), *bound, key["created_at"], key["revoked_at"] or "")
    console().print(paper)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Take a key's rights away, at once."""
    from infra.database.engine import sessions
    from starter.keys import revoke as end

    with opened() as engine, sessions(engine).begin() as tx:
        if not end(tx, name):
            raise Failed(f"there is no key {name} that is not revoked already")
    print(f"key {name} is revoked")
