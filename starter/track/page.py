"""The customer's page as HTML. Everything that is not ours is escaped, nothing is loaded, and nothing runs."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

STYLE = """
:root { color-scheme: light dark; }
body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
form { margin: .75rem 0; } button, input { font: inherit; padding: .5rem .75rem; }
label { display: block; margin: .25rem 0; } input { width: 100%; box-sizing: border-box; }
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-"
    + b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
ADDRESS = ("name", "street1", "zip", "city", "state", "country")


class Waiting(NamedTuple):
    fulfillment_id: str
    place: str
    until: str
    extendable: bool


class Store(NamedTuple):
    location_id: str
    place: str
    units: int
    whole: bool


class Asked(NamedTuple):
    """Of the customer."""

    items: str
    units: int
    until: str
    stores: list[Store]
    shipping: bool
    address_known: bool


class Page(NamedTuple):
    order_id: str
    locale: str
    status: str
    parts: list[tuple[str, str]]
    """What is in each fulfillment, and where that stands."""
    waiting: list[Waiting]
    asked: Asked | None
    person: bool
    """Somebody else may still come for it."""


def shown(page: Page, phrases: Mapping[str, str], note: str = "") -> str:
    rows = "".join(f"<li>{escape(items)}: {escape(phrases[status])}</li>" for items, status in page.parts)
    body = [f"<p><strong>{escape(note)}</strong></p>" if note else "", f"<p>{escape(phrases[page.status])}</p>"]
    body += [f"<ul>{rows}</ul>" if rows else ""]
    body += [choices(page.asked, phrases)] if page.asked else []
    body += [waits(each, phrases) for each in page.waiting]
    if page.person:
        fields = label("name", phrases["name"]) + f"<p>{escape(phrases['person_note'])}</p>"
        body.append(f"<h2>{escape(phrases['person'])}</h2>" + form("person", phrases["save"], fields))
    return document(phrases["order"].format(order_id=page.order_id), "".join(body), page.locale)


def choices(asked: Asked, phrases: Mapping[str, str]) -> str:
    lines = [phrases["asked"].format(items=asked.items), phrases["deadline"].format(at=asked.until)]
    parts = [f"<p>{escape(line)}</p>" for line in lines]
    for store in asked.stores:
        word = phrases["store"] if store.whole else phrases["store_part"]
        text = word.format(place=store.place, units=store.units, whole=asked.units)
        parts.append(form("store", text, hidden("location", store.location_id)))
    if asked.shipping and asked.address_known:
        parts.append(form("ship", phrases["ship_there"]))
    elif asked.shipping:
        parts.append(form("ship", phrases["ship"], "".join(label(name, phrases[name]) for name in ADDRESS)))
    return "".join([*parts, form("cancel", phrases["cancel"])])


def waits(waiting: Waiting, phrases: Mapping[str, str]) -> str:
    text = f"<p>{escape(phrases['waits'].format(place=waiting.place, at=waiting.until))}</p>"
    return text + (
        form("extend", phrases["extend"], hidden("fulfillment", waiting.fulfillment_id)) * waiting.extendable
    )


def form(do: str, button: str, fields: str = "") -> str:
    return f'<form method="post">{hidden("do", do)}{fields}<button>{escape(button)}</button></form>'


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def label(name: str, text: str) -> str:
    needed = "" if name == "state" else " required"
    return f'<label>{escape(text)} <input name="{name}" maxlength="200"{needed}></label>'


def document(title: str, body: str, locale: str) -> str:
    return (
        f'<!doctype html><html lang="{escape(locale)}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
