"""What the demo shows: a live board of orders, plain lines where nobody looks on, and the last table."""

import asyncio
import time
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from starter.cli.paper import table, word
from starter.cli.playing import Play
from starter.cli.tour import View
from starter.cli.verdict import Verdict

MILESTONES = ("placed", "authorized", "planned", "packed", "label_bought", "captured", "shipped", "delivered")
REFRESH = 5
QUIET = ("told", "rated", "placed")


class Board:
    """One line an order, moving."""

    def __init__(self, plays: Sequence[Play]) -> None:
        self.plays = plays

    async def show(self, paper: Console) -> None:
        with Live(console=paper, auto_refresh=False, get_renderable=self.table) as live:
            try:
                while True:
                    live.refresh()
                    await asyncio.sleep(1 / REFRESH)
            finally:
                live.refresh()

    def table(self) -> Table:
        made = table("order", "", "stage", "", ">s", "")
        made.columns[5].no_wrap = made.columns[1].no_wrap = True
        for play in self.plays:
            made.add_row(*row(play))
        return made


def row(play: Play) -> tuple[RenderableType, ...]:
    scenario, view = play.scenario, play.view
    seconds = f"{play.seconds:.0f}" if play.seconds is not None else ""
    if view is None:
        return scenario.order_id, scenario.title, "", "", seconds, Text(play.saying, style="dim")
    return scenario.order_id, scenario.title, dots(view), now(view), seconds, Text(play.saying, style="dim")


def dots(view: View) -> Text:
    """How far the order, or its slowest fulfillment, has come."""
    reached = {entry["event"] for entry in view["timeline"]}
    ended = view["status"] == "cancelled"
    text = Text()
    for milestone in MILESTONES:
        style = "magenta" if ended else "green"
        text.append("●" if milestone in reached else "○", style=style if milestone in reached else "dim")
    return text


def now(view: View) -> str:
    if view["status"] in ("completed", "cancelled"):
        return word(view["status"])
    if view["status"] in ("on_hold", "cancelling"):
        return word(view["status"])
    if view["fulfillment_status"] in ("backordered", "partial"):
        return word(view["fulfillment_status"])
    events = [entry["event"] for entry in view["timeline"] if entry["event"] not in QUIET]
    return word(events[-1]) if events else word("placed")


async def plain(plays: Sequence[Play], paper: Console) -> None:
    """A line whenever an order moves or something is done to it."""
    began = time.monotonic()
    said: dict[str, tuple[str, str]] = {}
    try:
        while True:
            tell(plays, said, paper, time.monotonic() - began)
            await asyncio.sleep(1 / REFRESH)
    finally:
        tell(plays, said, paper, time.monotonic() - began)


def tell(plays: Sequence[Play], said: dict[str, tuple[str, str]], paper: Console, seconds: float) -> None:
    for play in plays:
        order_id = play.scenario.order_id
        states = [play.view[axis] for axis in ("status", "payment_status", "fulfillment_status")] if play.view else []
        line = (" · ".join(states), play.saying)
        if any(line) and line != said.get(order_id):
            said[order_id] = line
            what = f"{line[0]}  ({line[1]})" if all(line) else "".join(line)
            paper.print(f"{seconds:5.1f} s  {order_id:<14} {what}", markup=False, soft_wrap=True)


def results(verdicts: Sequence[Verdict]) -> RenderableType:
    """Scenario, order, expected and reached end, and what the sandbox counted."""
    made = table(
        "", "scenario", "order", "expected end", "reached end",
        ">charges", ">captures", ">refunds", ">labels", ">mails", ">SMS", title="As the sandbox counted",
    )  # fmt: skip
    for each in verdicts:
        made.add_row(
            "[green]✓[/]" if each.good else "[bold red]✗[/]",
            each.scenario.title,
            each.scenario.order_id,
            str(each.scenario.end),
            str(each.reached) if each.reached == each.scenario.end else f"[bold red]{each.reached or 'none'}[/]",
            *(figure(each, name) for name in ("authorizations", "captures", "refunds")),
            labels(each),
            str(each.counted["email"] or "·"),
            str(each.counted["sms"] or "·"),
        )
    for each in verdicts:
        for what in each.wrong:
            made.caption = f"{made.caption or ''}{each.scenario.order_id}: {what}\n"
    made.caption_style, made.caption_justify = "red", "left"
    return made


def figure(verdict: Verdict, name: str) -> str:
    found, expected = verdict.counted[name], getattr(verdict.scenario.books, name)
    return f"[bold red]{found} (not {expected})[/]" if found != expected else str(found or "·")


def labels(verdict: Verdict) -> str:
    """Bought, and how many of them were given back."""
    back = figure(verdict, "label_refunds")
    bought = figure(verdict, "labels")
    return bought if back == "·" else f"{bought}, {back} refunded"
