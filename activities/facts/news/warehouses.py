"""What warehouses did with our fulfillments."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from activities.facts import catalogue, fulfillments, handing_over, packing, recall, short_pick
from activities.facts.journal import nudge
from activities.news import (
    FulfillmentAcknowledged,
    FulfillmentHandedOver,
    FulfillmentNotStopped,
    FulfillmentPacked,
    FulfillmentRefused,
    FulfillmentSaid,
    FulfillmentShortPicked,
    FulfillmentStopped,
)
from infra.words import NewsOutcome


class Forbidden(Exception):
    """About a location that is not the sender's. Said before anything is written."""


def told(tx: Session, said: FulfillmentSaid, at: datetime) -> NewsOutcome:
    found = fulfillments.locked_with_warehouse(tx, said.fulfillment)
    if found is None:
        return NewsOutcome.WAITING
    f, warehouse = found
    if warehouse != said.warehouse:
        raise Forbidden
    changed, awaited = APPLY[type(said)](tx, said, at)
    if awaited:
        nudge(tx, [f.order_id])
    return NewsOutcome.TAKEN if changed else NewsOutcome.UNCHANGED


def acknowledged(tx: Session, said: FulfillmentAcknowledged, at: datetime) -> tuple[bool, bool]:
    """The order waits for neither, unless the warehouse was silent for long."""
    return fulfillments.acknowledged(tx, said.fulfillment, at)


def packed(tx: Session, said: FulfillmentPacked, at: datetime) -> bool:
    return packing.packed(tx, said.fulfillment, said.parcels, at)


def short_picked(tx: Session, said: FulfillmentShortPicked, at: datetime) -> bool:
    skus = catalogue.skus_of(tx, {line.sku for line in said.missing})
    missing = [(skus.get(line.sku, line.sku), line.quantity) for line in said.missing]
    return short_pick.short_picked(tx, said.fulfillment, missing, at)


def refused(tx: Session, said: FulfillmentRefused, at: datetime) -> bool:
    return recall.refused(tx, said.fulfillment, said.code, at)


def handed_over(tx: Session, said: FulfillmentHandedOver, at: datetime) -> bool:
    return handing_over.handed_over(tx, said.fulfillment, at)


def stopped(tx: Session, said: FulfillmentStopped, at: datetime) -> bool:
    return recall.recall_confirmed(tx, said.fulfillment, at)


def not_stopped(tx: Session, said: FulfillmentNotStopped, at: datetime) -> bool:
    return recall.recall_refused(tx, said.fulfillment, at)


def awaited(change: Callable[[Session, Any, datetime], bool]) -> Callable[[Session, Any, datetime], tuple[bool, bool]]:
    """The order waits for it."""

    def changes(tx: Session, said: FulfillmentSaid, at: datetime) -> tuple[bool, bool]:
        changed = change(tx, said, at)
        return changed, changed

    return changes


APPLY: dict[type[FulfillmentSaid], Callable[[Session, Any, datetime], tuple[bool, bool]]] = {
    FulfillmentAcknowledged: acknowledged,
    FulfillmentPacked: awaited(packed),
    FulfillmentShortPicked: awaited(short_picked),
    FulfillmentRefused: awaited(refused),
    FulfillmentHandedOver: awaited(handed_over),
    FulfillmentStopped: awaited(stopped),
    FulfillmentNotStopped: awaited(not_stopped),
}
