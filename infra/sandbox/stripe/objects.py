"""Stripe's objects as documents: how they begin, how they are shown and listed.

A field whose name begins with `_` is ours and is never shown.
"""

import secrets
from datetime import datetime
from typing import Any

from infra.sandbox.endpoint import Answer
from infra.sandbox.stripe.errors import missing, refuse
from infra.sandbox.world import Document, World

VERSION = "2026-10-28.endive"
KINDS = {
    "cus_": "stripe.customer",
    "pm_": "stripe.payment_method",
    "pi_": "stripe.payment_intent",
    "ch_": "stripe.charge",
    "re_": "stripe.refund",
    "dp_": "stripe.dispute",
    "evt_": "stripe.event",
}
EXPANDABLE = {"latest_charge", "customer", "payment_method", "payment_intent", "charge"}


def new_id(prefix: str) -> str:
    return f"{prefix}1{secrets.token_hex(12)}"


def kind(id: str) -> str:
    return KINDS.get(id.split("_", 1)[0] + "_", "stripe.none")


def save(world: World, doc: Document, *, under: str | None = None) -> Document:
    return world.put(kind(doc["id"]), doc["id"], doc, under=under)


def load(world: World, what: str, id: str, param: str) -> Document:
    """The object with this id, or Stripe's 'No such …'."""
    found = world.get(f"stripe.{what}", id)
    if found is None or found.get("_account"):
        raise missing(what, id, param)
    return found


def clock_of(world: World, customer: str | None) -> str:
    """Whose clock counts for this Stripe customer: our customer's id from the metadata, else their own."""
    found = world.get("stripe.customer", customer) if customer else None
    return str(found["metadata"].get("customer_id") or found["id"]) if found else ""


def now(world: World, customer: str | None) -> datetime:
    return world.now(clock_of(world, customer))


def stamp(world: World, customer: str | None) -> int:
    return int(now(world, customer).timestamp())


def shown(world: World, doc: Document, expand: list[str] | None = None, at: str = "") -> Document:
    """As the API answers it, with the ids that were asked for replaced by what they name."""
    plain = {name: value for name, value in doc.items() if not name.startswith("_")}
    for path in expand or []:
        name, _, rest = path.removeprefix(at).partition(".")
        if name not in EXPANDABLE or name not in plain:
            message = f"This property cannot be expanded ({name})."
            raise refuse(400, message, param="expand")
        inner = plain[name]
        found = world.get(kind(inner), inner) if isinstance(inner, str) else None
        if found is not None:
            plain[name] = shown(world, found, [rest] if rest else [])
    return plain


def page(world: World, url: str, docs: list[Document], given: dict[str, Any]) -> Answer:
    """One page of a list, newest first."""
    ids = [doc["id"] for doc in docs]
    for cursor in ("starting_after", "ending_before"):
        if cursor in given and given[cursor] not in ids:
            raise missing("object", given[cursor], cursor)
    limit = given.get("limit", 10)
    if "ending_before" in given:
        before = docs[: ids.index(given["ending_before"])]
        part, more = before[-limit:], len(before) > limit
    else:
        after = docs[ids.index(given["starting_after"]) + 1 :] if "starting_after" in given else docs
        part, more = after[:limit], len(after) > limit
    expand = [path.removeprefix("data.") for path in given.get("expand", [])]
    data = [shown(world, doc, expand) for doc in part]
    return Answer({"object": "list", "url": url, "has_more": more, "data": data})


def order_of(intent: Document) -> str:
    return str(intent["metadata"].get("order_id", ""))


def refunded(world: World, intent: Document) -> int:
    """What refunds took or will take of the captured money; what was released of a hold is no part of it."""
    made = world.all("stripe.refund", under=intent["id"])
    counting = ("succeeded", "pending")
    return sum(
        r["amount"] for r in made if r["status"] in counting and r["destination_details"]["card"]["type"] == "refund"
    )


def changed(kept: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Metadata after an update: an empty value removes its key."""
    return {name: value for name, value in {**kept, **given}.items() if value != ""}
