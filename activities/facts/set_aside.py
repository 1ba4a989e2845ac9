"""Units of an order that are set aside and have not left: found, split, taken out of their fulfillment."""

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.database.tables import Backorder, Reservation
from infra.words import ReservationStatus
from infra.words.stock import UNSENT

RowT = TypeVar("RowT", Reservation, Backorder)


def units_in(tx: Session, *fulfillments: str) -> list[Reservation]:
    """The caller holds their products, or a warehouse has packed them: else somebody may be taking them."""
    tx.flush()
    rows = select(Reservation).where(Reservation.fulfillment_id.in_(fulfillments), Reservation.status.in_(UNSENT))
    in_order = rows.order_by(Reservation.line_no, Reservation.first_unit.desc())
    return list(tx.scalars(in_order.execution_options(populate_existing=True)))


def last_units(tx: Session, row: RowT, count: int) -> RowT:
    """As a row of their own."""
    if count == row.quantity:
        return row
    row.quantity -= count
    same = {column.key: getattr(row, column.key) for column in type(row).__table__.columns if not column.primary_key}
    rest = type(row)(**same | {"first_unit": row.first_unit + row.quantity, "quantity": count})
    tx.add(rest)
    return rest


def taken_apart(reservations: Iterable[Reservation]) -> None:
    """They are in no fulfillment any more, and are planned anew; those that were displaced, reserved anew."""
    for reservation in reservations:
        if reservation.status == ReservationStatus.DISPLACED:
            reservation.status = ReservationStatus.RELEASED
        else:
            reservation.fulfillment_id = None
