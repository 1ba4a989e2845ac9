"""One route per sender. What it says is read by its adapter; everything else is the same for all of them."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from activities.news import Delivery, Sender, Unreadable, Unsigned
from starter.http.problems import Refusal, invalid_request
from starter.http.responses import problems
from starter.webhooks.inbox import Taken, take


def router(senders: Mapping[str, Sender]) -> APIRouter:
    made = APIRouter(tags=["Webhooks"])
    for name, sender in senders.items():
        made.add_api_route(
            f"/webhooks/{name}",
            receiving(name, sender),
            methods=["POST"],
            name=name,
            summary=f"News: {name}",
            description="Signed in the sender's own way. Told again, it changes nothing.",
            responses=problems(400, 401, 409, 413),
        )
    return made


def receiving(name: str, sender: Sender) -> Callable[[Request], Awaitable[Taken]]:
    async def receive(request: Request) -> Taken:
        # of what comes without a signature nothing is read
        if sender.signature not in request.headers:
            raise unsigned()
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        delivery = Delivery(await request.body(), {k.lower(): v for k, v in request.headers.items()}, path)
        try:
            news = sender.read(delivery)
        except Unsigned:
            raise unsigned() from None
        except Unreadable as trouble:
            raise invalid_request(trouble.errors) from None
        return await run_in_threadpool(take, request, name, news)

    return receive


def unsigned() -> Refusal:
    return Refusal(401, "the signature is missing, forged or stale")
