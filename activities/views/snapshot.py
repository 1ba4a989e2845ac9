"""Where an order stands, as the process needs to know it: read from the tables, with only what differs from the
defaults."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, select
from sqlalchemy.orm import Session

from activities.facts.bill import UNPAID
from activities.facts.disputes import refund_waits
from activities.facts.fulfillments import parcels_of
from activities.facts.holds import subject
from activities.facts.journal import MINE, locked_fulfillments, unwritten
from activities.facts.statuses import captures_in_doubt, conclude, derived
from activities.facts.sums import AskedPayment, Sums
from activities.models import (
    CALLED_OFF,
    FUNDED,
    LEFT,
    OPEN_LABELS,
    ChangeSnapshot,
    FulfillmentSnapshot,
    FulfillmentStatus,
    HoldSnapshot,
    OrderSnapshot,
    ParcelSnapshot,
    Snapshot,
)
from infra.database.tables import Change, Fulfillment, Hold, Order, Parcel, Refund
from infra.words import (
    AuthorizationStatus,
    BackorderPolicy,
    EventType,
    OrderStatus,
    PaymentStatus,
    RefundStatus,
    ShippingMethod,
)

WithParcels = tuple[Fulfillment, list[Parcel]]

UNFINISHED = (RefundStatus.ASKED, RefundStatus.PENDING)


def snapshot(tx: Session, order_id: str, touched: Iterable[str] = ()) -> Snapshot:
    """The order's own part, and the fulfillments that a step has touched."""
    order, ids = tx.get_one(Order, order_id), set(touched)
    known = [mine for mine in locked_fulfillments(tx, order_id) if mine.fulfillment.fulfillment_id in ids]
    if len(known) < len(ids):
        return with_order(tx, order, fulfillments(tx, Fulfillment.fulfillment_id.in_(ids)))
    return with_order(tx, order, [(mine.fulfillment, mine.parcels) for mine in known])


def snapshot_of_all(tx: Session, order_id: str) -> Snapshot:
    """After a step that may have touched every fulfillment."""
    return with_order(tx, tx.get_one(Order, order_id), fulfillments(tx, Fulfillment.order_id == order_id))


def of_fulfillment(tx: Session, fulfillment_id: str) -> Snapshot:
    """One fulfillment alone, after a step that changed nothing else which the process acts on. The order with it, where
    what a warehouse said has closed a hold, which may have changed its status; or has stopped the fulfillment, whose
    other units are to be planned anew: a run that hears of the end alone takes the order for done."""
    f = tx.get_one(Fulfillment, fulfillment_id)
    mine, parts = unwritten(tx).get(f.order_id), [(f, parcels_of(tx, fulfillment_id))]
    closed = mine and any(event["type"] == EventType.HOLD_CLOSED for event in mine.events)
    if closed or f.status == FulfillmentStatus.CANCELLED:
        return with_order(tx, tx.get_one(Order, f.order_id), parts)
    return Snapshot(**fulfillment_snapshots(tx, parts, conclude(tx).get(f.order_id)))


WITH_PARCELS = (
    select(Fulfillment, Parcel)
    .outerjoin(Parcel, Parcel.fulfillment_id == Fulfillment.fulfillment_id)
    .order_by(Fulfillment.n, Parcel.n)
)
NEWER = WITH_PARCELS.where(Fulfillment.order_id == MINE, Fulfillment.version > bindparam("since"))


def whole(tx: Session, order: Order, since: int = -1) -> Snapshot:
    """Everything a run needs when it begins; or, when it hears that something is new, the order and what changed after
    the version that it loaded last."""
    newer = with_parcels(tx.execute(NEWER, {"mine": order.order_id, "since": since}))
    known = with_order(tx, order, newer)
    funded = known.order and known.order.funded
    return known if funded else known.model_copy(update={"placed_at": order.placed_at})


def with_order(tx: Session, order: Order, parts: list[WithParcels]) -> Snapshot:
    now = derived(tx, order)
    return Snapshot(order=order_snapshot(tx, order, now), **fulfillment_snapshots(tx, parts, now))


def fulfillments(tx: Session, *which: ColumnElement[bool]) -> list[WithParcels]:
    return with_parcels(tx.execute(WITH_PARCELS.where(*which)))


def with_parcels(rows: Iterable[Row[Fulfillment, Parcel]]) -> list[WithParcels]:
    by_fulfillment: dict[Fulfillment, list[Parcel]] = defaultdict(list)
    for f, parcel in rows:
        by_fulfillment[f] += [parcel] if parcel else []
    return list(by_fulfillment.items())


def fulfillment_snapshots(tx: Session, fulfillments: list[WithParcels], now: Sums | None) -> dict[str, Any]:
    if not fulfillments:
        return {}
    ids = [f.fulfillment_id for f, _ in fulfillments]
    unpaid = {f.fulfillment_id: owed(now, f) for f, _ in fulfillments} if now else {}
    if not unpaid or None in unpaid.values():
        costs = select(Fulfillment.fulfillment_id, UNPAID).where(Fulfillment.fulfillment_id.in_(ids))
        unpaid = dict(tx.execute(costs).all())
    stopped = any(f.status == FulfillmentStatus.CANCELLED for f, _ in fulfillments)
    doubt = captures_in_doubt(tx, fulfillments[0][0].order_id) if stopped else {}
    held = open_holds(tx, Hold.fulfillment_id.in_(ids)) if now is None or now.open_holds else {}
    return {
        "fulfillments": tuple(
            of_one(f, parcels, unpaid[f.fulfillment_id] or 0, f.fulfillment_id in doubt).model_copy(
                update={"holds": held[f.fulfillment_id]} if f.fulfillment_id in held else {}
            )
            for f, parcels in fulfillments
        )
    }


def owed(now: Sums, f: Fulfillment) -> int | None:
    """What of its units no charge has paid, where the order's figures tell it already: of those that stand as it does
    all are paid, or none is."""
    alike = [each for each in now.fulfillments if each.status == f.status]
    if not any(each.unpaid for each in alike):
        return 0
    return None if any(each.paid for each in alike) else f.amount


def of_one(f: Fulfillment, parcels: list[Parcel], unpaid: int, capture_in_doubt: bool) -> FulfillmentSnapshot:
    given: dict[str, Any] = {} if f.method == ShippingMethod.SHIP else {"method": f.method}
    if unpaid and f.status != FulfillmentStatus.CANCELLED:
        given["amount"] = unpaid
    if f.status in LEFT:
        since: dict[str, Any] = {"since": f.shipped_at} if f.status == FulfillmentStatus.SHIPPED else {}
        still_open = tuple(of_parcel(p) for p in parcels if p.label_status in OPEN_LABELS)
        since |= {"parcels": still_open} if still_open else {}
        return FulfillmentSnapshot(
            id=f.fulfillment_id, version=f.version, status=FulfillmentStatus(f.status), **given, **since
        )
    if f.released:
        given["released"] = True
    if f.recall:
        given["recall"] = f.recall
    if f.status == FulfillmentStatus.CANCELLED and capture_in_doubt:
        given["capture_in_doubt"] = True
    if f.status == FulfillmentStatus.REQUESTED:
        given["since"] = f.requested_at
    if parcels:
        given["parcels"] = tuple(of_parcel(p) for p in parcels)
    return FulfillmentSnapshot(
        id=f.fulfillment_id,
        version=f.version,
        status=FulfillmentStatus(f.status),
        **given,
    )


def of_parcel(parcel: Parcel) -> ParcelSnapshot:
    label = {} if parcel.label_status == "none" else {"label": parcel.label_status}
    return ParcelSnapshot.model_validate({"n": parcel.n, **label})


def order_snapshot(tx: Session, order: Order, now: Sums) -> OrderSnapshot:
    given: dict[str, Any] = {
        "status": order.status if order.status != OrderStatus.PROCESSING else None,
        "payment": order.payment_status if order.payment_status != PaymentStatus.NONE else None,
        "paid_elsewhere": now.paid_elsewhere,
        "due_later": now.due_later,
        "was_authorized": now.authorized > 0 and order.payment_status not in FUNDED,
        "cancellation": order.cancellation,
        "payment_ready": any(p.status == AuthorizationStatus.ASKED for p in now.payments),
        "unplanned": now.unreserved > 0 or now.displaced > 0 or (now.unplanned > 0 and not withheld(order, now)),
        "waiting": now.waiting > 0,
        "payment_open": any(
            p.status in (AuthorizationStatus.ASKED, AuthorizationStatus.ACTION_REQUIRED) for p in now.payments
        ),
        "to_undo": order.cancellation in CALLED_OFF and not order.cancellation_settled,
        "telling": now.telling,
        "holds": of_no_fulfillment(tx, order) if now.open_holds else (),
        "changes": open_changes(tx, Change.order_id == order.order_id) if now.open_changes else (),
        "capturable": usable(now.payments),
        "elsewhere": now.elsewhere,
        "refunds": open_refunds(tx, order, now) if now.open_refunds else {},
        "due": now.next_deadline,
    }
    return OrderSnapshot.model_validate(
        {"version": order.version, **{key: value for key, value in given.items() if value}}
    )


def of_no_fulfillment(tx: Session, order: Order) -> tuple[HoldSnapshot, ...]:
    return open_holds(tx, Hold.order_id == order.order_id, Hold.fulfillment_id.is_(None)).get(None, ())


def open_holds(tx: Session, *which: ColumnElement[bool]) -> dict[str | None, tuple[HoldSnapshot, ...]]:
    """By the fulfillment that they are about."""
    holds: dict[str | None, list[HoldSnapshot]] = defaultdict(list)
    for h in tx.scalars(select(Hold).where(*which, Hold.closed_at.is_(None)).order_by(Hold.opened_at)):
        holds[h.fulfillment_id].append(HoldSnapshot(hold_id=h.hold_id, kind=h.kind, subject=subject(h)))
    return {about: tuple(held) for about, held in holds.items()}


def open_refunds(tx: Session, order: Order, now: Sums) -> dict[str, RefundStatus]:
    """That a provider is to carry out, or has begun to; not those that wait for a bank's decision."""
    mine = (Refund.order_id == order.order_id, Refund.status.in_(UNFINISHED), Refund.payment_id.is_not(None))
    found = tx.scalars(select(Refund).where(*mine).order_by(Refund.n)).all()
    return {each.refund_id: each.status for each in found if not (now.disputes and refund_waits(tx, each))}


def open_changes(tx: Session, *which: ColumnElement[bool]) -> tuple[ChangeSnapshot, ...]:
    return tuple(
        ChangeSnapshot.model_validate(
            {
                "change_id": c.change_id,
                "kind": c.kind,
                **{k: v for k in ("reason", "hold_id", "action") if (v := getattr(c, k))},
            }
        )
        for c in tx.scalars(select(Change).where(*which, Change.decision.is_(None)).order_by(Change.change_id))
    )


def withheld(order: Order, now: Sums) -> bool:
    return order.backorder == BackorderPolicy.SHIP_COMPLETE and now.waiting > 0


def usable(payments: list[AskedPayment]) -> int:
    """What the newest live authorization still allows to be captured."""
    authorized = [p for p in payments if p.status == AuthorizationStatus.AUTHORIZED]
    return authorized[-1].amount - authorized[-1].captured if authorized else 0
