"""Disputes: the customer's bank asks the money back (docs.stripe.com/disputes/how-disputes-work).

A chargeback takes the disputed amount, and a fee, at once; won, the amount comes back. An inquiry only asks.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.stripe import constants
from infra.sandbox.stripe.events import announce
from infra.sandbox.stripe.objects import load, new_id, now, order_of, page, refunded, save, shown, stamp
from infra.sandbox.world import Document, World

FEE = 1500
"""Minor units, for each chargeback, and not given back."""
DUE_IN_DAYS = 14
CHARGED_BACK = ("needs_response", "under_review", "lost")
OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")


def open_dispute(
    world: World,
    intent: Document,
    *,
    amount: int | None = None,
    reason: str = "fraudulent",
    inquiry: bool = False,
    due_in_days: int = DUE_IN_DAYS,
) -> Document:
    """Of what was taken and not given back, unless an amount is told. ValueError: nothing, or more than was taken, or
    all was given back already (support.stripe.com/questions/dispute-fees-faq)."""
    taken = intent["amount_received"]
    left = taken - refunded(world, intent)
    amount = left if amount is None else amount
    if not left or not 0 < amount <= taken:
        raise ValueError(f"{intent['id']}: {taken} was taken, {amount} cannot be disputed")
    due = (now(world, intent["customer"]) + timedelta(days=due_in_days)).replace(hour=23, minute=59, second=59)
    charge = load(world, "charge", intent["latest_charge"], "charge")
    save(world, charge | {"disputed": True})
    brand = charge["payment_method_details"]["card"]["brand"]
    card = {"brand": brand, "network": brand, "network_reason_code": None}
    dispute: Document = {
        **constants.DISPUTE,
        "id": new_id("dp_"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": stamp(world, intent["customer"]),
        "currency": intent["currency"],
        "evidence_details": {
            "due_by": int(due.timestamp()),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": intent["id"],
        "payment_method_details": {
            "card": card | {"case_type": "inquiry" if inquiry else "chargeback"},
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    save(world, dispute, under=intent["id"])
    world.count("dispute", order_of(intent), dispute["id"], amount)
    if not inquiry:
        dispute = _move(world, dispute, -amount)
    announce(world, "charge.dispute.created", dispute)
    if not inquiry:
        announce(world, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def respond(world: World, dispute: Document, amount: int | None) -> Document:
    """We gave evidence; the bank looks at it."""
    evidence = dispute["evidence_details"] | {"has_evidence": True}
    evidence["submission_count"] += 1
    status = dispute["status"].replace("needs_response", "under_review")
    dispute = save(world, dispute | {"status": status, "evidence_details": evidence})
    announce(world, "charge.dispute.updated", dispute)
    return dispute


def escalate(world: World, dispute: Document, amount: int | None) -> Document:
    """The bank was not content with the answer to its inquiry: now it takes the money."""
    _must_be(dispute, "warning_needs_response", "warning_under_review")
    card = dispute["payment_method_details"]["card"] | {"case_type": "chargeback"}
    changes = {"status": "needs_response", "is_charge_refundable": False}
    dispute = dispute | changes | {"payment_method_details": {"card": card, "type": "card"}}
    dispute = _move(world, dispute, -dispute["amount"])
    announce(world, "charge.dispute.updated", dispute)
    announce(world, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def win(world: World, dispute: Document, amount: int | None) -> Document:
    """All comes back, or what the bank awards."""
    _must_be(dispute, "needs_response", "under_review")
    amount = dispute["amount"] if amount is None else amount
    if not 0 < amount <= dispute["amount"]:
        raise ValueError(f"{dispute['id']} is about {dispute['amount']}: {amount} cannot come back")
    dispute = _move(world, dispute | {"status": "won"}, amount)
    announce(world, "charge.dispute.closed", dispute)
    announce(world, "charge.dispute.funds_reinstated", dispute)
    return dispute


def lose(world: World, dispute: Document, amount: int | None) -> Document:
    _must_be(dispute, "needs_response", "under_review")
    return _closed(world, dispute, "lost")


def close_inquiry(world: World, dispute: Document, amount: int | None) -> Document:
    _must_be(dispute, "warning_needs_response", "warning_under_review")
    return _closed(world, dispute, "warning_closed")


def give_back(world: World, dispute: Document, amount: int | None) -> Document:
    """Lost, and some of it comes back all the same: what had been refunded."""
    _must_be(dispute, "lost")
    left = -sum(each["amount"] for each in dispute["balance_transactions"])
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise ValueError(f"{dispute['id']}: {left} was taken, {amount} cannot come back")
    dispute = _move(world, dispute, amount)
    announce(world, "charge.dispute.funds_reinstated", dispute)
    return dispute


MOVES: dict[str, Callable[[World, Document, int | None], Document]] = {
    "respond": respond,
    "escalate": escalate,
    "won": win,
    "lost": lose,
    "warning_closed": close_inquiry,
    "returned": give_back,
}


def move(world: World, id: str, word: str, amount: int | None = None) -> Document:
    """`amount`: how much is won, or comes back. KeyError: no such dispute or move; ValueError: this one is past it."""
    dispute = world.get("stripe.dispute", id)
    if dispute is None:
        raise KeyError(id)
    _must_be(dispute, *OPEN, *(["lost"] if word == "returned" else []))
    return MOVES[word](world, dispute, amount)


def charged_back(world: World, intent: Document) -> bool:
    """Whether the bank has, or had for good, what was taken: then nothing can be refunded."""
    return any(dispute["status"] in CHARGED_BACK for dispute in world.all("stripe.dispute", under=intent["id"]))


def retrieve(world: World, call: Call, given: dict[str, Any]) -> Answer:
    return Answer(shown(world, load(world, "dispute", call.path_params["id"], "id"), given.get("expand")))


def listed(world: World, call: Call, given: dict[str, Any]) -> Answer:
    of = given.get("payment_intent")
    if of is not None:
        load(world, "payment_intent", of, "payment_intent")
    found = world.all("stripe.dispute", under=of, newest_first=True)
    return page(world, "/v1/disputes", [d for d in found if given.get("charge") in (None, d["charge"])], given)


def _must_be(dispute: Document, *statuses: str) -> None:
    if dispute["status"] not in statuses:
        raise ValueError(f"{dispute['id']} is {dispute['status']}")


def _closed(world: World, dispute: Document, status: str) -> Document:
    dispute = save(world, dispute | {"status": status})
    announce(world, "charge.dispute.closed", dispute)
    return dispute


def _move(world: World, dispute: Document, amount: int) -> Document:
    """The bank takes the money (negative), or gives it back."""
    intent = load(world, "payment_intent", dispute["payment_intent"], "payment_intent")
    taken = amount < 0
    world.count("dispute_withdrawn" if taken else "dispute_returned", order_of(intent), dispute["id"], abs(amount))
    at = stamp(world, intent["customer"])
    fee = FEE if taken else 0
    detail = {"amount": fee, "application": None, "currency": dispute["currency"], "description": "Dispute fee"}
    moved = {
        "id": new_id("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": at,
        "balance_type": "payments",
        "created": at,
        "currency": dispute["currency"],
        "description": f"Chargeback {'withdrawal' if taken else 'reversal'} for {dispute['charge']}",
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail | {"type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": "dispute" if taken else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }
    return save(world, dispute | {"balance_transactions": [*dispute["balance_transactions"], moved]})
