"""What the customer or the bank does, on demand: the 3-D Secure page and the control API's part for Stripe."""

from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.sandbox.control import control
from infra.sandbox.stripe import capture, confirmation, refunds
from infra.sandbox.stripe.objects import shown
from infra.sandbox.world import Document, World

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>3-D Secure</title>
<style>body{{font:16px/1.5 system-ui;max-width:30rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>3-D Secure</h1><p>{text}</p>{form}</html>"""
FORM = """<form method="post"><button name="outcome" value="pass">Yes, it is me</button>
<button name="outcome" value="fail">No</button></form>"""


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
                if not intent["amount_received"]:
                    raise ValueError(f"{id} has nothing captured")
                return shown(world, capture.dispute(world, intent))
            case other:
                raise KeyError(other)
        return shown(world, world.get("stripe.payment_intent", id) or intent)


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
        Route("/_sandbox/stripe/{intent}/{happening}", control(world, happen), methods=["POST"]),
    ]
