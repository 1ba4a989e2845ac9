"""A warehouse: takes signed requests, works at its pace, sends signed news (Standard Webhooks both ways)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.routing import Route

from infra.sandbox.control import control
from infra.sandbox.endpoint import Handler, endpoint
from infra.sandbox.warehouse import fulfillments, receiving
from infra.sandbox.world import World

TRIGGERS = [
    ("SKU SHORT-…", "one unit is missing when it is picked (once per order and SKU)"),
    ("SKU REFUSE-…", "the request is refused"),
    ("SKU SILENT-…", "the warehouse never answers by itself, not even a recall"),
    ("SKU TWOBOX-…", "packed in two parcels"),
    ("SKU TOOLATE-…", "a recall is refused, the goods are handed over"),
    ("POST /_sandbox/warehouse/fulfillments/{id}/ready", "what is to be picked up is ready"),
    ('POST /_sandbox/warehouse/fulfillments/{id}/pick_up {"units", "by"}', "the customer came; all, or these units"),
    ('POST /_sandbox/warehouse/send {"type", "data"}', "any other news, signed; of a `timestamp` that is told"),
]


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: str
    quantity: int = Field(ge=1)


class Parcel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    contents: list[Line] | None = None


class Missing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: str
    missing: int


class StepBody(BaseModel):
    """What a step may be told: other contents than the warehouse would pack (units by SKU, of each parcel), or parcels
    exactly as they are to be reported; the units that are missing, or taken, and by whom given; why it refuses."""

    model_config = ConfigDict(extra="forbid")
    contents: list[dict[str, int]] | None = None
    parcels: list[Parcel] | None = None
    lines: list[Missing] | None = None
    units: dict[str, int] | None = None
    by: str | None = None
    code: str | None = None


class Manner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    manner: Literal["works", "refuses", "silent"]
    order_id: str = ""


class Receipt(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reference: str
    location: str
    lines: list[Line]


class News(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: str
    data: dict[str, Any]
    timestamp: str | None = None
    """What the warehouse's clock says, where it is not the world's."""


def routes(world: World) -> list[Route]:
    def api(path: str, operation: str, handler: Handler) -> Route:
        answer = endpoint(world, "warehouse", operation, receiving.signed(handler), failure=receiving.failure)
        return Route(f"/warehouse/fulfillments{path}", answer, methods=["POST"])

    return [
        api("", "request", receiving.request),
        api("/{id}/release", "release", receiving.release),
        api("/{id}/cancel", "cancel", receiving.cancel),
        Route("/_sandbox/warehouse/fulfillments/{id}/{step}", control(world, _step), methods=["POST"]),
        Route("/_sandbox/warehouse/locations/{location}", control(world, _behave), methods=["POST"]),
        Route("/_sandbox/warehouse/locations", control(world, _calm), methods=["DELETE"]),
        Route("/_sandbox/warehouse/receive", control(world, _receive), methods=["POST"]),
        Route("/_sandbox/warehouse/send", control(world, _send), methods=["POST"]),
    ]


def _step(world: World, request: Request, given: Any) -> Any:
    """The warehouse does it now, whatever it would have done by itself."""
    body = StepBody.model_validate(given).model_dump(exclude_none=True)
    step = fulfillments.STEPS[request.path_params["step"]]
    with world.transaction():
        doc = world.get(fulfillments.KIND, request.path_params["id"])
        if doc is None:
            raise KeyError(request.path_params["id"])
        if doc["status"] in fulfillments.LEFT and step is not fulfillments.refuse_cancel:
            raise ValueError(f"{doc['id']} is {doc['status']}")
        step(world, doc, body)
        return world.get(fulfillments.KIND, doc["id"])


def _behave(world: World, request: Request, given: Any) -> Any:
    wanted = Manner.model_validate(given)
    with world.transaction():
        fulfillments.behave(world, request.path_params["location"], wanted.manner, wanted.order_id)


def _calm(world: World, request: Request, given: Any) -> Any:
    with world.transaction():
        world.delete_all(fulfillments.MANNER)


def _receive(world: World, request: Request, given: Any) -> Any:
    receipt = Receipt.model_validate(given)
    with world.transaction():
        fulfillments.tell(world, "stock.received", receipt.model_dump())


def _send(world: World, request: Request, given: Any) -> Any:
    news = News.model_validate(given)
    with world.transaction():
        fulfillments.tell(world, news.type, news.data, news.timestamp)
