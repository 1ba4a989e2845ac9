"""Orders by the page, newest first."""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

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
    query: Select[Any] = select(*SHOWN).where(*conditions(wanted))
    by: tuple[Any, Any] = (Order.placed_at, Order.order_id)
    if wanted.sku is not None:
        # led by the lines, which lie in this order for each SKU: sought among orders, a rare one would be far away,
        # and of a frequent one all would be sorted
        by = (OrderLine.placed_at, OrderLine.order_id)
        query = query.join(OrderLine, OrderLine.order_id == Order.order_id).where(*first_line_of(wanted.sku))
    query = query.order_by(*(column.desc() for column in by))
    if wanted.placed_after is not None:
        query = query.where(by[0] > wanted.placed_after)
    ends = [read_cursor(cursor)] if cursor is not None else []
    if wanted.placed_before is not None:
        ends.append((wanted.placed_before, ""))
    return before(query, by, min(ends)) if ends else query


def first_line_of(sku: str) -> list[ColumnElement[bool]]:
    """An order has several of it, perhaps, and is listed once. With NOT EXISTS PostgreSQL would first gather all of a
    SKU, with = it would take so few for left that it sorts them all."""
    same = aliased(OrderLine)
    first = select(func.min(same.line_no)).where(same.order_id == OrderLine.order_id, same.sku == sku)
    return [OrderLine.sku == sku, OrderLine.line_no <= first.scalar_subquery()]


def before(query: Select[Any], by: tuple[Any, Any], end: tuple[datetime, str]) -> Select[Any]:
    # compared as one value, and once: written otherwise, no index leads to where the page begins
    given = [bindparam(None, value, column.type) for value, column in zip(end, by, strict=True)]
    return query.where(tuple_(*by) < tuple_(*given))


def conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    tests: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "status": lambda status: Order.status == status,
        "reference": lambda reference: Order.reference == reference,
        "customer": lambda customer: Order.customer_id == customer,
        "channel": lambda channel: Order.channel == channel,
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
