"""The end of a hold: captured (once, or several times), voided, or lapsed."""

from typing import Any

from infra.sandbox import clock
from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.stripe import constants
from infra.sandbox.stripe.cards import CARDS
from infra.sandbox.stripe.disputes import open_dispute
from infra.sandbox.stripe.errors import refuse, wrong_state
from infra.sandbox.stripe.events import announce
from infra.sandbox.stripe.objects import changed, load, new_id, order_of, save, shown, stamp
from infra.sandbox.world import Document, World

Given = dict[str, Any]
MOST_CAPTURES = 50
CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")


def capture(world: World, call: Call, given: Given) -> Answer:
    intent = load(world, "payment_intent", call.path_params["id"], "intent")
    if intent["status"] != "requires_capture":
        raise wrong_state("captured", intent, "requires_capture")
    amount: int = given["amount_to_capture"] if "amount_to_capture" in given else intent["amount_capturable"]
    final: bool = given.get("final_capture", True)
    if amount > intent["amount_capturable"]:
        message = f"The amount to capture must not exceed the {intent['amount_capturable']} that can be captured."
        more = {"code": "amount_too_large", "param": "amount_to_capture", "payment_intent": shown(world, intent)}
        raise refuse(400, message, **more)
    if amount == 0 and not (final and intent["amount_received"]):
        message = "This value must be greater than or equal to 1."
        raise refuse(400, message, code="parameter_invalid_integer", param="amount_to_capture")
    if not final and not multicapture(world, intent):
        message = "`final_capture` cannot be false: multicapture is not available for this PaymentIntent."
        raise refuse(400, message, param="final_capture")
    if intent["_captures"] >= MOST_CAPTURES:
        raise refuse(400, f"A PaymentIntent can be captured at most {MOST_CAPTURES} times.")
    intent = intent | {"metadata": changed(intent["metadata"], given.get("metadata", {}))}
    if not amount:
        world.count("void", order_of(intent), intent["id"], intent["amount_capturable"])
    intent = take(world, intent, amount, final=final, key=call.headers.get("idempotency-key"))
    return Answer(shown(world, intent, given.get("expand")))


def multicapture(world: World, intent: Document) -> bool:
    charge = load(world, "charge", intent["latest_charge"], "charge")
    return bool(charge["payment_method_details"]["card"]["multicapture"]["status"] == "available")


def take(world: World, intent: Document, amount: int, *, final: bool, key: str | None) -> Document:
    """Moves money; when final, the rest of the hold goes back."""
    rest = intent["amount_capturable"] - amount
    done = final or rest == 0
    charge = load(world, "charge", intent["latest_charge"], "charge")
    first = intent["amount_received"] == 0
    charge = save(
        world,
        charge
        | {
            "amount_captured": charge["amount_captured"] + amount,
            "balance_transaction": charge["balance_transaction"] or new_id("txn_"),
            "captured": done,
        },
    )
    intent = save(
        world,
        intent
        | {
            "amount_received": intent["amount_received"] + amount,
            "amount_capturable": 0 if done else rest,
            "status": "succeeded" if done else "requires_capture",
            "_captures": intent["_captures"] + 1,
        },
    )
    if amount:
        world.count("capture", order_of(intent), intent["id"], amount)
    if intent["capture_method"] == "manual":
        announce(world, "payment_intent.amount_capturable_updated", intent, key)
    if done:
        announce(world, "charge.captured" if intent["capture_method"] == "manual" else "charge.succeeded", charge, key)
        announce(world, "payment_intent.succeeded", intent, key)
    if done and rest and not multicapture(world, intent):
        release(world, intent, rest, key)
    how = CARDS[charge["_card"]].disputed
    if first and how:
        open_dispute(world, intent, reason=how, inquiry=how == "general")
    return intent


def release(world: World, intent: Document, amount: int, key: str | None = None) -> None:
    """Stripe books what it gives back of a hold as a refund of the charge, though no money moved."""
    charge = load(world, "charge", intent["latest_charge"], "charge")
    refunded = charge["amount_refunded"] + amount
    charge = save(world, charge | {"amount_refunded": refunded, "refunded": refunded == charge["amount"]})
    save(world, new_refund(world, intent, amount, "succeeded", moved=False), under=intent["id"])
    announce(world, "charge.refunded", charge, key)


def new_refund(world: World, intent: Document, amount: int, status: str, *, moved: bool = True) -> Document:
    return {
        **constants.REFUND,
        "id": new_id("re_"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn_") if moved and status == "succeeded" else None,
        "charge": intent["latest_charge"],
        "created": stamp(world, intent["customer"]),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "destination_details": {"card": {"type": "refund" if moved else "reversal"}, "type": "card"},
        "metadata": {},
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def cancel(world: World, call: Call, given: Given) -> Answer:
    intent = load(world, "payment_intent", call.path_params["id"], "intent")
    if intent["status"] not in CANCELABLE:
        raise wrong_state("canceled", intent, ", ".join(CANCELABLE))
    if intent["amount_received"]:
        # The vendor documents a capture of 0 with final_capture for this, and nothing else: so it is the only way here.
        message = "This PaymentIntent was captured in part. Capture 0 with `final_capture` to release the rest."
        more = {"code": "payment_intent_unexpected_state", "payment_intent": shown(world, intent)}
        raise refuse(400, message, **more)
    reason = given.get("cancellation_reason")
    ended = end(world, intent, reason, "void", call.headers.get("idempotency-key"))
    return Answer(shown(world, ended, given.get("expand")))


def end(world: World, intent: Document, reason: str | None, effect: Any, key: str | None) -> Document:
    """Canceled: what was held goes back."""
    held = intent["amount_capturable"]
    changes = {"status": "canceled", "amount_capturable": 0, "next_action": None, "cancellation_reason": reason}
    intent = save(world, intent | changes | {"canceled_at": stamp(world, intent["customer"])})
    if held:
        world.count(effect, order_of(intent), intent["id"], held)
        release(world, intent, held, key)
    announce(world, "payment_intent.canceled", intent, key)
    return intent


@clock.action("stripe.expire")
def expire(world: World, subject: Document) -> None:
    """The bank no longer holds the money."""
    intent = world.get("stripe.payment_intent", subject["intent"])
    if intent is None or intent["status"] != "requires_capture" or intent["latest_charge"] != subject["charge"]:
        return
    if not intent["amount_received"]:
        end(world, intent, "automatic", "expiry", None)
        return
    rest = intent["amount_capturable"]
    world.count("expiry", order_of(intent), intent["id"], rest)
    take(world, intent, 0, final=True, key=None)
