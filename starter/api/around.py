"""What surrounds every request: a limit to its body, one line in the log, a number, and no trace of values on a bug."""

import re
import time
from collections.abc import Awaitable, Callable
from secrets import token_hex

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from activities.fields import ID
from starter.api.numbers import REQUEST, Numbers, method, route
from starter.api.problems import Refusal

LARGEST_BODY = 1024 * 1024
QUIET = ("/healthz", "/readyz", "/metrics")

log = get_logger(__name__)


class Around:
    """The outermost layer of ours."""

    def __init__(self, app: ASGIApp, numbers: Numbers) -> None:
        self.app = app
        self.numbers = numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        REQUEST.set(scope)
        begun, request_id, status = time.perf_counter(), token_hex(8), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with bound_contextvars(request_id=request_id, **order_of(scope)):
            try:
                await self.app(scope, limited(scope, receive), sending)
            except Exception:
                # what the exception says may quote the body: the log keeps types and places only
                log.exception("bug")
                if not status:
                    refusal = Refusal(500, f"this is a bug: report it with the request id {request_id}")
                    await refusal.answer()(scope, receive, sending)
            self.count(scope, status, time.perf_counter() - begun)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        verb, path = method(scope), route(scope)
        self.numbers.requests.labels(verb, path, str(status)).inc()
        self.numbers.seconds.labels(verb, path).observe(seconds)
        if path not in QUIET:
            order = order_of(scope)
            log.info("answered", method=verb, route=path, status=status, ms=round(seconds * 1000), **order)


def order_of(scope: Scope) -> dict[str, str]:
    """Known once the request was routed."""
    order_id = scope.get("path_params", {}).get("order_id", "")
    # what is no id may be what somebody typed about somebody
    return {"order_id": order_id} if re.fullmatch(ID, order_id) else {}


def limited(scope: Scope, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Counts what comes in: a length that is announced may be a lie, or missing."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise HTTPException(413, f"a body may have {LARGEST_BODY} bytes")
        return message

    return counted
