"""`orders`: what there is, and how every command ends.

Command modules import what is heavy inside their functions: `orders list` must not wait for what only `demo` needs.
"""

import importlib.metadata
import os
import sys
from typing import Annotated, NoReturn

import typer

from starter.cli import (
    counts,
    database,
    holds,
    keys,
    news,
    operate,
    pickups,
    place,
    processes,
    read,
    stock,
    store,
    till,
)
from starter.cli.bench import bench
from starter.cli.demo import demo
from starter.cli.failure import Failed, Misused
from starter.cli.stack import up

INTERRUPTED = 130
"""What typer makes of Ctrl-C."""
TRY, ORDERS, RUN, OWN = "Try it", "Orders and stock", "Processes", "Installation"

app = typer.Typer(
    name="orders",
    help="Orders from placed to delivered, whatever crashes in between.",
    epilog="Commands about orders speak to the API that ORDERS_API_URL and ORDERS_API_KEY name, or to the stack that "
    "runs in ORDERS_HOME (.orders). Exit codes: 0 done, 1 failed, 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(rich_help_panel=TRY)(demo.demo)
app.command(rich_help_panel=TRY)(up.up)
app.command(rich_help_panel=TRY)(bench.bench)
app.command(rich_help_panel=ORDERS)(place.place)
app.command("list", rich_help_panel=ORDERS)(read.list_orders)
app.command(rich_help_panel=ORDERS)(read.show)
app.command(rich_help_panel=ORDERS)(read.watch)
app.command(rich_help_panel=ORDERS)(operate.cancel)
app.command(rich_help_panel=ORDERS)(operate.refund)
app.command(rich_help_panel=ORDERS)(operate.resolve)
app.command(rich_help_panel=ORDERS)(stock.restock)
for of_its_own in (processes.worker, processes.api, processes.sandbox):
    app.command(rich_help_panel=RUN)(of_its_own)
app.command("release-gate", rich_help_panel=OWN)(processes.release_gate)
app.add_typer(pickups.app, name="pickup", rich_help_panel=ORDERS)
app.add_typer(holds.app, name="holds", rich_help_panel=ORDERS)
app.add_typer(till.app, name="till", rich_help_panel=ORDERS)
stock.app.add_typer(counts.app, name="count")
app.add_typer(stock.app, name="stock", rich_help_panel=ORDERS)
app.add_typer(news.app, name="news", rich_help_panel=ORDERS)
app.add_typer(store.app, name="store", rich_help_panel=ORDERS)
app.add_typer(database.app, name="db", rich_help_panel=OWN)
app.add_typer(keys.app, name="keys", rich_help_panel=OWN)


def version(wanted: bool) -> None:
    if wanted:
        typer.echo(importlib.metadata.version("durable-orders"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    from infra.processes import leave

    os.umask(0o077)  # whatever it leaves in ORDERS_HOME, the engine's and the sandbox's files too, is its owner's only
    leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs a command; its exit code."""
    try:
        ended = app(arguments, prog_name="orders", standalone_mode=False)
        if ended == INTERRUPTED:
            return say("orders", "interrupted", 1)
        return ended if isinstance(ended, int) else 0
    except typer.TyperException as wrong:
        return misused(wrong)
    except Misused as wrong:
        return say("orders", str(wrong), 2)
    except Failed as failure:
        return say("orders", str(failure), 1)
    except (KeyboardInterrupt, typer.Abort):
        return say("orders", "interrupted", 1)
    except BrokenPipeError:  # whoever read us has seen enough
        return 1
    except Exception as bug:
        if os.environ.get("ORDERS_TRACEBACK"):
            raise
        advice = "ORDERS_TRACEBACK=1 shows where, please report it"
        return say("orders", f"unexpected {type(bug).__name__}: {bug or 'no message'} ({advice})", 1)


def misused(wrong: typer.TyperException) -> int:
    """One line instead of the usual frame; without any argument, the help has been shown."""
    if type(wrong).__name__ == "NoArgsIsHelpError":
        return 2
    context = getattr(wrong, "ctx", None)
    text = wrong.format_message() if isinstance(wrong, typer.BadParameter.__bases__) else str(wrong)
    return say(context.command_path if context else "orders", text.replace("Value error, ", ""), 2)


def say(who: str, what: str, code: int) -> int:
    from starter.cli.tables import visible

    print(visible(f"{who}: {' '.join(what.split())}"), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
