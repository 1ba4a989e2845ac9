"""What may be sent to an order's workflow, and what it can be searched by."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from activities.models import Action, CancelReason

ORDER = "Order"
"""The workflow's type."""
TASK_QUEUE = "orders"

ORDER_STATUS = SearchAttributeKey.for_keyword("OrderStatus")
ORDER_CHANNEL = SearchAttributeKey.for_keyword("OrderChannel")
ORDER_ATTENTION = SearchAttributeKey.for_keyword_list("OrderAttention")
CUSTOMER_ID = SearchAttributeKey.for_keyword("CustomerId")
ORDER_TOTAL = SearchAttributeKey.for_int("OrderTotal")
PLACED_AT = SearchAttributeKey.for_datetime("PlacedAt")


def workflow_id(order_id: str) -> str:
    return f"order-{order_id}"


def searchable(
    *, status: str, channel: str, customer_id: str, total: int, placed_at: datetime
) -> TypedSearchAttributes:
    """The search attributes an order is started with."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(ORDER_STATUS, status),
            SearchAttributePair(ORDER_CHANNEL, channel),
            SearchAttributePair(CUSTOMER_ID, customer_id),
            SearchAttributePair(ORDER_TOTAL, total),
            SearchAttributePair(PLACED_AT, placed_at),
        ]
    )


def at_most(length: int) -> AfterValidator:
    """What people type in the web UI is cut to what the tables hold: refused, it would be in the engine for good."""
    return AfterValidator(lambda text: "".join(c for c in text if c.isprintable() or c == "\n")[:length])


Who = Annotated[str, at_most(100)]
Why = Annotated[str, at_most(500)]


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Entry(Message):
    """What a run begins with: the order, and what the run before it heard and did not act on yet."""

    order_id: str
    cancel: "Cancel | None" = None


class Cancel(Message):
    """From the web UI: who wants it stopped, and why."""

    by: Who = "operator"
    why: Why = ""
    reason: CancelReason = CancelReason.OPERATOR


class Resolve(Message):
    """An operator's decision about an open hold."""

    hold: str
    action: Action
    by: Who
    why: Why


class HoldOrder(Message):
    """An operator stops the order, or one fulfillment, before its next step."""

    by: Who
    why: Annotated[str, at_most(300)]
    fulfillment: str | None = None


class Where(Message):
    """The answer to the query `standing`."""

    order_id: str
    status: str
    stage: str
    payment: str
    fulfillments: dict[str, str]
    holds: list[str]


Nudge = Literal["news", "restocked", "message"]
"""Signals the relay sends: look at the tables; units arrived, look; only the customer is to be told."""
