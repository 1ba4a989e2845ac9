"""Units that the shelf did not have, found out while picking."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts import holds, inventory, planning, refunds
from activities.facts.cancelled_messages import tell_decided, tell_unavailable
from activities.facts.fulfillments import answered, changed, locked, not_before, status_without
from activities.facts.journal import note
from activities.facts.line_cancellations import Part, Where, Wish, asked_of, by_line, record, within
from activities.facts.line_outcomes import not_found
from activities.facts.pickup_asking import Lacking, asked, is_asked
from activities.facts.recall import recall_answered
from activities.facts.set_aside import units_in
from activities.facts.stock_moves import Delta, Move, Shelf, move, moved
from activities.models import (
    AT_REST,
    CALLED_OFF,
    LEFT,
    CancelReason,
    FulfillmentStatus,
    Recall,
    ShippingMethod,
    Subject,
)
from infra.database.tables import Fulfillment, Order, ParcelContent, StockMove
from infra.hold_kinds import HoldKind
from infra.words import EventType, LineCancellationStatus, ReservationStatus, StockMoveKind


def short_picked(tx: Session, fulfillment_id: str, missing: Iterable[tuple[str, int]], at: datetime) -> bool:
    """Units the shelf did not have: the count is corrected and they go back to reservation. News that comes after the
    packing counts too, but for units that the parcels lacked already: what was paid for stays paid, wherever it is
    planned. Of what has left a person decides."""
    order, f = locked(tx, fulfillment_id)
    units = Counter(dict[str, int]())
    for sku, quantity in missing:
        units[sku] += quantity
    new = units - lacked(tx, f, units)
    return bool(new) and missed(tx, order, f, new.items(), fulfillment_id, at)


def not_packed(tx: Session, fulfillment_id: str, missing: Iterable[tuple[str, int]], at: datetime) -> None:
    """Units that no parcel holds: the same, whether or not the warehouse tells of a short pick as well."""
    order, f = locked(tx, fulfillment_id)
    missed(tx, order, f, missing, of_packing(f), at)


def of_packing(f: Fulfillment) -> str:
    return f"{f.fulfillment_id}/packed"


def lacked(tx: Session, f: Fulfillment, skus: Collection[str]) -> Counter[str]:
    """Units that went missing with the packing."""
    mine = (StockMove.reference == of_packing(f), StockMove.sku.in_(skus), StockMove.location_id == f.location_id)
    rows = tx.execute(select(StockMove.sku, func.sum(-StockMove.on_hand)).where(*mine).group_by(StockMove.sku))
    return Counter({sku: int(units) for sku, units in rows})


def missed(
    tx: Session, order: Order, f: Fulfillment, missing: Iterable[tuple[str, int]], reference: str, at: datetime
) -> bool:
    fulfillment_id = f.fulfillment_id
    if f.status == FulfillmentStatus.CANCELLED:
        return False
    at = not_before(f, at)
    if f.status in LEFT:
        return short_too_late(tx, order, f, at)
    if f.status not in AT_REST:
        answered(tx, f, at)
    lost: dict[Shelf, Delta] = defaultdict(Delta)
    never: dict[Shelf, Delta] = defaultdict(Delta)
    gone: list[Part] = []
    set_aside, wished = defaultdict(list), by_line(asked_of(tx, f))
    inventory.lock_of(tx, fulfillment_id)
    # those that somebody took, then those that are to be cancelled
    turn = lambda units: (units.status != ReservationStatus.DISPLACED, not within(units, wished))  # noqa: E731
    for reservation in sorted(units_in(tx, fulfillment_id), key=turn):
        set_aside[reservation.sku].append(reservation)
    for sku, quantity in missing:
        for reservation in set_aside[sku]:
            if reservation.status == ReservationStatus.RELEASED:
                continue
            count = min(quantity, reservation.quantity)
            quantity -= count
            if reservation.status == ReservationStatus.HELD:
                lost[sku, f.location_id] += Delta(on_hand=-count, reserved=-count)
            else:
                never[sku, f.location_id] += Delta(on_hand=-count)
            first = reservation.first_unit + reservation.quantity - count
            gone.append(Part(reservation.line_no, first, count, Where.REQUESTED, reservation, f))
            if count == reservation.quantity:
                reservation.status = ReservationStatus.RELEASED
            else:
                reservation.quantity -= count
            if not quantity:
                break
    if not gone:
        return False
    if never:
        missed_before(tx, f, never, reference)
    if lost:
        inventory.serve(tx, move(tx, StockMoveKind.SHORT_PICKED, reference, lost, at))
    if f.status == FulfillmentStatus.PACKED:
        taken_out_of_parcels(tx, f, {sku: -delta.on_hand for (sku, _), delta in lost.items()})
    decided = not_found(tx, order, f, gone, at)
    f.amount = planning.worth(tx, f)
    if not units_in(tx, fulfillment_id):
        if f.recall == Recall.ASKED:
            recall_answered(tx, f, Recall.CONFIRMED, at)
        f.status = status_without(tx, f)
    cut = not_there(tx, order, f, [part for part in gone if not within(part, wished)], at)
    if decided or cut:
        refunds.owed_back(tx, order, at)
    tell_decided(tx, order, decided)
    if cut:
        tell_unavailable(tx, order, cut)
    count = sum(part.quantity for part in gone)
    note(tx, order, EventType.SHORT_PICKED, at, fulfillment_id=fulfillment_id, units=count)
    changed(tx, order, f)
    return True


def missed_before(tx: Session, f: Fulfillment, units: Mapping[Shelf, Delta], reference: str) -> None:
    """What was displaced is off the books already. That it is missed stands in the moves all the same: what is told of
    it again is known by it."""
    pairs = [
        (
            Move(StockMoveKind.FOUND, f.fulfillment_id, shelf, Delta(on_hand=-delta.on_hand)),
            Move(StockMoveKind.SHORT_PICKED, reference, shelf, delta),
        )
        for shelf, delta in sorted(units.items())
    ]
    moved(tx, [each for pair in pairs for each in pair])


def not_there(tx: Session, order: Order, f: Fulfillment, gone: list[Part], at: datetime) -> list[Part]:
    """Of a pickup: before it was told to be ready the customer is asked what to do without it; what they were told of,
    and what is not to be waited for, is cancelled. Gives that."""
    if f.method != ShippingMethod.PICKUP or order.cancellation in CALLED_OFF or not gone:
        return []
    if f.ready_at is None and is_asked(order):
        skus = {part.line_no: part.row.sku for part in gone if part.row}
        asked(tx, order, [Lacking(p.line_no, skus[p.line_no], p.first_unit, p.quantity) for p in gone], at)
        return []
    record(tx, order, [(part, LineCancellationStatus.DONE) for part in gone], Wish(CancelReason.STOCK))
    note(tx, order, EventType.UNITS_CANCELLED, at, units=sum(part.quantity for part in gone))
    return gone


def taken_out_of_parcels(tx: Session, f: Fulfillment, units: dict[str, int]) -> None:
    """Of the last ones first: nobody says which."""
    mine = (ParcelContent.fulfillment_id == f.fulfillment_id, ParcelContent.sku.in_(units))
    for row in tx.scalars(select(ParcelContent).where(*mine).order_by(ParcelContent.n.desc())).all():
        count = min(units[row.sku], row.quantity)
        units[row.sku] -= count
        row.quantity -= count
        if not row.quantity:
            tx.delete(row)


def short_too_late(tx: Session, order: Order, f: Fulfillment, at: datetime) -> bool:
    about = Subject.fulfillment(f.fulfillment_id)
    holds.opened(tx, order.order_id, HoldKind.SHORT_AFTER_LEAVING, about, at)
    changed(tx, order, f)
    return True
