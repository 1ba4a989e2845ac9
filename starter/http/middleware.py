"""What surrounds every request: limits to its body, one line in the log, a number, and no trace of values on a bug."""

import asyncio
import re
import time
from ipaddress import ip_address
from secrets import token_hex

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from activities.intake.fields import ID
from starter.http.metrics import REQUEST, Metrics, method, route
from starter.http.problems import Refusal

LARGEST_BODY = 1024 * 1024
BODY_SECONDS = 20
"""From the request's head to the last byte: senders of webhooks give up sooner."""
GONE = 499
"""No answer: the caller broke off. Proxies count it under this number."""
QUIET = ("/healthz", "/readyz", "/metrics")

log = get_logger(__name__)


class Middleware:
    """The outermost layer of ours."""

    def __init__(self, app: ASGIApp, numbers: Metrics) -> None:
        self.app = app
        self.numbers = numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        REQUEST.set(scope)
        begun, request_id, status = time.perf_counter(), token_hex(8), 0
        body = Body(scope, receive)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # what is refused before it has come is not waited for
                ends = [] if body.whole else [(b"connection", b"close")]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *ends]
            await send(message)

        with bound_contextvars(request_id=request_id, client=client_of(scope), **order_of(scope)):
            try:
                await self.app(scope, body.receive, sending)
            except ClientDisconnect:
                status = status or GONE
            except Exception:
                # what the exception says may quote the body: the log keeps types and places only
                log.exception("bug")
                if not status:
                    refusal = Refusal(500, f"this is a bug: report it with the request id {request_id}")
                    await refusal.answer()(scope, body.receive, sending)
            self.count(scope, status, time.perf_counter() - begun)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        verb, path = method(scope), route(scope)
        self.numbers.requests.labels(verb, path, str(status)).inc()
        self.numbers.seconds.labels(verb, path).observe(seconds)
        if path not in QUIET:
            known = order_of(scope) | key_of(scope)
            log.info("answered", method=verb, route=path, status=status, ms=round(seconds * 1000), **known)


def order_of(scope: Scope) -> dict[str, str]:
    """Known once the request was routed."""
    order_id = scope.get("path_params", {}).get("order_id", "")
    # what is no id may be what somebody typed about somebody
    return {"order_id": order_id} if re.fullmatch(ID, order_id) else {}


def key_of(scope: Scope) -> dict[str, str]:
    """By the name that it was given, never the key itself."""
    caller = scope.get("state", {}).get("caller")
    return {"key": caller.name} if caller else {}


def client_of(scope: Scope) -> str:
    """The caller's address, or what a trusted proxy says it is: no other text gets into the log this way."""
    try:
        return str(ip_address((scope.get("client") or ("",))[0]))
    except ValueError:
        return "unknown"


class Body:
    """What comes in, counted and timed: a length that is announced may be a lie, or missing, and a sender may stop."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = dict(scope["headers"])
        self.whole = headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers
        self.source, self.taken = receive, 0
        self.until = asyncio.get_running_loop().time() + BODY_SECONDS

    async def receive(self) -> Message:
        if self.whole:  # what comes now is that the caller has gone
            return await self.source()
        try:
            async with asyncio.timeout_at(self.until):
                message = await self.source()
        except TimeoutError:
            raise HTTPException(408, f"a body must come within {BODY_SECONDS} seconds") from None
        self.taken += len(message.get("body", b""))
        if self.taken > LARGEST_BODY:
            raise HTTPException(413, f"a body may have {LARGEST_BODY} bytes")
        self.whole = not message.get("more_body", False)
        return message
