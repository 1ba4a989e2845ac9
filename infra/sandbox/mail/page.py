"""The mailbox's HTML. Everything that a customer or a provider wrote is escaped; nothing is loaded from anywhere."""

import re
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from infra.sandbox.world import Document

LINK = re.compile(r"(https?://[^\s<>\"']+)")

STYLE = Path(__file__).with_name("page.css").read_text()


def mailbox(letters: list[Document], order_id: str, total: int) -> str:
    rows = "".join(_row(letter) for letter in letters)
    listed = f'<ol class="card">{rows}</ol>' if rows else '<p class="card none">Nothing has been sent yet.</p>'
    if order_id and not rows:
        listed = f'<p class="card none">Nothing about order {escape(order_id)}.</p>'
    more = f"<p>{total - len(letters)} older ones are not shown.</p>" if total > len(letters) else ""
    return _page("Mailbox", listed + more, order_id)


def letter(letter: Document) -> str:
    about = letter["order_id"]
    address = escape("/mailbox?" + urlencode({"order_id": about}))
    order = f'<a href="{address}">{escape(about)}</a>' if about else "none named"
    facts = {"From": escape(letter["from"]), "To": escape(letter["to"]), "Sent": _time(letter["at"]), "Order": order}
    facts |= {"Status": _tags(letter)}
    if "message_id" in letter:
        facts["Message-ID"] = escape(letter["message_id"])
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    title = letter["subject"] or "Text message"
    text = f'<div class="text">{_linked(letter["text"])}</div>'
    return _page(title, f'<article class="card"><h2>{escape(title)}</h2><dl>{listed}</dl>{text}</article>', about)


def nothing() -> str:
    return _page("No such message", '<p class="card none">There is no such message.</p>', "")


def _row(letter: Document) -> str:
    text = " ".join(letter["text"].split())
    what, more = (letter["subject"] or "(no subject)", text) if letter["channel"] == "email" else (text, "")
    rest = f'<div class="more">{escape(more[:200])}</div>' if more else ""
    top = f"{_tags(letter)}<span>{escape(letter['to'])}</span>{_time(letter['at'])}"
    address = escape(f"/mailbox/{letter['id']}")
    return f'<li><a href="{address}"><div class="top">{top}</div><div class="what">{escape(what)}</div>{rest}</a></li>'


def _tags(letter: Document) -> str:
    tags = [("Email" if letter["channel"] == "email" else "SMS", False)]
    if letter["channel"] == "sms":
        failed = letter["status"] in ("undelivered", "failed")
        tags.append((f"{letter['status']} {letter['code'] or ''}".strip(), failed))
    if letter["copies"] > 1:
        tags.append((f"came {letter['copies']} times, kept once", False))
    return "".join(f'<span class="tag{" bad" if bad else ""}">{escape(text)}</span>' for text, bad in tags)


def _time(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f'<time datetime="{moment.isoformat()}">{moment:%d %b %Y, %H:%M:%S} UTC</time>'


def _linked(text: str) -> str:
    """Escaped, with what looks like a web address made to follow."""
    parts = LINK.split(text)
    return "".join(
        f'<a href="{escape(part)}" rel="noreferrer noopener">{escape(part)}</a>' if n % 2 else escape(part)
        for n, part in enumerate(parts)
    )


def _page(title: str, content: str, order_id: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)} · sandbox</title><style>{STYLE}</style><main><header>"
        '<h1><a href="/mailbox">Mailbox</a></h1><form action="/mailbox" role="search">'
        f'<input name="order_id" value="{escape(order_id)}" placeholder="Order id" aria-label="Order id">'
        f'<button>Show</button></form><a href="/">Sandbox</a></header>{content}</main></html>'
    )
