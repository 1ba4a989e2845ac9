"""Orders by the page, newest first."""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from activities.models import OrderStatus
from activities.views.model import OrderPage, OrderSummary
from infra.database.tables import Hold, Order, OrderLine
from infra.holds import HoldReason


class Filter(BaseModel):
    """Which orders; what is left out does not count."""

    model_config = ConfigDict(frozen=True)

    status: OrderStatus | None = None
    reference: str | None = None
    customer: str | None = None
    channel: str | None = None
    sku: str | None = None
    placed_after: datetime | None = None
    placed_before: datetime | None = None


class BadCursor(ValueError):
    """Not a cursor that a page of ours gave."""


SHOWN: tuple[InstrumentedAttribute[Any], ...] = (
    Order.order_id,
    Order.reference,
    Order.version,
    Order.channel,
    Order.customer_id,
    Order.status,
    Order.payment_status,
    Order.fulfillment_status,
    Order.cancellation,
    Order.currency,
    Order.total,
    Order.placed_at,
)
"""A third of an order's columns: who pages through orders reads many."""
SIZES = (
    select(OrderLine.order_id, func.count(), func.sum(OrderLine.quantity))
    .where(OrderLine.order_id.in_(bindparam("ids", expanding=True)))
    .group_by(OrderLine.order_id)
)
ATTENTION = (
    select(Order.order_id, Hold.reason)
    .join(Hold, Hold.order_id == Order.order_id)
    .where(Order.order_id.in_(bindparam("ids", expanding=True)), Hold.closed_at.is_(None))
    .distinct()
    .order_by(Order.order_id, Hold.reason)
)


def page(tx: Session, wanted: Filter, *, limit: int, cursor: str | None = None) -> OrderPage:
    """Three queries, whatever the page holds. Orders placed while one pages do not shift the pages."""
    found = tx.execute(newest_first(wanted, cursor).limit(limit + 1)).all()
    shown = found[:limit]
    ids = [order.order_id for order in shown]
    sizes = {order_id: (lines, int(units)) for order_id, lines, units in tx.execute(SIZES, {"ids": ids})}
    attention: dict[str, list[HoldReason]] = {order_id: [] for order_id in ids}
    for order_id, reason in tx.execute(ATTENTION, {"ids": ids}):
        attention[order_id].append(HoldReason(reason))
    return OrderPage(
        orders=[summary(order, *sizes[order.order_id], attention[order.order_id]) for order in shown],
        next=cursor_at(shown[-1]) if len(found) > limit else None,
    )


def newest_first(wanted: Filter, cursor: str | None) -> Select[Any]:
    query: Select[Any] = (
        select(*SHOWN).where(*conditions(wanted)).order_by(Order.placed_at.desc(), Order.order_id.desc())
    )
    ends = [read_cursor(cursor)] if cursor is not None else []
    if wanted.placed_before is not None:
        ends.append((wanted.placed_before, ""))
    return before(query, *min(ends)) if ends else query


def before(query: Select[Any], placed_at: datetime, order_id: str) -> Select[Any]:
    # compared as one value, and once: written otherwise, no index leads to where the page begins
    end = tuple_(bindparam(None, placed_at, Order.placed_at.type), bindparam(None, order_id, Order.order_id.type))
    return query.where(tuple_(Order.placed_at, Order.order_id) < end)


def conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    tests: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "status": lambda status: Order.status == status,
        "reference": lambda reference: Order.reference == reference,
        "customer": lambda customer: Order.customer_id == customer,
        "channel": lambda channel: Order.channel == channel,
        "sku": lambda sku: exists().where(OrderLine.order_id == Order.order_id, OrderLine.sku == sku),
        "placed_after": lambda instant: Order.placed_at > instant,
    }
    return [test(value) for name, test in tests.items() if (value := getattr(wanted, name)) is not None]


def cursor_at(order: Row[Any]) -> str:
    text = f"{order.placed_at.astimezone(UTC).isoformat()} {order.order_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        instant, order_id = text.split(" ")
        placed_at = datetime.fromisoformat(instant)
    except (ValueError, binascii.Error):
        raise BadCursor from None
    if placed_at.utcoffset() is None or not 2000 < placed_at.year < 3000 or "\0" in order_id:
        raise BadCursor
    return placed_at, order_id


def summary(order: Row[Any], lines: int, units: int, attention: list[HoldReason]) -> OrderSummary:
    return OrderSummary(**order._asdict(), attention=attention, lines=lines, units=units)
