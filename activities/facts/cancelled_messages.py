"""What the customer hears of what will not be sent: once per request, when all of it is decided."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.journal import tell
from activities.facts.line_cancellations import DONE, REFUSED, Part, wishes
from activities.facts.refundable import given_back_for
from activities.facts.statuses import captures_in_doubt
from activities.facts.sums import sums
from activities.facts.units import Units
from activities.models import LEFT, FulfillmentStatus
from infra.database.tables import Fulfillment, LineCancellation, Order, OrderLine, Product, Reservation
from infra.words import CancelReason, LineCancellationStatus, MessageKind, TenderDue


def tell_decided(tx: Session, order: Order, rows: Iterable[LineCancellation]) -> None:
    """Rows have just been decided: of each request that none is out of any more; and what nobody came for."""
    rows = list(rows)
    expired = [row for row in rows if row.reason == CancelReason.EXPIRED]
    if over := [row for row in expired if row.status == DONE]:
        about = items(tx, order, "items", over) | money_of(tx, order, over)
        tell(tx, order, MessageKind.PICKUP_EXPIRED, over[0].fulfillment_id or "", **about)
    requests = {row.change_id for row in rows if not row.whole and row not in expired}
    if not requests:
        return
    tx.flush()
    mine: dict[int | None, list[LineCancellation]] = defaultdict(list)
    for row in wishes(tx, order.order_id, *LineCancellationStatus):
        mine[row.change_id].append(row)
    for change_id in sorted(requests, key=str):
        if all(row.status in (DONE, REFUSED) for row in mine[change_id]):
            tell_request(tx, order, f"request {change_id}", mine[change_id])


def tell_request(tx: Session, order: Order, subject: str, rows: Collection[LineCancellation]) -> None:
    done, refused = ([row for row in rows if row.status == status] for status in (DONE, REFUSED))
    if not done:
        tell(tx, order, MessageKind.CANCELLATION_REFUSED, subject, **items(tx, order, "items", refused))
        return
    about = items(tx, order, "items", done) | items(tx, order, "left", refused)
    tell(tx, order, MessageKind.PARTLY_CANCELLED, subject, **about, **money_of(tx, order, done))


def items(
    tx: Session, order: Order, name: str, rows: Iterable[LineCancellation | Reservation | Part]
) -> dict[str, str]:
    units: dict[int, int] = defaultdict(int)
    for row in rows:
        units[row.line_no] += row.quantity
    if not units:
        return {}
    named = select(OrderLine.line_no, Product.name).join(Product, Product.sku == OrderLine.sku)
    lines = tx.execute(named.where(OrderLine.order_id == order.order_id, OrderLine.line_no.in_(units)))
    return {name: ", ".join(f"{units[line_no]} × {product}" for line_no, product in sorted(lines.all()))}


def money_of(tx: Session, order: Order, rows: Collection[LineCancellation]) -> dict[str, str | int]:
    """What these units cost, as far as it was taken."""
    places = {row.fulfillment_id for row in rows if row.fulfillment_id}
    units = [Units(row.line_no, row.first_unit, row.quantity) for row in rows]
    return owed(tx, order, units, places)


def tell_stopped(tx: Session, order: Order, stopped: Fulfillment) -> None:
    """The warehouse will not send it, and nobody had asked for that."""
    now = sums(tx, order)
    going = any(f.status != FulfillmentStatus.CANCELLED for f in now.fulfillments)
    more = going or now.to_come
    kind = MessageKind.PARTLY_CANCELLED if more else MessageKind.CANCELLED
    about = stopped.fulfillment_id if more else ""
    were_in = select(Reservation.line_no, Reservation.first_unit, Reservation.quantity)
    units = [Units(*row) for row in tx.execute(were_in.where(Reservation.fulfillment_id == stopped.fulfillment_id))]
    tell(tx, order, kind, about, **owed(tx, order, units, {stopped.fulfillment_id}))


def tell_unavailable(tx: Session, order: Order, cut: Collection[Part]) -> None:
    """A store does not have what was to be picked up there: it is cancelled."""
    now = sums(tx, order)
    more = now.held or now.to_come or any(each.status in LEFT for each in now.fulfillments)
    kind = MessageKind.PARTLY_CANCELLED if more else MessageKind.CANCELLED
    gone = sum(row.quantity for row in wishes(tx, order.order_id, DONE))
    units = [Units(part.line_no, part.first_unit, part.quantity) for part in cut]
    about = items(tx, order, "items", cut) if more else {}
    tell(
        tx,
        order,
        kind,
        f"unavailable {gone}",
        **about,
        **owed(tx, order, units, {p.fulfillment.fulfillment_id for p in cut if p.fulfillment}),
    )


def owed(tx: Session, order: Order, units: list[Units], places: set[str]) -> dict[str, str | int]:
    back: dict[TenderDue, dict[str, int]] = {due: {} for due in TenderDue}
    for tender, amount in given_back_for(tx, order, units).items():
        if amount:
            back[tender.due][tender.reference] = amount
    doubt = captures_in_doubt(tx, order.order_id).keys() & places
    return {
        "refunded": sum(back[TenderDue.BEFORE_RELEASE].values()),
        **({"paid_as": ", ".join(back[TenderDue.ELSEWHERE])} if back[TenderDue.ELSEWHERE] else {}),
        **({"maybe_charged": 1} if doubt or sums(tx, order).captured else {}),
    }
