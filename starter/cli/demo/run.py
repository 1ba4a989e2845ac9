"""Where the demo is played: the stack is started, the tour shown live, the results judged."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import Any

from rich.console import Console

from infra.home import Home
from infra.sandbox.client import SandboxControl
from infra.temporal import connect
from starter.cli.client import Api
from starter.cli.demo import scenarios
from starter.cli.demo.board import Board, plain, results
from starter.cli.demo.check import Result, judged
from starter.cli.demo.player import Diary, Play, World, look
from starter.cli.stack import catalogue
from starter.cli.stack.environment import without_real_parts
from starter.cli.stack.stack import Running, running
from starter.cli.stack.up import show_links
from starter.cli.tables import as_typed, short

CURTAIN_SECONDS = 110
"""Whatever has not ended by then has failed."""
LAST_ENTRIES_SECONDS = 5


async def perform(home: Home, paper: Console, *, keep: bool) -> list[Result]:
    """Ctrl-C and SIGTERM end it, and everything it started."""
    began = time.monotonic()
    environ = without_real_parts(os.environ) | scenarios.SETTINGS
    with paper.status("starting") as status, running(home, environ, pace=scenarios.PACE, say=status.update) as stack:
        end_on_sigterm()
        api = Api(stack.stack.api_url, stack.stack.api_key.get_secret_value())
        sow(api)
        client = await connect(stack.environ)
        world = World(
            stack, api, SandboxControl(stack.sandbox or "", stack.sandbox_token), client, Diary(home.path / "tour.json")
        )
        world.diary.begin()
        status.stop()
        paper.print(f"\n[bold]A tour of {len(scenarios.SCENARIOS)} orders[/], each with a customer of its own.\n")
        show_links(paper, stack.links())
        verdicts = await played(world, paper)
        paper.print(results(verdicts, paper.width))
        paper.print(f"\n  {time.monotonic() - began:.0f} s in all\n")
        show_links(paper, stack.links())
        if keep:
            paper.print("  [bold]It goes on running[/] until Ctrl-C. In another terminal:")
            paper.print(f"  [cyan]export ORDERS_HOME={short(home.path)}[/]", soft_wrap=True)
            for command in ("list", "show D13-REFUNDED", "refund D1-PARCEL --line 1 --quantity 1"):
                paper.print(f"  [cyan]{as_typed()} {command}[/]", soft_wrap=True)
            paper.print()
            with suppress(asyncio.CancelledError):
                await kept(stack)
        else:
            paper.print("  Everything is stopped now. With the links, for this very world or a new one:")
            for options in ("--resume --keep", "--keep"):
                paper.print(f"  [cyan]{as_typed()} demo {options}[/]", soft_wrap=True)
            paper.print()
        status.start()
    return verdicts


def end_on_sigterm() -> None:
    """As Ctrl-C does: cancels what runs, so that all is stopped in order."""
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)


def sow(api: Api) -> None:
    catalogue.sow(api)
    for sku, product in scenarios.PRODUCTS.items():
        api.put(f"/v1/products/{sku}", product)


async def played(world: World, paper: Console) -> list[Result]:
    plays = [Play(scenario, world) for scenario in scenarios.IN_ORDER]
    board = Board(plays)
    everything: asyncio.Future[Any] = asyncio.gather(*(play.run() for play in plays))
    shown = asyncio.create_task(board.show(paper) if paper.is_terminal else plain(plays, paper))
    looking = asyncio.create_task(look(world, plays))
    guard: asyncio.Future[Any] = asyncio.create_task(kept(world.running))
    waited = {everything, looking, guard}
    try:
        done, _ = await asyncio.wait(waited, timeout=CURTAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*waited, shown):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return [await result(world, play) for play in plays]


async def kept(stack: Running) -> None:
    """Until a process ends by itself: then it fails."""
    while True:
        stack.check()
        await asyncio.sleep(0.3)


async def result(world: World, play: Play) -> Result:
    """The books may be a moment behind the tables."""
    until = time.monotonic() + LAST_ENTRIES_SECONDS
    while True:
        books = await asyncio.to_thread(world.sandbox.books, play.scenario.order_id)
        judgement = judged(play.scenario, play.view, books, play.seconds, play.failure)
        if judgement.good or time.monotonic() > until or play.unfinished:
            return judgement
        await asyncio.sleep(0.3)
