"""Units that were to be cancelled, of which their warehouse was asked: gone missing meanwhile, or with the customer."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts.journal import note
from activities.facts.line_cancellations import DONE, REFUSED, Part, Wish, asked_of, by_line, record, within
from infra.database.tables import Fulfillment, LineCancellation, Order
from infra.words import EventType


def not_found(tx: Session, order: Order, f: Fulfillment, lost: Iterable[Part], at: datetime) -> list[LineCancellation]:
    """Units that were to be cancelled, and that the shelf did not have: nobody stops anything for them any more."""
    wished, done = by_line(asked_of(tx, f)), []
    for part in lost:
        row = within(part, wished)
        if row is None:
            continue
        if row.quantity > part.quantity:
            row.quantity -= part.quantity
            record(tx, order, [(part, DONE)], Wish(row.reason, row.change_id, row.cause, row.whole))
        else:
            row.status = DONE
        done.append(row)
        note(tx, order, EventType.UNITS_CANCELLED, at, units=part.quantity)
    return done


def taken(tx: Session, order: Order, f: Fulfillment, gone: Iterable[Part], at: datetime) -> None:
    """Units that were to be cancelled, and that the customer has, first ones first: the rest of the wish stands."""
    wished, count = by_line(asked_of(tx, f)), 0
    for part in gone:
        row = within(part, wished)
        if row is None:
            continue
        count += part.quantity
        if row.quantity == part.quantity:
            row.status = REFUSED
            continue
        row.first_unit, row.quantity = row.first_unit + part.quantity, row.quantity - part.quantity
        record(tx, order, [(part, REFUSED)], Wish(row.reason, row.change_id, row.cause, row.whole))
    if count:
        note(tx, order, EventType.UNITS_NOT_CANCELLED, at, units=count)
