"""The bank's answer: declined, 3-D Secure first, or a hold on the customer's money."""

from datetime import timedelta
from typing import Any

from infra.sandbox import clock
from infra.sandbox.endpoint import Answer, Call, Problem
from infra.sandbox.stripe import capture, constants
from infra.sandbox.stripe.cards import CARDS, Card
from infra.sandbox.stripe.customers import NOBODY, keep, usable
from infra.sandbox.stripe.errors import error, wrong_state
from infra.sandbox.stripe.events import announce
from infra.sandbox.stripe.objects import clock_of, load, new_id, now, order_of, save, shown, stamp
from infra.sandbox.world import Document, World

Given = dict[str, Any]
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
BANK_WORDS = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
"""By decline code; of any other the bank says no more than that it declines."""
DECLINED = "Your card was declined."
HOLD = timedelta(days=7)
HOLD_OFF_SESSION = timedelta(days=4, hours=18)


def confirm(world: World, call: Call, given: Given) -> Answer:
    intent = load(world, "payment_intent", call.path_params["id"], "intent")
    return confirmed(world, intent, given, call.headers.get("idempotency-key"))


def confirmed(world: World, intent: Document, given: Given, key: str | None) -> Answer:
    """Asks the bank about an intent; the answer is the intent, or 402 with a card error."""
    if intent["status"] not in CONFIRMABLE:
        raise wrong_state("confirmed", intent, ", ".join(CONFIRMABLE))
    automatic = intent["automatic_payment_methods"] or {"allow_redirects": "always"}
    if not given.get("return_url") and not intent["_allowed"] and automatic["allow_redirects"] != "never":
        message = (
            "A `return_url` must be specified because this Payment Intent is configured to automatically accept the "
            "payment methods enabled in the Dashboard, some of which may require a full page redirect to succeed."
        )
        raise Problem(error(400, message, param="return_url"))
    if "payment_method" in given and given["payment_method"] != intent["payment_method"]:
        intent = intent | {"payment_method": usable(world, given["payment_method"], intent["customer"])["id"]}
    if intent["payment_method"] is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise Problem(error(400, message, code="payment_intent_unexpected_state"))
    copied = ("capture_method", "receipt_email", "setup_future_usage", "payment_method_options")
    intent = intent | {name: given[name] for name in copied if name in given}
    method = usable(world, intent["payment_method"], intent["customer"])
    card, off_session = CARDS[method["_card"]], bool(given.get("off_session"))
    challenged = card.challenge == "always" or (card.challenge == "until_saved" and method["customer"] is None)
    if card.code is not None:
        return _declined(world, intent, card.code, card.decline_code, key)
    if off_session and not card.off_session:
        return _declined(world, intent, "card_declined", "do_not_honor", key)
    if off_session and challenged:
        return _declined(world, intent, "authentication_required", "authentication_required", key)
    if challenged:
        return _challenged(world, intent, given, key)
    return Answer(shown(world, authorize(world, intent, off_session=off_session, key=key), given.get("expand")))


def _declined(world: World, intent: Document, code: str, decline_code: str | None, key: str | None) -> Answer:
    charge = _charge(world, intent, failure=code, reason=decline_code)
    method = load(world, "payment_method", intent["payment_method"], "payment_method")
    answer = error(
        402,
        charge["failure_message"],
        type="card_error",
        code=code,
        decline_code=decline_code,
        charge=charge["id"],
        payment_method=shown(world, method),
    )
    trouble = answer.body["error"]
    intent = save(
        world,
        intent
        | {
            "status": "requires_payment_method",
            "payment_method": None,
            "next_action": None,
            "latest_charge": charge["id"],
            "last_payment_error": dict(trouble),
        },
    )
    trouble["payment_intent"] = shown(world, intent)
    announce(world, "payment_intent.payment_failed", intent, key)
    return answer


def _challenged(world: World, intent: Document, given: Given, key: str | None) -> Answer:
    page = f"{world.url}/stripe/authenticate/{intent['id']}"
    if given.get("return_url"):
        action = {"url": page, "return_url": given["return_url"]}
        next_action: Document = {"type": "redirect_to_url", "redirect_to_url": action}
    else:
        sdk = {"type": "three_d_secure_redirect", "stripe_js": page, "source": new_id("src_")}
        next_action = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    intent = save(world, intent | {"status": "requires_action", "next_action": next_action, "last_payment_error": None})
    announce(world, "payment_intent.requires_action", intent, key)
    return Answer(shown(world, intent, given.get("expand")))


def authenticated(world: World, intent: Document, passed: bool) -> Document:
    """The customer came back from 3-D Secure."""
    if intent["status"] != "requires_action":
        raise ValueError(f"{intent['id']} is {intent['status']}")
    if passed:
        return authorize(world, intent, off_session=False, key=None)
    _declined(world, intent, "payment_intent_authentication_failure", None, None)
    return load(world, "payment_intent", intent["id"], "intent")


def authorize(world: World, intent: Document, *, off_session: bool, key: str | None) -> Document:
    """The bank holds the money; with automatic capture it is taken at once."""
    method = load(world, "payment_method", intent["payment_method"], "payment_method")
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        keep(world, method | {"_used": True}, intent["customer"])
    else:
        save(world, method | {"_used": True})
    hold = HOLD_OFF_SESSION if off_session and method["card"]["brand"] == "visa" else HOLD
    charge = _charge(world, intent, hold=hold)
    intent = save(
        world,
        intent
        | {
            "status": "requires_capture",
            "amount_capturable": intent["amount"],
            "latest_charge": charge["id"],
            "last_payment_error": None,
            "next_action": None,
        },
    )
    world.count("authorization", order_of(intent), intent["id"], intent["amount"])
    if intent["capture_method"] != "manual":
        with world.elsewhere():  # the vendor takes it by itself
            return capture.take(world, intent, intent["amount"], final=True, key=key)
    announce(world, "payment_intent.amount_capturable_updated", intent, key)
    clock.schedule(
        world,
        "stripe.expire",
        {"intent": intent["id"], "charge": charge["id"]},
        at=now(world, intent["customer"]) + hold,
        customer=clock_of(world, intent["customer"]),
    )
    return intent


def _charge(
    world: World,
    intent: Document,
    *,
    failure: str | None = None,
    reason: str | None = None,
    hold: timedelta | None = None,
) -> Document:
    method = load(world, "payment_method", intent["payment_method"], "payment_method")
    card: Card = CARDS[method["_card"]]
    asked = intent["payment_method_options"].get("card", {}).get("request_multicapture") == "if_available"
    before = int((now(world, intent["customer"]) + hold).timestamp()) if hold else None
    details = {
        **constants.CARD_DETAILS,
        **{name: method["card"][name] for name in ("brand", "last4", "exp_month", "exp_year", "country", "funding")},
        "amount_authorized": intent["amount"] if hold else None,
        "capture_before": before,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "multicapture": {"status": "available" if asked and card.multicapture else "unavailable"},
        "network": card.brand,
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "three_d_secure": None,
        "wallet": None,
    }
    charge: Document = {
        **constants.CHARGE,
        "id": new_id("ch_"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": NOBODY,
        "captured": False,
        "created": stamp(world, intent["customer"]),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": failure,
        "failure_message": BANK_WORDS.get(reason or failure, DECLINED) if failure else None,
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": {
            "network_status": "declined_by_network" if failure else "approved_by_network",
            "reason": reason,
            "type": "issuer_declined" if failure else "authorized",
        },
        "paid": failure is None,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"card": details, "type": "card"},
        "refunded": False,
        "status": "failed" if failure else "succeeded",
        "_card": method["_card"],
    }
    return save(world, charge, under=intent["id"])
