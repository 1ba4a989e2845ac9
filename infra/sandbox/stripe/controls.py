"""What the customer or the bank does, on demand: the 3-D Secure page and the control API's part for Stripe."""

from html import escape
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.sandbox.control import control
from infra.sandbox.stripe import capture, confirmation, dashboard, disputes, events, refunds
from infra.sandbox.stripe.cards import card_named
from infra.sandbox.stripe.checkout import check_out
from infra.sandbox.stripe.objects import load, save, shown
from infra.sandbox.world import Document, World

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>3-D Secure</title>
<style>body{{font:16px/1.5 system-ui;max-width:30rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>3-D Secure</h1><p>{text}</p>{form}</html>"""
FORM = """<form method="post"><button name="outcome" value="pass">Yes, it is me</button>
<button name="outcome" value="fail">No</button></form>"""


class Dispute(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: int | None = None
    reason: str = "fraudulent"
    inquiry: bool = False
    due_in_days: int = Field(default=disputes.DUE_IN_DAYS, ge=0)


class Award(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: int | None = None


class Events(BaseModel):
    model_config = ConfigDict(extra="forbid")
    keep: bool | None = None
    send: list[str] = []


class Becomes(BaseModel):
    model_config = ConfigDict(extra="forbid")
    card: str


def happen(world: World, request: Request, given: Any) -> Document:
    """POST /_sandbox/stripe/{intent}/{happening}"""
    id = request.path_params["intent"]
    with world.transaction():
        intent = world.get("stripe.payment_intent", id)
        if intent is None:
            raise KeyError(id)
        match request.path_params["happening"]:
            case "authenticate":
                intent = confirmation.authenticated(world, intent, passed=True)
            case "fail_authentication":
                intent = confirmation.authenticated(world, intent, passed=False)
            case "expire":
                capture.expire(world, {"intent": id, "charge": intent["latest_charge"]})
            case "dispute":
                wanted = Dispute.model_validate(given)
                return shown(world, disputes.open_dispute(world, intent, **wanted.model_dump()))
            case "becomes":
                _become(world, intent, Becomes.model_validate(given).card)
            case "capture" | "cancel" | "refund" as word:
                return dashboard.move(world, id, word, given)
            case other:
                raise KeyError(other)
        return shown(world, world.get("stripe.payment_intent", id) or intent)


def _become(world: World, intent: Document, name: str) -> None:
    """From now on the card that paid, or was to pay, behaves like another."""
    card, charge = card_named(name), world.get("stripe.charge", intent["latest_charge"] or "")
    if card is None:
        raise KeyError(name)
    method = load(world, "payment_method", intent["payment_method"] or (charge or {})["payment_method"], "id")
    save(world, method | {"_card": card})


def move_dispute(world: World, request: Request, given: Any) -> Document:
    """POST /_sandbox/stripe/disputes/{dispute}/{respond|escalate|won|lost|warning_closed}"""
    amount = Award.model_validate(given).amount
    with world.transaction():
        return shown(world, disputes.move(world, request.path_params["dispute"], request.path_params["move"], amount))


def tell_events(world: World, request: Request, given: Any) -> None:
    """POST /_sandbox/stripe/{about}/events"""
    wanted, about = Events.model_validate(given), request.path_params["about"]
    with world.transaction():
        if wanted.keep:
            events.keep(world, about)
        events.resend(world, about, wanted.send)
        if wanted.keep is False:
            events.release(world, about)


def show_events(world: World, request: Request, given: Any) -> Any:
    """GET /_sandbox/stripe/{about}/events"""
    found = events.of(world, request.path_params["about"])
    return {"events": [shown(world, event) | {"sent": event["_sent"]} for event in found]}


def end_refund(world: World, request: Request, given: Any) -> Document:
    """POST /_sandbox/stripe/refunds/{refund}/{succeed|fail}"""
    id, end = request.path_params["refund"], request.path_params["end"]
    with world.transaction():
        refund = world.get("stripe.refund", id)
        if refund is None or end not in ("succeed", "fail"):
            raise KeyError(id if refund is None else end)
        return shown(world, refunds.finish(world, refund, passed=end == "succeed"))


def routes(world: World) -> list[Route]:
    async def authenticate(request: Request) -> Response:
        intent = world.get("stripe.payment_intent", request.path_params["intent"])
        if intent is None or intent["status"] != "requires_action":
            return HTMLResponse(PAGE.format(text="There is nothing to confirm here.", form=""), 404)
        if request.method == "GET":
            amount = f"{escape(intent['currency'].upper())} {intent['amount']} (minor units)"
            return HTMLResponse(PAGE.format(text=f"Your bank asks: is this payment yours? {amount}", form=FORM))
        passed = b"outcome=pass" in await request.body()
        with world.transaction():
            confirmation.authenticated(world, intent, passed=passed)
        back = (intent["next_action"] or {}).get("redirect_to_url", {}).get("return_url")
        if back:
            return RedirectResponse(back, 303)
        return HTMLResponse(PAGE.format(text="Thank you. You can close this page.", form=""))

    return [
        Route("/stripe/authenticate/{intent}", authenticate, methods=["GET", "POST"]),
        Route("/_sandbox/stripe/refunds/{refund}/{end}", control(world, end_refund), methods=["POST"]),
        Route("/_sandbox/stripe/disputes/{dispute}/{move}", control(world, move_dispute), methods=["POST"]),
        Route("/_sandbox/stripe/checkout", control(world, check_out), methods=["POST"]),
        Route("/_sandbox/stripe/{about}/events", control(world, tell_events), methods=["POST"]),
        Route("/_sandbox/stripe/{about}/events", control(world, show_events), methods=["GET"]),
        Route("/_sandbox/stripe/{intent}/{happening}", control(world, happen), methods=["POST"]),
    ]
