"""Fulfillments: asked of a warehouse, packed, released, gone, arrived; or stopped on the way."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import holds, shelves, stock
from activities.facts.axes import derive, sums
from activities.facts.record import locked_order, note, outcome_known, tell, wall_clock
from activities.models import LEFT, FulfillmentStatus, HoldReason, LabelStatus, Recall
from activities.ports import TrackingStatus
from infra.database.tables import Effect, Fulfillment, Order, Parcel, Reservation


def locked(tx: Session, fulfillment_id: str) -> tuple[Order, Fulfillment]:
    """The order, locked, and its fulfillment as it is now."""
    order_id = tx.scalars(select(Fulfillment.order_id).where(Fulfillment.fulfillment_id == fulfillment_id)).one()
    order = locked_order(tx, order_id)
    return order, tx.get_one(Fulfillment, fulfillment_id, populate_existing=True)


def not_before(f: Fulfillment, at: datetime) -> datetime:
    """Whose clock is behind ours is not believed: nothing happens before what it follows."""
    return max([at, *filter(None, (f.requested_at, f.packed_at, f.shipped_at))])


def parcels_of(tx: Session, fulfillment_id: str) -> list[Parcel]:
    return list(tx.scalars(select(Parcel).where(Parcel.fulfillment_id == fulfillment_id).order_by(Parcel.n)))


def changed(tx: Session, order: Order, fulfillment: Fulfillment) -> None:
    fulfillment.version = order.version + 1
    derive(tx, order)


def requested(tx: Session, fulfillment_id: str, at: datetime) -> None:
    order, f = locked(tx, fulfillment_id)
    if f.status != FulfillmentStatus.PLANNED:
        return
    f.status, f.requested_at = FulfillmentStatus.REQUESTED, at
    note(tx, order, "requested", at, fulfillment_id=fulfillment_id, location=f.location_id)
    changed(tx, order, f)


def to_ask_again(tx: Session, fulfillment_id: str, call: str) -> None:
    """The warehouse does not answer: the same request, or release, goes out once more. That it may have it is not
    forgotten."""
    order, f = locked(tx, fulfillment_id)
    if call == "request" and f.status == FulfillmentStatus.REQUESTED and not f.recall:
        f.status = FulfillmentStatus.PLANNED
    elif call == "release" and f.status == FulfillmentStatus.PACKED and f.released:
        f.released = False
    else:
        return
    step = (Effect.order_id == order.order_id, Effect.step == f"{call}:{fulfillment_id}")
    last = tx.scalars(select(Effect).where(*step).order_by(Effect.n.desc())).first()
    if last:
        last.outcome, last.finished_at, last.last_called_at = None, None, wall_clock()
    changed(tx, order, f)


def answered(tx: Session, f: Fulfillment, at: datetime) -> None:
    """The warehouse speaks of what it was asked for: maybe before our own record of the asking, maybe instead of it."""
    if known_by_news(tx, f, "request"):
        requested(tx, f.fulfillment_id, at)
    spoke(tx, f, "request", at)


def spoke(tx: Session, f: Fulfillment, call: str, at: datetime) -> bool:
    """Whether somebody was to ask the warehouse, which is needless now."""
    return holds.needless(tx, f.fulfillment_id, HoldReason.WAREHOUSE, f"silent {call}", at, by="warehouse")


def noticed(tx: Session, fulfillment_id: str, at: datetime) -> tuple[bool, bool]:
    """The warehouse has the request, or begins to pick. Whether that is new, and whether the order waited for it: then
    the warehouse's time begins anew."""
    order, f = locked(tx, fulfillment_id)
    at = not_before(f, at)
    awaited = spoke(tx, f, "request", at)
    if awaited and f.status == FulfillmentStatus.REQUESTED:
        f.requested_at = at
        changed(tx, order, f)
    before = f.status
    answered(tx, f, at)
    return awaited or f.status != before, awaited


def known_by_news(tx: Session, f: Fulfillment, call: str) -> bool:
    return outcome_known(tx, f.order_id, f"{call}:{f.fulfillment_id}")


def held(tx: Session, fulfillment_id: str) -> list[Reservation]:
    rows = select(Reservation).where(Reservation.fulfillment_id == fulfillment_id, Reservation.status == "held")
    return list(tx.scalars(rows.order_by(Reservation.line_no, Reservation.first_unit.desc())))


def refused(tx: Session, fulfillment_id: str, code: str, at: datetime) -> bool:
    """The warehouse will not do it: an operator decides."""
    order, f = locked(tx, fulfillment_id)
    if f.status not in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        return False
    at = not_before(f, at)
    if f.recall == Recall.ASKED:
        return recall_confirmed(tx, fulfillment_id, at)
    answered(tx, f, at)
    f.status = FulfillmentStatus.PLANNED
    holds.opened(
        tx,
        order.order_id,
        reason=HoldReason.WAREHOUSE,
        step="refused",
        code=code,
        advice="The warehouse refused this fulfillment: retry when it can do it, or cancel.",
        actions=("retry", "cancel"),
        at=at,
        fulfillment_id=fulfillment_id,
    )
    changed(tx, order, f)
    return True


def released(tx: Session, fulfillment_id: str, at: datetime) -> None:
    """The warehouse has the labels and may hand over."""
    order, f = locked(tx, fulfillment_id)
    if f.released:
        return
    f.released = True
    note(tx, order, "released", at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)


def handed_over(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """The carrier has it: the units are gone. Without a release of ours it is also a hold."""
    order, f = locked(tx, fulfillment_id)
    if f.status in LEFT:
        return False
    if f.status == FulfillmentStatus.CANCELLED:
        return left_though_cancelled(tx, order, f, at)
    answered(tx, f, at)
    at = not_before(f, at)
    if known_by_news(tx, f, "release"):
        released(tx, fulfillment_id, at)
    spoke(tx, f, "release", at)
    if not f.released:
        holds.opened(
            tx,
            order.order_id,
            reason=HoldReason.WAREHOUSE,
            step="handed_over",
            code="not_released",
            advice="The warehouse handed over what was not released: see what it is worth, then skip. What no "
            "carrier tells of then counts as delivered.",
            actions=("skip",),
            at=at,
            fulfillment_id=fulfillment_id,
        )
    f.status, f.shipped_at = FulfillmentStatus.SHIPPED, at
    if f.recall == Recall.ASKED:
        recall_answered(tx, f, Recall.REFUSED, at)
    gone = held(tx, fulfillment_id)
    shelves.lock(tx, {r.sku for r in gone})
    left: dict[tuple[str, str], tuple[int, int]] = {}
    for r in gone:
        units = left.get((r.sku, r.location_id), (0, 0))[0] - r.quantity
        left[r.sku, r.location_id] = (units, units)
        r.status = "consumed"
    shelves.move(tx, "shipped", fulfillment_id, left)
    links = []
    for parcel in parcels_of(tx, fulfillment_id):
        if parcel.label_status == LabelStatus.BOUGHT:
            parcel.label_status = LabelStatus.USED
        links.append(parcel.tracking_url or "")
    note(tx, order, "shipped", at, fulfillment_id=fulfillment_id)
    kind = "partly_shipped" if rest_follows(tx, order) else "shipped"
    tell(tx, order, kind, fulfillment_id, links=" ".join(filter(None, links)))
    arrived(tx, order, f, at)
    changed(tx, order, f)
    return True


def rest_follows(tx: Session, order: Order) -> bool:
    """Whether more of the order is to leave."""
    now = sums(tx, order)
    coming = any(f.status not in (*LEFT, FulfillmentStatus.CANCELLED) for f in now.fulfillments)
    more = coming or now.waiting or now.unplanned or now.unreserved > 0
    return bool(more) and order.cancellation not in ("accepted", "partly")


def left_though_cancelled(tx: Session, order: Order, f: Fulfillment, at: datetime) -> bool:
    holds.opened(
        tx,
        order.order_id,
        reason=HoldReason.WAREHOUSE,
        step="handed_over",
        code="left_though_cancelled",
        advice="The warehouse handed over what was cancelled and given back: get it back or charge for it, correct the "
        "stock, then skip.",
        actions=("skip",),
        at=at,
        fulfillment_id=f.fulfillment_id,
    )
    changed(tx, order, f)
    return True


def arrived(tx: Session, order: Order, f: Fulfillment, at: datetime) -> None:
    """Delivered, once every parcel is: whether the carrier or the warehouse was heard first."""
    known = {p.tracking_status for p in parcels_of(tx, f.fulfillment_id)}
    if known == {TrackingStatus.DELIVERED} and f.status == FulfillmentStatus.SHIPPED:
        f.status, f.delivered_at = FulfillmentStatus.DELIVERED, not_before(f, at)
        tell(tx, order, "delivered", f.fulfillment_id)


def recall_asked(tx: Session, fulfillment_id: str, at: datetime) -> None:
    order, f = locked(tx, fulfillment_id)
    if f.recall is None and f.status not in (*LEFT, FulfillmentStatus.CANCELLED):
        f.recall = Recall.ASKED
        note(tx, order, "recall_asked", at, fulfillment_id=fulfillment_id)
        changed(tx, order, f)


def recall_confirmed(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    """The warehouse stopped it: the units are back on the shelf, and go to whoever waits. Unasked and before it had
    packed, that is a refusal; later, the customer gets the money back and hears of it."""
    order, f = locked(tx, fulfillment_id)
    if f.status in LEFT or f.status == FulfillmentStatus.CANCELLED:
        return False
    at = not_before(f, at)
    unasked = f.recall is None and order.cancellation not in ("accepted", "partly")
    if unasked and f.status != FulfillmentStatus.PACKED:
        return refused(tx, fulfillment_id, "stopped_by_warehouse", at)
    if not unasked:
        recall_answered(tx, f, Recall.CONFIRMED, at)
    f.status = FulfillmentStatus.CANCELLED
    back = held(tx, fulfillment_id)
    stock.cancel_units(tx, order.order_id, [(reservation.line_no, reservation.quantity) for reservation in back])
    shelves.give_back(tx, order, back)
    if unasked:
        stock.tell_stopped(tx, order, f)
    note(tx, order, "fulfillment_cancelled", at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)
    return True


def recall_answered(tx: Session, f: Fulfillment, answer: Recall, at: datetime) -> None:
    f.recall = answer
    known_by_news(tx, f, "recall")
    answered(tx, f, at)
    spoke(tx, f, "recall", at)


def recall_refused(tx: Session, fulfillment_id: str, at: datetime) -> bool:
    order, f = locked(tx, fulfillment_id)
    if f.recall != Recall.ASKED or f.status == FulfillmentStatus.CANCELLED:
        return False
    at = not_before(f, at)
    recall_answered(tx, f, Recall.REFUSED, at)
    note(tx, order, "recall_refused", at, fulfillment_id=fulfillment_id)
    changed(tx, order, f)
    return True
