"""`/`: the page that says what this is and how to make it fail."""

from collections.abc import Iterable, Mapping
from html import escape

CONTROLS = [
    ("Authorization: Bearer …", "what opens /_sandbox: ORDERS_SANDBOX_TOKEN, in the stack's stack.json"),
    ("GET /mailbox", "every mail and text message sent, as a page"),
    ('POST /_sandbox/faults {"provider", "operation", "mode", "times", "seconds", "match"}', "the next calls fail"),
    ("", "mode: error, error_after, lose_answer, refuse_connection, delay, rate_limit; DELETE ends it"),
    ('POST /_sandbox/clock {"customer", "advance_seconds"}', "sets a customer's clock forward: authorizations expire"),
    ("GET /_sandbox/books?order_id=", "what happened, counted"),
    ('POST /_sandbox/pace {"seconds", "order_id"}', "how fast the world moves by itself; null: it stands still"),
    ('POST /_sandbox/webhooks {"url", "duplicate", "shuffle"}', "where webhooks go, twice or out of order if wanted"),
    ("GET /_sandbox/requests?provider=", "the last calls as they came in"),
    ("POST /_sandbox/warehouse/fulfillments/{id}/{accept|pick|pack|short_pick|refuse|hand_over|cancel|refuse_cancel}",
     "the warehouse does it now"),
    ("", 'pack {"contents": [{sku: units}]} or {"parcels"}; short_pick {"lines": [{"sku", "missing"}]}'),
    ('POST /_sandbox/warehouse/locations/{location} {"manner", "order_id"}', "it works, refuses, is silent"),
    ('POST /_sandbox/warehouse/receive {"reference", "location", "lines"}', "goods arrive"),
    ("POST /_sandbox/shippo/tracks/{tracking_number}/{status}", "the parcel moves (first: handed_over)"),
    ("POST /_sandbox/shippo/labels/{label_id}/{refund|reject_refund}", "the carrier answers about a label's refund"),
    ("POST /_sandbox/stripe/{intent_id}/{authenticate|fail_authentication|expire}", "the bank acts"),
    ('POST /_sandbox/stripe/{intent_id}/becomes {"card"}', "from now on its card behaves like this test card"),
    ('POST /_sandbox/stripe/{intent_id}/dispute {"amount", "reason", "inquiry", "due_in_days"}', "the bank disputes"),
    ("POST /_sandbox/stripe/disputes/{dispute_id}/{respond|escalate|won|lost|warning_closed}", "the dispute goes on"),
    ("POST /_sandbox/stripe/{intent_id}/{capture|cancel|refund} {…}", "in the dashboard; parameters of Stripe's API"),
    ('POST /_sandbox/stripe/checkout {"amount", "currency", "status", …}', "a shop's own page makes a payment intent"),
    ('POST /_sandbox/stripe/{intent_id or order_id}/events {"keep", "send"}', "Stripe's events: kept, sent, again"),
    ("POST /_sandbox/stripe/refunds/{refund_id}/{succeed|fail}", "a refund ends"),
]  # fmt: skip

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox</title>
<style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td{{border-top:1px solid #ccc;padding:.3rem .6rem;vertical-align:top}}
code{{font-size:.9em;overflow-wrap:anywhere}}</style>
<h1>Sandbox</h1><p>A small outside world for orders: it speaks the providers' HTTP APIs, keeps state and sends signed
webhooks. No real money, parcels or messages. <a href="/mailbox">Mailbox</a></p>
{sections}</html>"""


def page(triggers: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    sections = {"Controls": CONTROLS, **triggers}
    return PAGE.format(sections="".join(_section(title, rows) for title, rows in sections.items()))


def _section(title: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td><code>{escape(use)}</code></td><td>{escape(then)}</td></tr>" for use, then in rows)
    return f"<h2>{escape(title.capitalize())}</h2><table>{cells}</table>"
