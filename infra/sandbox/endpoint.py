"""How a vendor's endpoint meets the world: faults before, one transaction, faults after.

    def buy(world: World, call: Call) -> Answer:
        …                     # read and write documents; raise Problem(Answer(…)) to undo them and answer so
        return Answer(doc, status=201)

    Route("/shippo/transactions", endpoint(world, "shippo", "buy", buy, failure=shippo_failure), methods=["POST"])

`failure(status) -> Answer` is the vendor's own format for 429, 500 and 503. What `handler` returns is committed
together with its documents, whatever its status; what it raises undoes them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from infra.sandbox import faults
from infra.sandbox.faults import Fault, Provider
from infra.sandbox.world import World


@dataclass(frozen=True)
class Answer:
    """What a vendor says: `body` is JSON (or text, as it is)."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"

    def response(self) -> Response:
        content = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return Response(content, self.status, dict(self.headers), self.media_type)


class Problem(Exception):
    """Raised by a handler: nothing happened, and this is the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Call:
    """One request, read completely."""

    operation: str
    method: str
    path: str
    path_params: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    body: bytes
    fault: Fault | None = None
    """The fault that will strike after the effect (a vendor that saves its answers may save the failure)."""

    def form(self) -> list[tuple[str, str]]:
        """Form fields of the body, in their order."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def args(self) -> list[tuple[str, str]]:
        """Fields of the query string, in their order."""
        return parse_qsl(self.query, keep_blank_values=True)

    def json(self) -> Any:
        return json.loads(self.body or b"null")


Handler = Callable[[World, Call], Answer]
Failure = Callable[[int], Answer]


def endpoint(
    world: World, provider: Provider, operation: str, handler: Handler, *, failure: Failure
) -> Callable[[Request], Awaitable[Response]]:
    """An ASGI endpoint for one operation of a vendor (its name is what faults are asked by)."""

    async def answer(request: Request) -> Response:
        call = await read(request, operation)
        world.requests.append(_record(provider, call))
        fault = faults.strike(world, provider, operation, _text(call), list(_ids(call)))
        match fault.mode if fault else None:
            case "refuse_connection":
                return await hang_up(request)
            case "error":
                return failure(503).response()
            case "rate_limit":
                return failure(429).response()
        result = perform(world, call, handler, fault)
        match fault.mode if fault else None:
            case "lose_answer":
                return await hang_up(request)
            case "error_after" | "error_kept":
                return failure(500).response()
            case "delay":
                await asyncio.sleep(fault.seconds if fault else 0)
        return result.response()

    return answer


def perform(world: World, call: Call, handler: Handler, fault: Fault | None = None) -> Answer:
    """The effect: one transaction."""
    try:
        with world.transaction():
            return handler(world, replace(call, fault=fault))
    except Problem as problem:
        return problem.answer


async def read(request: Request, operation: str) -> Call:
    return Call(
        operation=operation,
        method=request.method,
        path=request.url.path,
        path_params=request.path_params,
        query=request.url.query,
        headers=request.headers,
        body=await request.body(),
    )


async def hang_up(request: Request) -> Response:
    """Closes the TCP connection without a word. What is returned reaches nobody."""
    request.scope["hang_up"]()
    await asyncio.sleep(0.01)  # lets the server notice that the client is gone
    return Response(status_code=500)


def _record(provider: str, call: Call) -> dict[str, Any]:
    kept = {
        name: call.headers[name]
        for name in ("content-type", "idempotency-key", "stripe-version")
        if name in call.headers
    }
    body = call.body.decode("utf-8", "replace")
    return {
        "provider": provider,
        "operation": call.operation,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "headers": kept,
        "body": body,
    }


def _text(call: Call) -> str:
    return " ".join(
        (
            call.path,
            unquote_plus(call.query),
            call.body.decode("utf-8", "replace"),
            unquote_plus(call.body.decode("utf-8", "replace")),
        )
    )


def _ids(call: Call) -> Iterator[str]:
    """Whatever may be an id of a document in this call."""
    yield from call.path_params.values()
    yield from (value for _, value in call.args())
    if "json" in call.headers.get("content-type", ""):
        try:
            body = call.json()
        except ValueError:
            return
        yield from (value for value in body.values() if isinstance(value, str)) if isinstance(body, dict) else ()
    else:
        yield from (value for _, value in call.form())
