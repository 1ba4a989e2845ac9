"""Payment intents that others make: a shop's own page, in our account or in another's."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from infra.sandbox.endpoint import Problem
from infra.sandbox.stripe import capture, confirmation, customers, intents, limits
from infra.sandbox.stripe.errors import Refusal
from infra.sandbox.stripe.objects import load, shown
from infra.sandbox.world import Document, World

Status = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
    "succeeded",
    "canceled",
]
OTHER_ACCOUNT = "acct_of_another_shop"


class Checkout(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: int = Field(ge=1)
    currency: str = "usd"
    capture_method: Literal["manual", "automatic", "automatic_async"] = "manual"
    status: Status = "requires_capture"
    payment_method: str | None = None
    """Left out: none, or a good card, or one that asks for 3-D Secure: as the status needs it."""
    customer: str | None = None
    """`new` makes one."""
    setup_future_usage: Literal["off_session", "on_session"] | None = None
    """With a customer: the card is saved, and good again later."""
    multicapture: bool = False
    next_action: Literal["use_stripe_sdk", "redirect_to_url"] = "use_stripe_sdk"
    metadata: dict[str, str] = {}
    account: Literal["ours", "other"] = "ours"


def check_out(world: World, request: Request, given: Any) -> Document:
    """POST /_sandbox/stripe/checkout"""
    wanted = Checkout.model_validate(given)
    try:
        with world.transaction(), world.elsewhere():
            return shown(world, _made(world, wanted))
    except (Refusal, Problem) as refused:
        raise ValueError(refused.answer.body["error"]["message"]) from None


def _made(world: World, wanted: Checkout) -> Document:
    limits.check(wanted.amount, wanted.currency)
    customer = customers.make(world, {})["id"] if wanted.customer == "new" else wanted.customer
    if customer is not None:
        load(world, "customer", customer, "customer")
    method = wanted.payment_method or _usual(wanted.status)
    redirects = wanted.next_action == "redirect_to_url"
    given = wanted.model_dump(include={"amount", "currency", "capture_method", "setup_future_usage", "metadata"})
    given |= {
        "customer": customer,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "always" if redirects else "never"},
        "payment_method_options": {"card": {"request_multicapture": "if_available"}} if wanted.multicapture else {},
    }
    intent = intents.make(world, given, customers.usable(world, method, customer) if method else None)
    if wanted.account == "other":
        intent = world.put("stripe.payment_intent", intent["id"], intent | {"_account": OTHER_ACCOUNT})
    if method and wanted.status != "requires_confirmation":
        confirmation.confirmed(world, intent, {"return_url": "https://shop.example/back"} if redirects else {}, None)
        intent = world.get("stripe.payment_intent", intent["id"]) or intent
    if wanted.status == "succeeded" and intent["status"] == "requires_capture":
        intent = capture.take(world, intent, intent["amount"], final=True, key=None)
    if wanted.status == "canceled":
        intent = capture.end(world, intent, "abandoned", "void", None)
    if intent["status"] != wanted.status:
        raise ValueError(f"with {method} and {wanted.capture_method} capture it is {intent['status']}")
    return intent


def _usual(status: Status) -> str | None:
    return {"requires_payment_method": None, "requires_action": "pm_card_authenticationRequired"}.get(
        status, "pm_card_visa"
    )
