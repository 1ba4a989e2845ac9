"""How answers look to people: tables and the words for where an order stands."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

WIDTH = 180
"""Where nobody looks on: wide enough that no cell is broken."""
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
COLOURS = {
    "placed": "blue",
    "on_hold": "bold yellow",
    "processing": "cyan",
    "cancelling": "magenta",
    "completed": "green",
    "cancelled": "magenta",
    "declined": "red",
    "action_required": "yellow",
    "disputed": "red",
    "delivered": "green",
    "returned": "magenta",
    "backordered": "yellow",
    "captured": "green",
    "failed": "red",
}


def visible(text: str) -> str:
    """What somebody typed may command a terminal, or turn its lines around: such marks are shown, not obeyed."""
    return UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console
    from rich.text import Text

    class SafeConsole(Console):
        def render_str(self, text: str, **how: Any) -> Text:
            return super().render_str(visible(text), **how)

    made = SafeConsole(stderr=stderr, highlight=False)
    return made if made.is_terminal else SafeConsole(stderr=stderr, highlight=False, width=WIDTH)


def table(*headings: str, title: str = "") -> Table:
    """Rows without frames: easy to read, and to cut apart. `>` sets figures to the right, `~` may break its lines."""
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for heading in headings:
        right, breaks = heading.startswith(">"), heading.startswith("~")
        made.add_column(
            heading.lstrip(">~"),
            justify="right" if right else "left",
            no_wrap=not breaks,
            overflow="fold" if breaks else "ellipsis",
        )
    return made


def word(state: str | None) -> str:
    """A state in its colour, as people write it."""
    if not state:
        return ""
    colour = COLOURS.get(state)
    plain = state.replace("_", " ")
    return f"[{colour}]{plain}[/]" if colour else plain


def amount(order: dict[str, Any], minor: int) -> str:
    from activities.messages.wording import money

    return money(minor, order["currency"])


def day_and_time(instant: str | None) -> str:
    """To the second, in this machine's time zone."""
    from datetime import datetime

    return datetime.fromisoformat(instant).astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def summaries(orders: list[dict[str, Any]]) -> Table:
    made = table("order", "placed", "status", "payment", "fulfillment", "~waits for", ">total", "customer")
    for order in orders:
        made.add_row(
            order["order_id"],
            day_and_time(order["placed_at"])[5:16],
            word(order["status"]),
            word(order["payment_status"]),
            word(order["fulfillment_status"]),
            ", ".join(word(reason) for reason in order["attention"]),
            amount(order, order["total"]),
            order["customer_id"] or "",
        )
    return made


def whole(order: dict[str, Any]) -> RenderableType:
    """Everything about one order that a person asks for."""
    from rich.console import Group

    blocks: list[RenderableType] = [headline(order), lines(order)]
    blocks += [made(order) for made in (tenders, payments, refunds, fulfillments, holds, messages) if made(order).rows]
    return Group(*blocks, timeline(order))


def headline(order: dict[str, Any]) -> str:
    states = [word(order[status]) for status in ("status", "payment_status", "fulfillment_status")]
    who = of_customer(order["customer"]) if order["customer"] else ""
    text = f"\n[bold]{order['order_id']}[/]  {' · '.join(states)}  {amount(order, order['total'])}\n"
    text += f"{who}{order['channel']}, {day_and_time(order['placed_at'])}"
    text += f", promised for {order['promised_on']}"
    if order["cancellation"]:
        reason = f" ({order['cancel_reason']})" if order["cancel_reason"] else ""
        text += f"\ncancellation: {order['cancellation']}{reason}"
    if order["trimmed_at"]:
        text += f"\ntrimmed {order['trimmed_at'][:10]}: its timeline and effects are gone, and it is not entered again"
    return text + "\n"


def of_customer(customer: dict[str, Any]) -> str:
    who = ", ".join(filter(None, (customer["name"], customer["email"], customer["phone"])))
    return f"{escaped(customer['customer_id'])}: {escaped(who)}; "


def short(path: Path) -> str:
    """As one would type it here."""
    return str(path.relative_to(here)) if path.is_relative_to(here := path.cwd()) else str(path)


def as_typed() -> str:
    """The command, as one types it here: by its path where it is on none of PATH's."""
    this = Path(sys.argv[0]).absolute()
    return short(this) if this.name == "orders" and shutil.which("orders") is None else "orders"


def escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def lines(order: dict[str, Any]) -> Table:
    made = table(">line", "SKU", ">ordered", ">reserved", ">shipped", ">waiting", ">cancelled", ">each", "promised")
    for line in order["lines"]:
        counts = [line[name] for name in ("quantity", "reserved", "shipped", "waiting", "cancelled")]
        made.add_row(
            str(line["line"]),
            line["sku"],
            *(str(count) if count else "·" for count in counts),
            amount(order, line["unit_price"]),
            line["promised_on"] or "",
        )
    return made


def tenders(order: dict[str, Any]) -> Table:
    """Of an order that several pay."""
    made = table(">tender", "method", "~reference", ">amount", ">captured", ">refunded", ">to come", title="Tenders")
    for each in order["payment"]["tenders"] if len(order["payment"]["tenders"]) > 1 else ():
        part = "the rest" if each["amount"] is None else amount(order, each["amount"])
        figures = [amount(order, each[name]) for name in ("captured", "refunded", "to_come")]
        made.add_row(str(each["n"]), word(each["method"]), escaped(each["reference"]), part, *figures)
    return made


def payments(order: dict[str, Any]) -> Table:
    made = table(">payment", "status", ">authorized", ">captured", "until", "~declined as", title="Payments")
    for each in order["payment"]["authorizations"]:
        until, why = day_and_time(each["capture_before"]), each["decline_code"] or ""
        figures = [amount(order, each[name]) for name in ("amount", "captured")]
        made.add_row(str(each["n"]), word(each["status"]), *figures, until, escaped(each["action_url"] or why))
    for dispute in order["payment"]["disputes"]:
        status = f"{word(dispute['status'])}{', answered' if dispute['answered'] else ''}"
        asked, until = f"-{amount(order, dispute['amount'])}", day_and_time(dispute["due_by"])
        made.add_row("dispute", status, asked, "", until, escaped(f"{dispute['reason']} {dispute['dispute_id']}"))
    return made


def refunds(order: dict[str, Any]) -> Table:
    made = table("refund", "status", ">amount", "~units", title="Refunds")
    for each in order["payment"]["refunds"]:
        units = ", ".join(f"{of['quantity']} of line {of['line']}" for of in each["lines"])
        made.add_row(each["refund_id"], word(each["status"]), amount(order, each["amount"]), units)
    return made


def fulfillments(order: dict[str, Any]) -> Table:
    made = table("fulfillment", "status", "from", "~parcel", "label", "tracking", "~number", title="Fulfillments")
    for each in order["fulfillments"]:
        parcels = each["parcels"] or [None]
        for n, parcel in enumerate(parcels):
            first = (each["fulfillment_id"], word(each["status"]), each["location"]) if n == 0 else ("", "", "")
            made.add_row(*first, *(of_parcel(parcel) if parcel else ()))
    return made


def of_parcel(parcel: dict[str, Any]) -> tuple[str, ...]:
    by = " ".join(filter(None, (parcel["carrier"], parcel["service"])))
    size = f"{parcel['n']}, {parcel['weight_g']} g{', ' + by if by else ''}"
    return size, word(parcel["label"]), word(parcel["tracking"]), parcel["tracking_number"] or ""


def holds(order: dict[str, Any]) -> Table:
    made = table("hold", "kind", "~about", "~code", "~what to do", "~decided", title="Holds")
    for hold in order["holds"]:
        by = f"{hold['action'] or 'closed'} by {escaped(hold['closed_by'] or '')}"
        choices = [f"[bold]{action}[/]: {what}" for action, what in hold["choices"].items()]
        made.add_row(
            hold["hold"],
            word(hold["kind"]),
            hold["subject_id"],
            escaped(hold["code"]),
            "\n".join([escaped(hold["advice"]), *choices]) if choices else "",
            by if hold["closed_at"] else "[bold yellow]open[/]",
        )
    return made


def messages(order: dict[str, Any]) -> Table:
    made = table("message", "by", "status", "sent", title="Messages")
    for message in order["messages"]:
        status = word(message["status"]) + (f" ({escaped(message['code'])})" if message["code"] else "")
        kind = word(message["kind"]) + (f" ({escaped(message['location_id'])})" if message["location_id"] else "")
        made.add_row(kind, message["channel"], status, day_and_time(message["sent_at"]))
    return made


def effects(found: list[dict[str, Any]]) -> Table:
    made = table("step", ">n", "first called", "last called", "outcome", "~key", title="What providers were asked for")
    for each in found:
        times = [day_and_time(each[name]) for name in ("first_called_at", "last_called_at")]
        outcome = word(each["outcome"]) or "[bold yellow]not known yet[/]"
        made.add_row(escaped(each["step"]), str(each["n"]), *times, outcome, escaped(each["key"]))
    return made


def timeline(order: dict[str, Any]) -> Table:
    made = table("at", "what happened", "~", title="Timeline")
    for entry in order["timeline"]:
        made.add_row(day_and_time(entry["at"]), word(entry["event"]), escaped(about(entry)))
    return made


def about(entry: dict[str, Any]) -> str:
    facts = [f"{name} {as_text(value)}" for name, value in entry["data"].items() if value not in (None, "")]
    return ", ".join(filter(None, [entry["fulfillment_id"], *facts]))


def as_text(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)
