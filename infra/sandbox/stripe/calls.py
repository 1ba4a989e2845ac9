"""What every call of Stripe's API goes through: key, version, idempotency, parameters."""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.routing import Route

from infra.sandbox import params
from infra.sandbox.endpoint import Answer, Call, Problem, endpoint
from infra.sandbox.params import Field, Invalid
from infra.sandbox.stripe.errors import Refusal, error, failure, invalid
from infra.sandbox.stripe.objects import VERSION, clock_of, new_id
from infra.sandbox.world import Document, World

Given = dict[str, Any]
Do = Callable[[World, Call, Given], Answer]
KEPT_FOR = 24 * 3600


def operation(world: World, method: str, path: str, name: str, declared: Mapping[str, Field], do: Do) -> Route:
    """A route of the API: `name` is what faults are asked by."""

    def handle(world: World, call: Call) -> Answer:
        _admit(call)
        key = call.headers.get("idempotency-key") if method == "POST" else None
        fingerprint = hashlib.sha256(f"{call.path}\n".encode() + call.body).hexdigest()
        kept = _kept(world, key, fingerprint) if key else None
        if kept is not None:
            return kept
        given = _parameters(call, declared)
        kept_error = call.fault is not None and call.fault.mode == "error_kept"
        answer = failure(500) if kept_error else _execute(world, call, given, do)
        if key:
            _keep(world, call, key, fingerprint, answer)
        return Answer(answer.body, answer.status, {"Request-Id": new_id("req_"), "Stripe-Version": VERSION})

    return Route(f"/stripe{path}", endpoint(world, "stripe", name, handle, failure=failure), methods=[method])


def _execute(world: World, call: Call, given: Given, do: Do) -> Answer:
    try:
        with world.transaction():
            return do(world, call, given)
    except Refusal as refusal:
        return refusal.answer


def _admit(call: Call) -> None:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        value = base64.b64decode(value + "===").decode("utf-8", "replace").partition(":")[0]
    if not value.startswith(("sk_", "rk_")):
        raise Problem(error(401, "Invalid API Key provided."))
    version = call.headers.get("stripe-version", VERSION)
    if version != VERSION:
        raise Problem(error(400, f"This sandbox speaks {VERSION} only, not {version}."))
    if len(call.headers.get("idempotency-key", "")) > 255:
        raise Problem(error(400, "Idempotency keys must be at most 255 characters.", type="idempotency_error"))


def _parameters(call: Call, declared: Mapping[str, Field]) -> Given:
    try:
        given = params.check(declared, params.nested(call.args() if call.method == "GET" else call.form()), text=True)
    except Invalid as wrong:
        raise invalid(wrong) from None
    for name, value in given.get("metadata", {}).items():
        if len(name) > 40 or len(value) > 500 or len(given["metadata"]) > 50:
            raise Problem(error(400, "Metadata: 50 keys of 40 characters with 500 each.", param="metadata"))
    return given


def _kept(world: World, key: str, fingerprint: str) -> Answer | None:
    kept = world.get("stripe.key", key)
    if kept is None or world.now(kept["clock"]).timestamp() - kept["at"] > KEPT_FOR:
        return None
    if kept["fingerprint"] != fingerprint:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        raise Problem(error(400, message, type="idempotency_error"))
    if kept["busy_until"] > time.time():
        message = "There is currently another in-progress request using this Idempotency Key."
        raise Problem(error(409, message, type="idempotency_error", code="idempotency_key_in_use"))
    return Answer(kept["body"], kept["status"], {"Idempotent-Replayed": "true", "Request-Id": new_id("req_")})


def _keep(world: World, call: Call, key: str, fingerprint: str, answer: Answer) -> None:
    mode = call.fault.mode if call.fault else None
    # An internal error that came while executing is the saved result, as with the vendor: the same key repeats it.
    saved = failure(500) if mode == "error_after" else answer
    clock = clock_of(world, _customer(answer.body))
    doc: Document = {
        "fingerprint": fingerprint,
        "status": saved.status,
        "body": saved.body,
        "clock": clock,
        "at": world.now(clock).timestamp(),
        "busy_until": time.time() + call.fault.seconds if call.fault and mode == "delay" else 0,
    }
    world.put("stripe.key", key, doc)


def _customer(body: Any) -> str | None:
    """Whose call this was, from its answer."""
    subject = body.get("error", {}).get("payment_intent") or body
    if subject.get("object") == "customer":
        return str(subject["id"])
    customer = subject.get("customer")
    return customer if isinstance(customer, str) else None
