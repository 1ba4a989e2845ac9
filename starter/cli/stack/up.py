"""`orders up`: the stack until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from starter.cli.stack.stack import Running


def up(
    pace: Annotated[float, typer.Option(min=0, help="Seconds between two steps of the sandbox's world.")] = 2.0,
) -> None:
    """Run everything on this machine, until Ctrl-C. Real settings replace embedded parts."""
    from infra.home import Home
    from infra.settings import Settings, SettingsError, environment
    from starter.cli.failure import Failed
    from starter.cli.stack import stack
    from starter.cli.tables import console, short

    paper = console()
    try:
        home = Home(Settings.from_environment().orders_home)
    except SettingsError as wrong:
        raise Failed(str(wrong)) from None
    status = paper.status("starting")
    try:
        status.start()
        with stack.running(home, environment(), pace=pace, say=status.update) as running:
            sow_when_empty(running)
            status.stop()
            welcome(paper, running)
            try:
                stack.watch(running)
            finally:
                status.start()
    except KeyboardInterrupt:
        status.stop()
        paper.print("stopped; what was done is kept in", short(home.path))
    finally:
        status.stop()


def sow_when_empty(running: Running) -> None:
    """A catalogue to begin with; not where a real warehouse keeps the goods."""
    from starter.cli.client import Api
    from starter.cli.stack.catalogue import sow

    if running.empty and running.sandbox and running.environ.get("WAREHOUSE_URL", "").startswith(running.sandbox):
        sow(Api(running.stack.api_url, running.stack.api_key.get_secret_value()))


def welcome(paper: Console, running: Running) -> None:
    from starter.cli.tables import as_typed

    paper.print("\n[bold green]Orders are taken.[/] Ctrl-C stops everything.\n")
    show_links(paper, running.links())
    paper.print("  [dim]Try it, in another terminal:[/]")
    for command in ("place docs/examples/orders.jsonl", "list", "watch W-1001"):
        paper.print(f"  [cyan]{as_typed()} {command}[/]", soft_wrap=True)
    paper.print()


def show_links(paper: Console, links: dict[str, str]) -> None:
    width = max(map(len, links))
    for name, url in links.items():
        paper.print(f"  [dim]{name:<{width}}[/]  [link={url}]{url}[/link]", soft_wrap=True)
    paper.print()
