"""Units that the shelf did not have, found out while picking."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import holds, inventory, planning
from activities.facts.cancelled_messages import tell_decided
from activities.facts.fulfillments import answered, changed, held, locked, not_before
from activities.facts.journal import note
from activities.facts.line_cancellations import Part, Where, asked_of, by_line, not_found, within
from activities.facts.recall import recall_answered
from activities.facts.statuses import in_doubt
from activities.intake.allocation import cost
from activities.models import LEFT, FulfillmentStatus, Recall, Subject
from infra.database.tables import Fulfillment, Order
from infra.hold_kinds import HoldKind
from infra.words import EventType, ReservationStatus, StockMoveKind


def short_picked(tx: Session, fulfillment_id: str, missing: Iterable[tuple[str, int]], at: datetime) -> bool:
    """Units the shelf did not have: the count is corrected and they go back to reservation. News that comes after the
    packing counts too; once the money is taken, or being taken, a person must give it back."""
    order, f = locked(tx, fulfillment_id)
    if f.status == FulfillmentStatus.CANCELLED:
        return False
    at = not_before(f, at)
    if f.status in LEFT or f.captured or fulfillment_id in in_doubt(tx, order.order_id, "capture"):
        return short_too_late(tx, order, f, at)
    if f.status != FulfillmentStatus.PACKED:
        answered(tx, f, at)
    lost: dict[tuple[str, str], tuple[int, int]] = {}
    gone: list[Part] = []
    set_aside, wished = defaultdict(list), by_line(asked_of(tx, f))
    for reservation in sorted(held(tx, fulfillment_id), key=lambda units: not within(units, wished)):
        set_aside[reservation.sku].append(reservation)
    for sku, quantity in missing:
        for reservation in set_aside[sku]:
            if reservation.status != ReservationStatus.HELD:
                continue
            count = min(quantity, reservation.quantity)
            quantity -= count
            key = (sku, f.location_id)
            lost[key] = (lost.get(key, (0, 0))[0] - count, lost.get(key, (0, 0))[1] - count)
            first = reservation.first_unit + reservation.quantity - count
            gone.append(Part(reservation.line_no, first, count, Where.REQUESTED, reservation, f))
            if count == reservation.quantity:
                reservation.status = ReservationStatus.RELEASED
            else:
                reservation.quantity -= count
            if not quantity:
                break
    if not lost:
        return False
    inventory.lock(tx, {sku for sku, _ in lost})
    inventory.move(tx, StockMoveKind.SHORT_PICKED, fulfillment_id, lost)
    decided = not_found(tx, order, f, gone, at)
    prices = planning.amounts_of(tx, order.order_id)
    rest = held(tx, fulfillment_id)
    f.amount = sum(cost(prices[r.line_no], r.first_unit, r.quantity) for r in rest)
    if not rest:
        if f.recall == Recall.ASKED:
            recall_answered(tx, f, Recall.CONFIRMED, at)
        f.status = FulfillmentStatus.CANCELLED
    tell_decided(tx, order, decided)
    count = -sum(reserved for _, reserved in lost.values())
    note(tx, order, EventType.SHORT_PICKED, at, fulfillment_id=fulfillment_id, units=count)
    changed(tx, order, f)
    return True


def short_too_late(tx: Session, order: Order, f: Fulfillment, at: datetime) -> bool:
    about = Subject.fulfillment(f.fulfillment_id)
    holds.opened(tx, order.order_id, HoldKind.SHORT_AFTER_CAPTURE, about, at)
    changed(tx, order, f)
    return True
