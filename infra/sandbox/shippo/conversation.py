"""How Shippo talks: tokens, strict JSON bodies, its errors, its instants."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.sandbox.endpoint import Answer, Call, Handler, Problem
from infra.sandbox.params import Field, Invalid, check
from infra.sandbox.world import Document, World

CLOCK = "shippo"
"""Shippo's own clock: set it forward like a customer's, and rates grow old."""
REVOKED = "invalid"
"""What a token that was withdrawn has in its name."""
DETAIL = {429: "Request was throttled.", 500: "A server error occurred.", 503: "Service temporarily unavailable."}


def failure(status: int) -> Answer:
    return Answer({"detail": DETAIL[status]}, status)


def refused(status: int, detail: Any) -> Problem:
    return Problem(Answer(detail if isinstance(detail, dict) else {"detail": detail}, status))


def speaking(handler: Handler) -> Handler:
    """Checks the token, and answers wrong parameters as Shippo does."""

    def answer(world: World, call: Call) -> Answer:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme != "ShippoToken" or not token.strip():
            raise refused(401, "Authentication credentials were not provided.")
        if REVOKED in token:
            raise refused(401, "Invalid token")
        try:
            return handler(world, call)
        except Invalid as wrong:
            raise refused(400, _named(wrong)) from None

    return answer


def body(call: Call, declared: Mapping[str, Field]) -> dict[str, Any]:
    """The JSON body, each parameter as declared."""
    if call.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise refused(415, "Unsupported media type in request.")
    try:
        given = call.json()
    except ValueError:
        raise refused(400, "JSON parse error") from None
    if not isinstance(given, dict):
        raise refused(400, {"__all__": ["Invalid data. Expected a dictionary."]})
    return check(declared, given, text=False)


def args(call: Call, declared: Mapping[str, Field]) -> dict[str, Any]:
    return check(declared, dict(call.args()), text=True)


def found(world: World, kind: str, id: str) -> Document:
    """The document an URL names, or Shippo's 404."""
    doc = world.get(kind, id)
    if doc is None:
        raise refused(404, "Not found.")
    return doc


def written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def order_of(reference: str | None) -> str:
    """Our order id: metadata is `{order_id} {fulfillment_id}/{parcel}`."""
    return (reference or "").split(" ", 1)[0]


def _named(wrong: Invalid) -> dict[str, Any]:
    """`address_to[zip]` is told as `{"address_to": {"zip": ["…"]}}`."""
    problems: Any = [_said(wrong)]
    for key in reversed(wrong.name.replace("]", "").split("[")):
        problems = [problems] if key.isdigit() else {key: problems}
    return dict(problems)


def _said(wrong: Invalid) -> str:
    match wrong.reason:
        case "unknown":
            return "Unknown field."
        case "missing":
            return "This field is required."
        case "enum":
            return "Invalid choice."
        case "length":
            return "Ensure this field has no more characters than allowed."
        case _:
            return f"A valid {wrong.expected.type if wrong.expected else 'value'} is required."
