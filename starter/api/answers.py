"""How answers look: which problems an endpoint may give, how an order is tagged and whether a tag is stale."""

from typing import Annotated, Any

from fastapi import Header, Path, Response
from sqlalchemy.orm import Session

from activities.facts.record import locked_order
from activities.fields import ID
from activities.views.model import OrderView
from activities.views.order import read
from infra.database.tables import Order
from starter.api.problems import PROBLEM_JSON, Refusal

DETAILS = {
    400: "The body cannot be decoded",
    401: "No API key, or one that is not known",
    403: "The API key lacks the scope",
    404: "Not known",
    409: "Not possible as things stand",
    412: "`If-Match` is stale; `order` is the order as it is",
    413: "The body is too large",
    422: "Fields are wrong: `errors` names them",
    503: "A part that is needed does not answer",
}

OrderId = Annotated[str, Path(pattern=ID, examples=["W-1001"])]
IfMatch = Annotated[str | None, Header(description="Only if the order still has this `ETag`", max_length=400)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI; what any endpoint behind a key may answer is always among them."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": DETAILS[status], "content": {PROBLEM_JSON: {"schema": schema}}}
        for status in sorted({401, 403, 422, 503, *statuses})
    }


def tagged(response: Response, order: OrderView) -> OrderView:
    response.headers["ETag"] = etag(order.version)
    return order


def etag(version: int) -> str:
    return f'"{version}"'


def matches(header: str, version: int) -> bool:
    """Of `If-Match` and `If-None-Match`: any of its tags, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or etag(version) in tags


def to_change(tx: Session, order_id: str, if_match: str | None) -> Order:
    """The order, locked; 404 when there is none, 412 with the order as it is when the caller's view of it is stale."""
    if tx.get(Order, order_id) is None:
        raise Refusal(404, f"order {order_id} is not known")
    order = locked_order(tx, order_id)
    if if_match is not None and not matches(if_match, order.version):
        raise Refusal(
            412, "the order has changed since", headers={"ETag": etag(order.version)}, more=shown(tx, order_id)
        )
    return order


def shown(tx: Session, order_id: str) -> OrderView:
    found = read(tx, order_id)
    if found is None:
        raise Refusal(404, f"order {order_id} is not known")
    return found
