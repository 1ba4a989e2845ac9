"""What a warehouse is asked: signed requests, known by their fulfillment, done once."""

from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from infra.sandbox.endpoint import Answer, Call, Handler, Problem
from infra.sandbox.params import Field, Invalid, check
from infra.sandbox.warehouse import fulfillments
from infra.sandbox.world import Document, World

ID = Field(required=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
NEEDED, OPTIONAL = Field(required=True), Field()
ADDRESS = {
    "name": NEEDED,
    "street1": NEEDED,
    "street2": OPTIONAL,
    "city": NEEDED,
    "state": OPTIONAL,
    "zip": NEEDED,
    "country": Field(required=True, pattern=r"^[A-Z]{2}\Z"),
    "email": OPTIONAL,
    "phone": OPTIONAL,
}
LINE = {"sku": NEEDED, "quantity": Field("integer", required=True, minimum=1)}
REQUEST = {
    "fulfillment_id": Field(required=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z"),
    "order_id": ID,
    "location": ID,
    "lines": Field("array", required=True, items=Field("object", fields=LINE)),
    "ship_to": Field("object", nullable=True, fields=ADDRESS),
    "pickup": Field("object", nullable=True, fields={"name": NEEDED}),
}
PARCEL = {
    "tracking_number": NEEDED,
    "carrier": NEEDED,
    "label_url": NEEDED,
    "contents": Field("array", nullable=True, items=Field("object", fields=LINE)),
}
RELEASE = {"parcels": Field("array", required=True, items=Field("object", fields=PARCEL))}
CANCEL: dict[str, Field] = {}


def failure(status: int) -> Answer:
    return Answer({"error": {429: "too many calls", 503: "closed for a moment"}.get(status, "broken")}, status)


def signed(handler: Handler) -> Handler:
    """Lets only calls through that our secret signed, byte for byte."""

    def answer(world: World, call: Call) -> Answer:
        try:
            Webhook(world.credentials.warehouse_secret).verify(call.body, dict(call.headers), json_parse=False)
        except (
            WebhookVerificationError,
            ValueError,
        ):  # ValueError: a signature that is no base64, a body that is no text
            raise Problem(Answer({"error": "signature"}, 401)) from None
        return handler(world, call)

    return answer


def request(world: World, call: Call) -> Answer:
    given = _body(call, REQUEST)
    if not given["lines"]:
        raise _wrong("lines", "missing")
    if bool(given.get("ship_to")) == bool(given.get("pickup")):
        raise _wrong("ship_to", "or pickup, one of them")
    known = world.get(fulfillments.KIND, given["fulfillment_id"])
    if known is None:
        fulfillments.take(world, given)
        return Answer({"fulfillment_id": given["fulfillment_id"]}, 202)
    return _known(known["request"] == given)


def release(world: World, call: Call) -> Answer:
    """Hand it over, with these labels."""
    given = _body(call, RELEASE)
    doc = _found(world, call)
    if doc["released"] is not None:
        return _known(doc["released"] == given["parcels"])
    if doc["status"] in fulfillments.OVER:
        raise Problem(Answer({"error": f"the fulfillment is {doc['status']}"}, 409))
    fulfillments.release(world, doc, given["parcels"])
    return Answer({"fulfillment_id": doc["id"]}, 202)


def cancel(world: World, call: Call) -> Answer:
    """Stop it if you can: the answer is a webhook."""
    _body(call, CANCEL)
    doc = _found(world, call)
    if doc["recalled"]:
        return _known(True)
    fulfillments.recall(world, doc)
    return Answer({"fulfillment_id": doc["id"]}, 202)


def _body(call: Call, declared: Mapping[str, Field]) -> dict[str, Any]:
    try:
        given = call.json()
    except ValueError:
        raise _wrong("", "not JSON") from None
    if not isinstance(given, dict):
        raise _wrong("", "not an object")
    try:
        return check(declared, given, text=False)
    except Invalid as invalid:
        raise _wrong(invalid.name, invalid.reason) from None


def _found(world: World, call: Call) -> Document:
    doc = world.get(fulfillments.KIND, call.path_params["id"])
    if doc is None:
        raise Problem(Answer({"error": "unknown fulfillment"}, 404))
    return doc


def _known(same: bool) -> Answer:
    if same:
        return Answer({"known": True})
    raise Problem(Answer({"error": "known with other content"}, 409))


def _wrong(field: str, reason: str) -> Problem:
    return Problem(Answer({"error": reason, "field": field}, 422))
