"""How answers look: which problems an endpoint may give, how an order is tagged and whether a tag is stale."""

from typing import Annotated, Any

from fastapi import Header, Path, Response
from sqlalchemy.orm import Session

from activities.facts.journal import Trimmed, locked_order
from activities.facts.statuses import conclude
from activities.intake.fields import ID
from activities.views.base import View
from activities.views.model import OrderView
from activities.views.order import read
from infra.database.tables import Order
from starter.http.problems import PROBLEM_JSON, Refusal
from starter.keys import Caller

DETAILS = {
    400: "The body cannot be decoded",
    401: "No API key, or one that is not known",
    403: "The API key lacks the scope",
    404: "Not known",
    408: "The body did not come in time",
    409: "Not possible as things stand",
    412: "`If-Match` is stale; `order` is the order as it is, to a key with `orders:read`",
    413: "The body is too large",
    422: "Fields are wrong: `errors` names them",
    429: "This API key has as much as one may have at once",
    503: "A part that is needed does not answer",
}

OrderId = Annotated[str, Path(pattern=ID, examples=["W-1001"])]
IfMatch = Annotated[str | None, Header(description="Only if the order still has this `ETag`", max_length=400)]


class OrderReceipt(View):
    """What a key without `orders:read` hears of an order: that it is there, and its version."""

    order_id: str
    version: int


OrderAnswer = OrderView | OrderReceipt


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI; what any endpoint behind a key may answer is always among them."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": DETAILS[status], "content": {PROBLEM_JSON: {"schema": schema}}}
        for status in sorted({401, 403, 422, 503, *statuses, *([408] if 413 in statuses else [])})
    }


def tagged(response: Response, order: OrderAnswer) -> OrderAnswer:
    response.headers.update(headers_of(order))
    return order


def headers_of(order: OrderAnswer) -> dict[str, str]:
    """What tells a secret is kept nowhere on its way."""
    secret = isinstance(order, OrderView) and any(each.client_secret for each in order.payment.authorizations)
    return {"ETag": etag(order.version), **({"Cache-Control": "no-store"} if secret else {})}


def etag(version: int) -> str:
    return f'"{version}"'


def matches(header: str, version: int) -> bool:
    """Of `If-Match` and `If-None-Match`: any of its tags, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or etag(version) in tags


def to_change(tx: Session, order_id: str, if_match: str | None, who: Caller) -> Order:
    """The order, locked; 404 when there is none, 409 when it was trimmed, 412 with the order as it is when the caller's
    view of it is stale."""
    seen(tx, order_id, who)
    try:
        order = locked_order(tx, order_id)
    except Trimmed as over:
        raise Refusal(409, str(over)) from None
    if if_match is not None and not matches(if_match, order.version):
        now = shown(tx, order_id, who)
        raise Refusal(412, "the order has changed since", headers=headers_of(now), more=now)
    return order


def shown(tx: Session, order_id: str, who: Caller) -> OrderAnswer:
    """As much of the order as this key may read. 404 when it is of another channel, too: that it exists is told to
    nobody else."""
    conclude(tx)
    order = seen(tx, order_id, who)
    if not who.may("orders:read"):
        return OrderReceipt(order_id=order_id, version=order.version)
    return read(tx, order, reader=who.key_id)


def seen(tx: Session, order_id: str, who: Caller) -> Order:
    found = tx.get(Order, order_id)
    if found is None or not who.sees(found.channel):
        raise Refusal(404, f"order {order_id} is not known")
    return found
