"""What the demo shows: a live board of orders, plain lines where nobody looks on, and the last table."""

import asyncio
import time
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from starter.cli.demo.check import Result
from starter.cli.demo.player import Play
from starter.cli.demo.steps import View
from starter.cli.tables import escaped, table, word

MILESTONES = ("placed", "authorized", "planned", "packed", "label_bought", "captured", "shipped", "delivered")
STATE_WIDTH = 16
"""As wide as the longest, so that nothing jumps."""
DOTS_WIDTH = 100
"""From this width on the board has room for the milestones."""
AIRY_WIDTH, ENDS_WIDTH, TITLES_WIDTH = 88, 118, 158
"""From these on the last table has room between its figures, for how an order ended, and for the scenarios' titles."""
LEGEND = "charges: holds on the card; labels: bought − given back; what is news at the same time goes in one message"
REFRESH = 5
QUIET = ("message_sent", "rated", "placed")


class Board:
    """One line an order, moving."""

    def __init__(self, plays: Sequence[Play]) -> None:
        self.plays = plays

    async def show(self, paper: Console) -> None:
        with Live(console=paper, auto_refresh=False, get_renderable=lambda: self.table(paper.width)) as screen:
            try:
                while True:
                    screen.refresh()
                    await asyncio.sleep(1 / REFRESH)
            finally:
                screen.refresh()

    def table(self, width: int) -> Table:
        stages = ["stage"] if width >= DOTS_WIDTH else []
        made = table("order", *stages, "", ">s", "")
        made.expand = True
        made.columns[-3].min_width = STATE_WIDTH
        made.columns[-1].ratio = 1
        for play in self.plays:
            made.add_row(play.scenario.order_id, *([dots(play.view)] if stages else []), *rest(play))
        return made


def rest(play: Play) -> tuple[RenderableType, ...]:
    what = Text(play.scenario.title)
    if play.saying:
        what.append(f": {play.saying}", style="dim")
    seconds = f"{play.seconds:.0f}" if play.seconds is not None else ""
    return now(play.view), seconds, what


def dots(view: View | None) -> Text:
    """How far the order, or its slowest fulfillment, has come."""
    reached = {entry["event"] for entry in view["timeline"]} if view else set()
    style = "magenta" if view and view["status"] == "cancelled" else "green"
    text = Text()
    for milestone in MILESTONES:
        text.append("●" if milestone in reached else "○", style=style if milestone in reached else "dim")
    return text


def now(view: View | None) -> str:
    if view is None:
        return ""
    if view["status"] in ("completed", "cancelled", "on_hold", "cancelling"):
        return word(view["status"])
    if view["fulfillment_status"] in ("backordered", "partial"):
        return word(view["fulfillment_status"])
    events = [entry["event"] for entry in view["timeline"] if entry["event"] not in QUIET]
    return word(events[-1]) if events else word("placed")


async def plain(plays: Sequence[Play], paper: Console) -> None:
    """A line whenever an order moves or something is done to it."""
    began = time.monotonic()
    shown: dict[str, tuple[str, str]] = {}
    try:
        while True:
            tell(plays, shown, paper, time.monotonic() - began)
            await asyncio.sleep(1 / REFRESH)
    finally:
        tell(plays, shown, paper, time.monotonic() - began)


def tell(plays: Sequence[Play], shown: dict[str, tuple[str, str]], paper: Console, seconds: float) -> None:
    for play in plays:
        order_id = play.scenario.order_id
        states = (
            [play.view[status] for status in ("status", "payment_status", "fulfillment_status")] if play.view else []
        )
        line = (" · ".join(states), play.saying)
        if play.began is None:
            continue
        if order_id not in shown:
            shown[order_id] = ("", "")
            paper.print(f"{seconds:5.1f} s  {order_id:<14} {play.scenario.title}", markup=False, soft_wrap=True)
        if any(line) and line != shown[order_id]:
            shown[order_id] = line
            what = f"{line[0]}  ({line[1]})" if all(line) else "".join(line)
            paper.print(f"{seconds:5.1f} s  {order_id:<14} {what}", markup=False, soft_wrap=True)


def results(verdicts: Sequence[Result], width: int) -> RenderableType:
    """Each order, how it ended, and what the sandbox counted; below, what differs from what was expected."""
    titles = ["scenario"] if width >= TITLES_WIDTH else []
    ends = ["end"] if width >= ENDS_WIDTH else []
    figures = (">charges", ">captures", ">refunds", ">disputes", ">labels", ">mails", ">SMS")
    made = table("", *titles, "order", *ends, *figures, title="As the sandbox counted")
    if width < AIRY_WIDTH:
        made.padding = (0, 1, 0, 0)
    for each in verdicts:
        made.add_row(
            "[green]✓[/]" if each.good else "[bold red]✗[/]",
            *([each.scenario.title] if titles else []),
            each.scenario.order_id,
            *([reached(each)] if ends else []),
            *(figure(each, name) for name in ("authorizations", "captures", "refunds", "disputes")),
            labels(each),
            str(each.counted["email"] or "·"),
            str(each.counted["sms"] or "·"),
        )
    faults = [f"[red]{each.scenario.order_id}: {escaped(what)}[/]" for each in verdicts for what in each.wrong]
    made.caption, made.caption_style, made.caption_justify = "\n".join([LEGEND, *faults]), "dim", "left"
    return made


def reached(result: Result) -> str:
    end = str(result.reached or "not placed")
    return end if result.reached == result.scenario.end else f"[bold red]{end}[/]"


def figure(result: Result, name: str) -> str:
    found, expected = result.counted[name], getattr(result.scenario.books, name)
    return f"[bold red]{found} (not {expected})[/]" if found != expected else str(found or "·")


def labels(result: Result) -> str:
    """Bought, and how many of them were given back."""
    back = figure(result, "label_refunds")
    bought = figure(result, "labels")
    return bought if back == "·" else f"{bought} − {back}"
