"""Orders are placed and read."""

import asyncio
import re
import time
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.intake.fields import CHANNEL, KEY, Id, Instant, Reference
from activities.intake.order import AskedOrder
from activities.models import OrderStatus
from activities.views import effects
from activities.views.effects import EffectsView
from activities.views.model import OrderPage, OrderView
from activities.views.orders import BadCursor, Filter, page
from infra.database.tables import Order
from starter.accepting import accepted
from starter.http.dependencies import Dependencies, Guarded, Here, Reader, Seller, channel_for
from starter.http.problems import wrong
from starter.http.responses import OrderAnswer, OrderId, matches, problems, seen, shown, tagged
from starter.keys import Caller
from starter.placing import Placed
from starter.transactions import written

LONGEST_WAIT = 20
FIRST_LOOK, SLOWEST_LOOK = 0.05, 0.5
OUTCOME_OPEN = ("none",)

router = APIRouter(tags=["Orders"], route_class=Guarded)


@router.post(
    "/v1/orders",
    status_code=202,
    summary="Place an order",
    response_description="The order is stored and will be carried out",
    responses={200: {"model": OrderAnswer, "description": "Known already: the same order"}, **problems(400, 409, 413)},
)
async def place_order(
    asked: AskedOrder,
    here: Here,
    caller: Seller,
    response: Response,
    idempotency_key: Annotated[str | None, Header(pattern=KEY)] = None,
    prefer: Annotated[
        str | None, Header(description=f"`wait=N`: up to N seconds (at most {LONGEST_WAIT}) for the payment's outcome")
    ] = None,
) -> OrderAnswer:
    """Stores an order, and that it is to be carried out: once this has answered, it survives the death of any process.

    The same `order_id` or `Idempotency-Key` again is the same order, answered with 200; with other content: 409.
    """
    placed, order = await run_in_threadpool(placed_once, here, asked, idempotency_key, caller)
    here.relay.wake()
    if wait := wished_wait(prefer):
        await outcome(here, placed.order_id, wait)
        order = await run_in_threadpool(read_one, here, placed.order_id, caller)
        response.headers["Preference-Applied"] = f"wait={wait}"
    response.status_code = 202 if placed.new else 200
    response.headers["Location"] = f"/v1/orders/{placed.order_id}"
    return tagged(response, order)


@router.get(
    "/v1/orders/{order_id}",
    summary="Read an order",
    responses={304: {"description": "Unchanged since `If-None-Match`"}, **problems(404)},
    response_model=OrderView,
)
def get_order(
    order_id: OrderId,
    here: Here,
    caller: Reader,
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=400)] = None,
) -> OrderAnswer | Response:
    """Where it stands, line by line, and how it came there."""
    order = read_one(here, order_id, caller)
    tagged(response, order)
    if if_none_match is not None and matches(if_none_match, order.version):
        return Response(status_code=304, headers={"ETag": response.headers["ETag"]})
    return order


@router.get("/v1/orders/{order_id}/effects", summary="Read what providers were asked for", responses=problems(404))
def get_effects(order_id: OrderId, here: Here, caller: Reader) -> EffectsView:
    """Each call that charges, labels or ships: when it was made, under which key, and what became of it."""
    with here.reading() as tx:
        seen(tx, order_id, caller)
        return effects.read(tx, order_id)


@router.get("/v1/orders", summary="List orders", responses=problems())
def list_orders(
    here: Here,
    caller: Reader,
    status: OrderStatus | None = None,
    reference: Reference | None = None,
    customer: Id | None = None,
    channel: Annotated[str | None, Query(pattern=CHANNEL)] = None,
    sku: Id | None = None,
    placed_after: Instant | None = None,
    placed_before: Instant | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
) -> OrderPage:
    """Newest first. Follow `next` until it is null."""
    wanted = Filter(
        status=status,
        reference=reference,
        customer=customer,
        channel=channel_for(caller, channel),
        sku=sku,
        placed_after=placed_after,
        placed_before=placed_before,
    )
    try:
        with here.reading() as tx:
            return page(tx, wanted, limit=limit, cursor=cursor)
    except BadCursor:
        raise wrong([("cursor", "is not one that a page gave")]) from None


def placed_once(here: Dependencies, asked: AskedOrder, key: str | None, caller: Caller) -> tuple[Placed, OrderAnswer]:
    def work(tx: Session) -> tuple[Placed, OrderAnswer]:
        placed = accepted(tx, here, asked, caller, idempotency_key=key)
        return placed, shown(tx, placed.order_id, caller)

    return written(here.sessions, work)


def read_one(here: Dependencies, order_id: str, who: Caller) -> OrderAnswer:
    with here.reading() as tx:
        return shown(tx, order_id, who)


def wished_wait(prefer: str | None) -> int:
    """RFC 7240; what cannot be read is no wish."""
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", prefer or "", re.ASCII)
    return min(int(found[1]), LONGEST_WAIT) if found else 0


async def outcome(here: Dependencies, order_id: str, seconds: int) -> None:
    """Until the payment went one way or the other, or the order needs a person, or the time is over."""
    end, pause = time.monotonic() + seconds, FIRST_LOOK
    while not await run_in_threadpool(decided, here, order_id):
        left = end - time.monotonic()
        if left <= 0:
            return
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, SLOWEST_LOOK)


def decided(here: Dependencies, order_id: str) -> bool:
    with here.reading() as tx:
        status, payment = tx.execute(select(Order.status, Order.payment_status).where(Order.order_id == order_id)).one()
    return payment not in OUTCOME_OPEN or status != "placed"
