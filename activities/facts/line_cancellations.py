"""Units that are not to be sent: which of them are left, where they are, and what becomes of the wish.

Units that no warehouse has are cancelled at once. Those that one has are asked of it: it stops their fulfillment, and
they are done; or they had left, and are refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from activities.facts import inventory, planning, promises, refunds
from activities.facts.holds import close_of_cancelled
from activities.facts.journal import fulfillments_of, note
from activities.facts.set_aside import last_units, taken_apart, units_in
from activities.intake.allocation import cost
from activities.models import AT_REST, FulfillmentStatus, Recall
from infra.clock import wall_clock
from infra.database.tables import Backorder, Effect, Fulfillment, LineCancellation, Order, Reservation
from infra.words import BackorderStatus, CancelReason, EventType, LineCancellationStatus
from infra.words.stock import UNSENT

ASKED, DONE, REFUSED = LineCancellationStatus
COUNTING = (ASKED, DONE)
"""Of units that are never reserved anew."""


class Where(IntEnum):
    """Where units are, those first that are stopped most easily."""

    NOWHERE = 0
    WAITING = 1
    RESERVED = 2
    PLANNED = 3
    """No warehouse was asked for their fulfillment, or it has refused it."""
    STOPPING = 4
    """Their warehouse is asked to stop their fulfillment anyway."""
    REQUESTED = 5
    PACKED = 6


class Part(NamedTuple):
    """Units of one line in one place."""

    line_no: int
    first_unit: int
    quantity: int
    where: Where
    row: Reservation | Backorder | None = None
    fulfillment: Fulfillment | None = None


class Wish(NamedTuple):
    """Why units are cancelled, and at whose word."""

    reason: CancelReason
    change_id: int | None = None
    cause: str | None = None
    whole: bool = False
    """The order is to end."""


# --- what is left -----------------------------------------------------------------------------------------------------


def parts_left(tx: Session, order: Order) -> list[Part]:
    """Units that are neither gone, nor cancelled, nor asked to be: the most easily stopped first, the last units of
    each place first."""
    inventory.lock_all_of(tx, order.order_id)
    loose = planning.open_units(tx, order)
    parts = [Part(units.line_no, units.first_unit, units.quantity, Where.NOWHERE) for units in loose]
    waiting = select(Backorder).where(
        Backorder.order_id == order.order_id, Backorder.status.in_((BackorderStatus.WAITING, BackorderStatus.ASKED))
    )
    for backorder in tx.scalars(waiting.execution_options(populate_existing=True)):
        parts.append(Part(backorder.line_no, backorder.first_unit, backorder.quantity, Where.WAITING, backorder))
    fulfillments = {f.fulfillment_id: f for f in fulfillments_of(tx, order.order_id)}
    asked, wished = requested_of(tx, order.order_id), by_line(wishes(tx, order.order_id, ASKED))
    unsent = select(Reservation).where(Reservation.order_id == order.order_id, Reservation.status.in_(UNSENT))
    for reservation in tx.scalars(unsent.execution_options(populate_existing=True)).all():
        f = fulfillments.get(reservation.fulfillment_id or "")
        if (f and f.recall == Recall.REFUSED) or within(reservation, wished):
            continue
        where = where_is(f, asked)
        parts.append(Part(reservation.line_no, reservation.first_unit, reservation.quantity, where, reservation, f))
    return sorted(parts, key=lambda part: (part.where, part.line_no, -part.first_unit))


def where_is(f: Fulfillment | None, asked: set[str]) -> Where:
    if f is None:
        return Where.RESERVED
    if f.status == FulfillmentStatus.PLANNED and f.fulfillment_id not in asked:
        return Where.PLANNED
    if f.recall == Recall.ASKED:
        return Where.STOPPING
    return Where.PACKED if f.status in AT_REST else Where.REQUESTED


def requested_of(tx: Session, order_id: str) -> set[str]:
    """Fulfillments that a warehouse may just be asked for."""
    out = select(Effect.step).where(
        Effect.order_id == order_id, Effect.step.startswith("request:"), Effect.finished_at.is_(None)
    )
    return {step.removeprefix("request:") for step in tx.scalars(out)}


def wishes(tx: Session, order_id: str, *statuses: LineCancellationStatus) -> list[LineCancellation]:
    mine = (LineCancellation.order_id == order_id, LineCancellation.status.in_(statuses))
    rows = select(LineCancellation).where(*mine).order_by(LineCancellation.n)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def within(units: Reservation | Part, rows: Mapping[int, list[LineCancellation]]) -> LineCancellation | None:
    """The wish that these units are in: a reservation is split where one begins."""
    mine = (row for row in rows[units.line_no] if row.first_unit <= units.first_unit < row.first_unit + row.quantity)
    return next(mine, None)


def by_line(rows: Iterable[LineCancellation]) -> Mapping[int, list[LineCancellation]]:
    lines: dict[int, list[LineCancellation]] = defaultdict(list)
    for row in rows:
        lines[row.line_no].append(row)
    return lines


def of_line(parts: Iterable[Part], line_no: int, quantity: int) -> list[Part]:
    """So many units of a line, fewer where fewer are left."""
    chosen = []
    for part in parts:
        count = min(quantity, part.quantity) if part.line_no == line_no else 0
        if count:
            first = part.first_unit + part.quantity - count
            chosen.append(part._replace(first_unit=first, quantity=count))
            quantity -= count
    return chosen


# --- cancelled, or asked to be ----------------------------------------------------------------------------------------


def cancelled(tx: Session, order: Order, parts: Iterable[Part], wish: Wish, at: datetime) -> set[str]:
    """What no warehouse has is given back at once, and serves who waits; what one has, it is to stop. Gives the
    fulfillments that have changed. The caller has read the parts in this transaction."""
    rows: list[tuple[Part, LineCancellationStatus]] = []
    back: list[Reservation] = []
    touched: dict[str, tuple[Fulfillment, Where]] = {}
    gave_up_waiting = False
    for part in parts:
        asked = part.where > Where.PLANNED
        rows.append((part, ASKED if asked else DONE))
        if isinstance(part.row, Backorder):
            last_units(tx, part.row, part.quantity).status = BackorderStatus.CANCELLED
            gave_up_waiting = True
        elif part.row is not None:
            units = last_units(tx, part.row, part.quantity)
            back += [] if asked else [units]
        # where the order is to end, each fulfillment's own step asks
        if part.fulfillment is not None and not (asked and wish.whole):
            touched[part.fulfillment.fulfillment_id] = part.fulfillment, part.where
    record(tx, order, rows, wish)
    inventory.give_back(tx, order, back)
    if gave_up_waiting:
        promises.kept(tx, order, at)
    for f, where in touched.values():
        if where > Where.PLANNED and f.recall is None:
            recall_wanted(tx, order, f, at)
        f.version = order.version + 1
    taken_out(tx, order, [f for f, where in touched.values() if where == Where.PLANNED], at)
    if count := sum(part.quantity for part, status in rows if status == DONE):
        note(tx, order, EventType.UNITS_CANCELLED, at, units=count)
        refunds.owed_back(tx, order, at, wish.change_id)
    return set(touched)


def record(tx: Session, order: Order, parts: Iterable[tuple[Part, LineCancellationStatus]], wish: Wish) -> None:
    last = tx.scalar(select(func.max(LineCancellation.n)).where(LineCancellation.order_id == order.order_id)) or 0
    rows = [
        {
            "order_id": order.order_id,
            "n": n,
            "line_no": part.line_no,
            "first_unit": part.first_unit,
            "quantity": part.quantity,
            "status": status,
            "whole": wish.whole,
            "reason": wish.reason,
            "cause": wish.cause,
            "fulfillment_id": part.fulfillment.fulfillment_id if status != DONE and part.fulfillment else None,
            "change_id": wish.change_id,
            "recorded_at": wall_clock(),
        }
        for n, (part, status) in enumerate(parts, start=last + 1)
    ]
    if rows:
        tx.execute(insert(LineCancellation), rows)


def recall_wanted(tx: Session, order: Order, f: Fulfillment, at: datetime) -> None:
    f.recall = Recall.ASKED
    note(tx, order, EventType.RECALL_ASKED, at, fulfillment_id=f.fulfillment_id)


def taken_out(tx: Session, order: Order, fulfillments: list[Fulfillment], at: datetime) -> None:
    """Units have been, of fulfillments that no warehouse has. One that was refused is known there with what was in it:
    what is left of it is planned anew."""
    if not fulfillments:
        return
    rest = units_in(tx, *(f.fulfillment_id for f in fulfillments))
    asked = select(Effect.step).where(Effect.order_id == order.order_id, Effect.step.startswith("request:"))
    known = {step.removeprefix("request:") for step in tx.scalars(asked)}
    prices = planning.amounts_of(tx, order.order_id) if rest else {}
    for f in fulfillments:
        mine = [r for r in rest if r.fulfillment_id == f.fulfillment_id]
        if mine and f.fulfillment_id not in known:
            f.amount = sum(cost(prices[r.line_no], r.first_unit, r.quantity) for r in mine)
            continue
        taken_apart(mine)
        f.status = FulfillmentStatus.CANCELLED
    close_of_cancelled(tx, order, at)


# --- the warehouse has answered ---------------------------------------------------------------------------------------


def stopped(
    tx: Session, order: Order, f: Fulfillment, at: datetime, *, otherwise: Wish | None
) -> list[LineCancellation]:
    """Its units are back on the shelf: those that were to be cancelled go to whoever waits, the others are planned
    anew, and not there where the place has refused; or, with a reason `otherwise`, they are cancelled too."""
    asked = asked_of(tx, f)
    units, wished = units_in(tx, f.fulfillment_id), by_line(asked)
    others = [reservation for reservation in units if not within(reservation, wished)]
    cancelled = [reservation for reservation in units if otherwise or within(reservation, wished)]
    if otherwise:
        parts = [Part(r.line_no, r.first_unit, r.quantity, Where.PACKED, r, f) for r in others]
        record(tx, order, [(part, DONE) for part in parts], otherwise)
    elif not f.refusal:  # else the units are released, and name the place that is avoided
        taken_apart(others)
    for row in asked:
        row.status = DONE
    inventory.give_back(tx, order, units if f.refusal else cancelled)
    if cancelled:
        note(tx, order, EventType.UNITS_CANCELLED, at, units=sum(r.quantity for r in cancelled))
    return asked


def had_left(tx: Session, order: Order, f: Fulfillment, at: datetime) -> list[LineCancellation]:
    """The warehouse could not stop it, or it is on its way."""
    asked = asked_of(tx, f)
    for row in asked:
        row.status = REFUSED
    if asked:
        note(tx, order, EventType.UNITS_NOT_CANCELLED, at, units=sum(row.quantity for row in asked))
    return asked


def asked_of(tx: Session, f: Fulfillment) -> list[LineCancellation]:
    return [row for row in wishes(tx, f.order_id, ASKED) if row.fulfillment_id == f.fulfillment_id]
