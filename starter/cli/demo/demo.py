"""`orders demo`: everything started for real, a tour of orders played live, and a table of how each ended."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.failure import Failed
from starter.cli.read import AsJson

if TYPE_CHECKING:
    from infra.home import Home

KNOWN = ("stack.json", "tour.json", "orders.db", "orders.db-shm", "orders.db-wal", "sandbox", "logs")


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the world of the last demo.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play a tour: orders that ship, wait, fail, heal, are cancelled; and a worker killed in the middle of one."""
    import asyncio

    from infra.home import Home, HomeError
    from infra.settings import Settings, SettingsError
    from starter.cli.demo.run import perform
    from starter.cli.tables import console, short

    try:
        home = Home(Settings.from_environment().orders_home / "demo")
        if resume:
            if not (home.path / "tour.json").exists():
                raise Failed(f"there is no demo in {short(home.path)} to go on with: leave out --resume")
        else:
            with home.held():
                clear(home)
    except (SettingsError, HomeError) as trouble:
        raise Failed(str(trouble)) from None
    paper = console(stderr=as_json)
    try:
        verdicts = asyncio.run(perform(home, paper, keep=keep))
    except (KeyboardInterrupt, asyncio.CancelledError):
        on = "; `orders demo --resume` goes on with it" if (home.path / "tour.json").exists() else ""
        raise Failed(f"interrupted, nothing is left running{on}") from None
    if as_json:
        print(json.dumps([result.as_json() for result in verdicts]))
    bad = [result.scenario.order_id for result in verdicts if not result.good]
    if bad:
        raise Failed(f"not as expected: {', '.join(bad)}; logs are in {short(home.path / 'logs')}")


def clear(home: "Home") -> None:
    """A new world: what the last demo left goes. Only what is known, should this be somebody else's folder."""
    import shutil

    for path in [*(home.path / name for name in KNOWN), *home.path.glob("engine.db*")]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
