"""What may be sent to an order's workflow, and what it can be searched by."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from activities.models import Action, CancelReason, WantedLine

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
    *, status: str, channel: str, customer_id: str | None, total: int, placed_at: datetime
) -> TypedSearchAttributes:
    """The search attributes an order is started with."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(ORDER_STATUS, status),
            SearchAttributePair(ORDER_CHANNEL, channel),
            *([SearchAttributePair(CUSTOMER_ID, customer_id)] if customer_id else []),
            SearchAttributePair(ORDER_TOTAL, total),
            SearchAttributePair(PLACED_AT, placed_at),
        ]
    )


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Remark(Message):
    """A signal that this order does not understand, and how its sender put it."""

    signal: str
    words: str


class Entry(Message):
    """What a run begins with: the order, and what the run before it heard and did not act on yet."""

    order_id: str
    cancel: "Cancel | None" = None
    remarks: tuple[Remark, ...] = ()


class Cancel(Message):
    """From the web UI: who wants it stopped, and why."""

    by: str
    why: str = ""
    reason: CancelReason = CancelReason.OPERATOR


class CancelLines(Cancel):
    """Units of it."""

    lines: tuple[WantedLine, ...]
    request_id: str


class RefundMoney(Message):
    """Units, an amount or the shipping; none of them: all that can be given back."""

    by: str
    why: str
    lines: tuple[WantedLine, ...] | None = None
    amount: int | None = None
    shipping: bool = False
    request_id: str = ""


class Resolve(Message):
    """An operator's decision about an open hold."""

    hold: str
    action: Action
    by: str
    why: str


class HoldOrder(Message):
    """An operator stops the order, or one fulfillment, before its next step."""

    by: str
    why: str
    fulfillment: str | None = None


class Where(Message):
    """The answer to the query `status`."""

    order_id: str
    status: str
    stage: str
    payment: str
    fulfillments: dict[str, str]
    holds: list[str]


Nudge = Literal["restocked", "news", "deadline", "message"]
"""Signals the relay sends, the most urgent first: units arrived, look; look at the tables; a time has come; only the
customer is to be told."""
