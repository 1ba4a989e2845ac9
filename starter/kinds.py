"""Which subjects have a workflow of their own, and how it is started: by the kind of the subject."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import NamedTuple, get_args

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio.common import TypedSearchAttributes

from activities.messages.wording import MINOR_DIGITS
from infra.database.tables import Order
from workflows.messages import ORDER, Entry, Nudge, searchable, workflow_id


class Start(NamedTuple):
    """What one workflow is begun with."""

    entry: BaseModel
    search_attributes: TypedSearchAttributes
    summary: str
    """What the web UI shows beside its id and search attributes."""


class Kind(NamedTuple):
    workflow: str
    """The workflow's type."""
    workflow_id: Callable[[str], str]
    signals: tuple[str, ...]
    """What it may be told, the most urgent first. Any other word only starts it."""
    read: Callable[[Session, Collection[str]], Mapping[str, Start]]
    """From the rows of the subjects with these ids."""


def read_orders(tx: Session, order_ids: Collection[str]) -> dict[str, Start]:
    return {
        order.order_id: start_order(order) for order in tx.scalars(select(Order).where(Order.order_id.in_(order_ids)))
    }


def start_order(order: Order) -> Start:
    currency = order.currency.upper()
    amount = Decimal(order.total).scaleb(-MINOR_DIGITS.get(currency, 2))
    return Start(
        Entry(order_id=order.order_id),
        searchable(
            status=order.status,
            channel=order.channel,
            customer_id=order.customer_id,
            total=order.total,
            placed_at=order.placed_at,
        ),
        f"{amount} {currency}",
    )


KINDS: Mapping[str, Kind] = {"order": Kind(ORDER, workflow_id, get_args(Nudge), read_orders)}
