"""Money given back."""

from typing import Any

from infra.sandbox import clock
from infra.sandbox.endpoint import Answer, Call, Problem
from infra.sandbox.stripe import disputes
from infra.sandbox.stripe.capture import new_refund
from infra.sandbox.stripe.cards import CARDS
from infra.sandbox.stripe.errors import error, refuse
from infra.sandbox.stripe.events import announce
from infra.sandbox.stripe.objects import changed, load, new_id, order_of, page, refunded, save, shown
from infra.sandbox.world import Document, World

Given = dict[str, Any]


def create(world: World, call: Call, given: Given) -> Answer:
    intent, charge = _of(world, given)
    refundable = charge["amount_captured"] - refunded(world, intent)
    amount = given.get("amount", refundable)
    if disputes.charged_back(world, intent):
        raise refuse(400, "Charge has been charged back; cannot issue a refund.", code="charge_disputed")
    if not charge["amount_captured"]:
        raise refuse(
            400, "This PaymentIntent does not have a successful charge to refund.", code="charge_not_refundable"
        )
    if refundable <= 0:
        raise refuse(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount > refundable:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({refundable})"
        raise refuse(400, message, param="amount")
    pending = CARDS[charge["_card"]].refunds == "pend"
    refund = new_refund(world, intent, amount, "pending" if pending else "succeeded")
    refund |= {"metadata": changed({}, given.get("metadata", {})), "reason": given.get("reason")}
    save(world, refund, under=intent["id"])
    _charge_refunded(world, charge, amount)
    key = call.headers.get("idempotency-key")
    announce(world, "refund.created", refund, key)
    announce(world, "charge.refunded", load(world, "charge", charge["id"], "charge"), key)
    order_id = _order(world, refund)
    world.count("refund", order_id, refund["id"], amount)
    if CARDS[charge["_card"]].refunds != "succeed":
        subject = {"refund": refund["id"], "passed": pending}
        clock.schedule(world, "stripe.refund", subject, paces=2, order_id=order_id)
    return Answer(shown(world, refund, given.get("expand")))


def _of(world: World, given: Given) -> tuple[Document, Document]:
    if "payment_intent" in given:
        intent = load(world, "payment_intent", given["payment_intent"], "payment_intent")
    elif "charge" in given:
        of = load(world, "charge", given["charge"], "charge")["payment_intent"]
        intent = load(world, "payment_intent", of, "payment_intent")
    else:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise Problem(error(400, message, code="parameter_missing", param="payment_intent"))
    if intent["latest_charge"] is None:
        raise refuse(
            400, "This PaymentIntent does not have a successful charge to refund.", code="charge_not_refundable"
        )
    return intent, load(world, "charge", intent["latest_charge"], "charge")


def _charge_refunded(world: World, charge: Document, amount: int) -> None:
    total = charge["amount_refunded"] + amount
    whole = charge["captured"] and total >= charge["amount_captured"]
    save(world, charge | {"amount_refunded": total, "refunded": whole})


def _order(world: World, refund: Document) -> str:
    intent = load(world, "payment_intent", refund["payment_intent"], "payment_intent")
    return str(refund["metadata"].get("order_id") or order_of(intent))


def finish(world: World, refund: Document, *, passed: bool) -> Document:
    """The bank's last word on a refund."""
    if refund["status"] not in ("pending", "succeeded") or (passed and refund["status"] == "succeeded"):
        raise ValueError(f"{refund['id']} is {refund['status']}")
    if passed:
        refund = save(world, refund | {"status": "succeeded", "balance_transaction": new_id("txn_")})
        announce(world, "refund.updated", refund)
        return refund
    changes = {"status": "failed", "failure_reason": "unknown", "failure_balance_transaction": new_id("txn_")}
    refund = save(world, refund | changes)
    charge = load(world, "charge", refund["charge"], "charge")
    _charge_refunded(world, charge, -refund["amount"])
    world.count("refund_failed", _order(world, refund), refund["id"], refund["amount"])
    announce(world, "refund.failed", refund)
    return refund


@clock.action("stripe.refund")
def _finish_later(world: World, subject: Document) -> None:
    refund = world.get("stripe.refund", subject["refund"])
    if refund is not None and refund["status"] == ("pending" if subject["passed"] else "succeeded"):
        finish(world, refund, passed=subject["passed"])


def retrieve(world: World, call: Call, given: Given) -> Answer:
    return Answer(shown(world, load(world, "refund", call.path_params["id"], "id"), given.get("expand")))


def listed(world: World, call: Call, given: Given) -> Answer:
    of = given.get("payment_intent")
    if of is not None:
        load(world, "payment_intent", of, "payment_intent")
    found = world.all("stripe.refund", under=of, newest_first=True)
    return page(world, "/v1/refunds", [r for r in found if given.get("charge") in (None, r["charge"])], given)
