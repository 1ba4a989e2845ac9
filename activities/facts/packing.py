"""A warehouse packs: in parcels, anew in others, or without units that its shelf did not have."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from activities.allocation import cost
from activities.facts import holds, planning, shelves
from activities.facts.axes import in_doubt
from activities.facts.goods import answered, changed, held, locked, not_before, parcels_of, recall_answered
from activities.facts.record import note
from activities.models import LEFT, FulfillmentStatus, HoldReason, LabelStatus, Recall
from activities.ports import Parcel as Packed
from activities.ports import TrackingStatus
from infra.database.tables import Fulfillment, Order, Parcel


def packed(tx: Session, fulfillment_id: str, parcels: Sequence[Packed], at: datetime) -> bool:
    """The warehouse packed and weighed; or packed anew, until the labels are bought. False when this is late or known
    already."""
    order, f = locked(tx, fulfillment_id)
    if f.status == FulfillmentStatus.PACKED and not f.recall:
        return packed_anew(tx, order, f, parcels, at)
    if f.status not in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        return False
    answered(tx, f, at)
    at = not_before(f, at)
    f.status, f.packed_at = FulfillmentStatus.PACKED, at
    tx.add_all(to_be_labelled(f, n, parcel) for n, parcel in enumerate(parcels, start=1))
    note(tx, order, "packed", at, fulfillment_id=fulfillment_id, parcels=len(parcels))
    changed(tx, order, f)
    return True


def packed_anew(tx: Session, order: Order, f: Fulfillment, parcels: Sequence[Packed], at: datetime) -> bool:
    """A parcel that has a label, or may have one, stays as it is; the others are replaced."""
    before = parcels_of(tx, f.fulfillment_id)
    without = [parcel for parcel in before if parcel.label_status == LabelStatus.NONE]
    told = dict(enumerate(parcels, start=1))
    fixed = all(told.get(parcel.n) == size(parcel) for parcel in before if parcel not in without)
    if not without or not fixed or {parcel.n: size(parcel) for parcel in before} == told:
        return False
    for parcel in without:
        tx.delete(parcel)
    tx.flush()
    labelled = {parcel.n for parcel in before} - {parcel.n for parcel in without}
    tx.add_all(to_be_labelled(f, n, parcel) for n, parcel in told.items() if n not in labelled)
    note(tx, order, "packed", not_before(f, at), fulfillment_id=f.fulfillment_id, parcels=len(parcels))
    holds.mended(tx, order.order_id, "buy_label", at, by="warehouse", why="packed anew", among=[f.fulfillment_id])
    changed(tx, order, f)
    return True


def to_be_labelled(f: Fulfillment, n: int, parcel: Packed) -> Parcel:
    return Parcel(
        fulfillment_id=f.fulfillment_id,
        n=n,
        label_status=LabelStatus.NONE,
        tracking_status=TrackingStatus.UNKNOWN,
        **parcel.model_dump(),
    )


def size(parcel: Parcel) -> Packed:
    return Packed.model_validate({field: getattr(parcel, field) for field in Packed.model_fields})


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
    set_aside = defaultdict(list)
    for reservation in held(tx, fulfillment_id):
        set_aside[reservation.sku].append(reservation)
    for sku, quantity in missing:
        for reservation in set_aside[sku]:
            if reservation.status != "held":
                continue
            count = min(quantity, reservation.quantity)
            quantity -= count
            key = (sku, f.location_id)
            lost[key] = (lost.get(key, (0, 0))[0] - count, lost.get(key, (0, 0))[1] - count)
            if count == reservation.quantity:
                reservation.status = "released"
            else:
                reservation.quantity -= count
            if not quantity:
                break
    if not lost:
        return False
    shelves.lock(tx, {sku for sku, _ in lost})
    shelves.move(tx, "short_picked", fulfillment_id, lost)
    prices = planning.amounts_of(tx, order.order_id)
    rest = held(tx, fulfillment_id)
    f.amount = sum(cost(prices[r.line_no], r.first_unit, r.quantity) for r in rest)
    if not rest:
        if f.recall == Recall.ASKED:
            recall_answered(tx, f, Recall.CONFIRMED, at)
        f.status = FulfillmentStatus.CANCELLED
    count = -sum(reserved for _, reserved in lost.values())
    note(tx, order, "short_picked", at, fulfillment_id=fulfillment_id, units=count)
    changed(tx, order, f)
    return True


def short_too_late(tx: Session, order: Order, f: Fulfillment, at: datetime) -> bool:
    holds.opened(
        tx,
        order.order_id,
        reason=HoldReason.WAREHOUSE,
        step="short_picked",
        code="short_after_capture",
        advice="Units were missing after they were paid for: refund them at the payment provider, correct the stock, "
        "tell the customer, then skip.",
        actions=("skip",),
        at=at,
        fulfillment_id=f.fulfillment_id,
    )
    changed(tx, order, f)
    return True
