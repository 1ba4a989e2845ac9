"""`/mailbox`: what customers have received, emails and text messages, newest first."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from infra.sandbox.control import control
from infra.sandbox.mail import page
from infra.sandbox.world import Document, World

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MOST = 500


def letters(world: World, order_id: str | None = None) -> list[Document]:
    """Emails and text messages in one shape, newest first."""
    found = [_email(doc) for doc in world.all("mail")] + [_sms(doc) for doc in world.all("sms")]
    wanted = [letter for letter in found if not order_id or letter["order_id"] == order_id]
    return sorted(wanted, key=lambda letter: letter["at"], reverse=True)


def _email(mail: Document) -> Document:
    shared = {name: mail[name] for name in ("id", "from", "subject", "text", "order_id", "copies", "at", "message_id")}
    return {"channel": "email", "to": ", ".join(mail["to"]), "status": "delivered", "code": None, **shared}


def _sms(kept: Document) -> Document:
    doc = kept["message"]
    return {
        "channel": "sms",
        "id": doc["sid"],
        "from": kept["sender"],
        "to": doc["to"],
        "subject": "",
        "text": doc["body"],
        "order_id": kept["order_id"],
        "copies": 1,
        "status": doc["status"],
        "code": doc["error_code"],
        "at": kept["at"],
    }


def routes(world: World) -> list[Route]:
    def box(request: Request) -> HTMLResponse:
        order_id = request.query_params.get("order_id", "").strip()
        found = letters(world, order_id)
        return HTMLResponse(page.mailbox(found[:MOST], order_id, len(found)), headers=HEADERS)

    def letter(request: Request) -> HTMLResponse:
        wanted = request.path_params["id"]
        found = next((each for each in letters(world) if each["id"] == wanted), None)
        if found is None:
            return HTMLResponse(page.nothing(), 404, headers=HEADERS)
        return HTMLResponse(page.letter(found), headers=HEADERS)

    def answer(world: World, request: Request, given: Any) -> Any:
        return {"messages": letters(world, request.query_params.get("order_id"))}

    return [
        Route("/mailbox", _on_the_loop(box)),
        Route("/mailbox/{id}", _on_the_loop(letter)),
        Route("/_sandbox/mailbox", control(world, answer), methods=["GET"]),
    ]


def _on_the_loop(answer: Any) -> Any:
    """Starlette runs plain functions in threads; the world has only one."""

    async def endpoint(request: Request) -> HTMLResponse:
        response: HTMLResponse = answer(request)
        return response

    return endpoint
