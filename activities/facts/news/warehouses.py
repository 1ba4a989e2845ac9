"""What warehouses did with our fulfillments."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from activities.facts import catalogue, fulfillments, handing_over, packing, pickups, recall, short_pick
from activities.facts.journal import nudge
from activities.facts.pickups import Taken
from activities.news import (
    FulfillmentAcknowledged,
    FulfillmentHandedOver,
    FulfillmentNews,
    FulfillmentNotStopped,
    FulfillmentPacked,
    FulfillmentPickedUp,
    FulfillmentRefused,
    FulfillmentShortPicked,
    FulfillmentStopped,
)
from infra.words import HandOverProof, NewsOutcome, ShippingMethod


class Forbidden(Exception):
    """About a location that is not the sender's. Said before anything is written."""


def apply(tx: Session, content: FulfillmentNews, at: datetime) -> NewsOutcome:
    found = fulfillments.locked_with_warehouse(tx, content.fulfillment)
    if found is None:
        return NewsOutcome.WAITING
    f, warehouse = found
    if warehouse != content.warehouse:
        raise Forbidden
    changed, awaited = APPLY[type(content)](tx, content, at)
    if awaited:
        nudge(tx, [f.order_id])
    return NewsOutcome.TAKEN if changed else NewsOutcome.UNCHANGED


def acknowledged(tx: Session, content: FulfillmentAcknowledged, at: datetime) -> tuple[bool, bool]:
    """The order waits for neither, unless the warehouse was silent for long."""
    return fulfillments.acknowledged(tx, content.fulfillment, at)


def packed(tx: Session, content: FulfillmentPacked, at: datetime) -> bool:
    inside = [Counter[str]() for _ in content.contents]
    for units, counted in zip(content.contents, inside, strict=True):
        for each in units:
            counted[each.sku] += each.quantity
    return packing.packed(tx, content.fulfillment, content.parcels, at, inside)


def short_picked(tx: Session, content: FulfillmentShortPicked, at: datetime) -> bool:
    skus = catalogue.skus_of(tx, {line.sku for line in content.missing})
    missing = [(skus.get(line.sku, line.sku), line.quantity) for line in content.missing]
    return short_pick.short_picked(tx, content.fulfillment, missing, at)


def refused(tx: Session, content: FulfillmentRefused, at: datetime) -> bool:
    return recall.refused(tx, content.fulfillment, content.code, at)


def handed_over(tx: Session, content: FulfillmentHandedOver, at: datetime) -> bool:
    if fulfillments.locked(tx, content.fulfillment)[1].method == ShippingMethod.PICKUP:
        return pickups.picked_up(tx, content.fulfillment, Taken(HandOverProof.STAFF, content.warehouse), at)
    return handing_over.handed_over(tx, content.fulfillment, at)


def picked_up(tx: Session, content: FulfillmentPickedUp, at: datetime) -> bool:
    """By a store's own system, which saw to who may have it: a fact."""
    if fulfillments.locked(tx, content.fulfillment)[1].method != ShippingMethod.PICKUP:
        return False
    skus = catalogue.skus_of(tx, {each.sku for each in content.units})
    units: Counter[str] = Counter()
    for each in content.units:
        units[skus.get(each.sku, each.sku)] += each.quantity
    by = f"{content.warehouse}: {content.by}" if content.by else content.warehouse
    how = Taken(HandOverProof.STAFF, by, units=units or None)
    return pickups.picked_up(tx, content.fulfillment, how, at)


def stopped(tx: Session, content: FulfillmentStopped, at: datetime) -> bool:
    return recall.recall_confirmed(tx, content.fulfillment, at)


def not_stopped(tx: Session, content: FulfillmentNotStopped, at: datetime) -> bool:
    return recall.recall_refused(tx, content.fulfillment, at)


def awaited(change: Callable[[Session, Any, datetime], bool]) -> Callable[[Session, Any, datetime], tuple[bool, bool]]:
    """The order waits for it."""

    def changes(tx: Session, content: FulfillmentNews, at: datetime) -> tuple[bool, bool]:
        changed = change(tx, content, at)
        return changed, changed

    return changes


APPLY: dict[type[FulfillmentNews], Callable[[Session, Any, datetime], tuple[bool, bool]]] = {
    FulfillmentAcknowledged: acknowledged,
    FulfillmentPacked: awaited(packed),
    FulfillmentShortPicked: awaited(short_picked),
    FulfillmentRefused: awaited(refused),
    FulfillmentHandedOver: awaited(handed_over),
    FulfillmentPickedUp: awaited(picked_up),
    FulfillmentStopped: awaited(stopped),
    FulfillmentNotStopped: awaited(not_stopped),
}
