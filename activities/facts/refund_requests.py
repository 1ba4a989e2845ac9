"""Money that somebody asks to be given back: whole, by line and quantity, by amount, or the shipping alone. Never more
than is refundable; what is refused changes nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import refunds, requests
from activities.facts.journal import nudge
from activities.facts.refundable import Part, Refundable, refundable
from activities.facts.requests import Asked, NothingLeft, WrongFields
from activities.facts.units import PricedUnits, Units, common, less, lesser, merged, total, without
from activities.models import WantedLine
from infra.clock import wall_clock
from infra.database.tables import Change, Order, OrderLine, UnitAmount
from infra.words import ChangeKind, Decision


class Wanted(NamedTuple):
    """None of these: all that can be given back."""

    lines: Sequence[WantedLine] | None = None
    amount: int | None = None
    shipping: bool = False


def asked(
    tx: Session,
    order: Order,
    wanted: Wanted,
    *,
    by: str,
    why: str = "",
    cause: str | None = None,
    currency: str | None = None,
    request_id: str | None = None,
) -> Asked:
    """The caller holds the order's lock. Raises one of `requests.Impossible`."""
    if currency not in (None, order.currency):
        raise WrongFields([("currency", f"is not this order's: {order.currency}")])
    lines = None if wanted.lines is None else sorted((line.line, line.quantity or 0) for line in wanted.lines)
    content = requests.digest(
        kind=ChangeKind.REFUND, cause=cause, lines=lines, amount=wanted.amount, shipping=wanted.shipping
    )
    if known := requests.asked_before(tx, order.order_id, request_id, content):
        return Asked(known, new=False)
    parts = parts_of(tx, order, wanted)
    now = wall_clock()
    change = Change(
        order_id=order.order_id,
        request_id=request_id,
        digest=content,
        kind=ChangeKind.REFUND,
        cause=cause,
        lines=None if lines is None else [{"line": line, "quantity": quantity} for line, quantity in lines],
        by=by,
        why=why,
        decision=Decision.ACCEPTED,
        recorded_at=now,
        decided_at=now,
    )
    tx.add(change)
    tx.flush()
    refunds.asked(tx, order, parts, now, change.change_id)
    nudge(tx, [order.order_id])
    return Asked(change, new=True)


def parts_of(tx: Session, order: Order, wanted: Wanted) -> list[Part]:
    left = refundable(tx, order)
    if left.amount <= 0:
        raise NothingLeft(
            "nothing of this order can be refunded: no money was taken, or all of it is refunded or disputed"
        )
    if wanted.lines is not None:
        return of_lines(tx, order, left, wanted.lines)
    if wanted.shipping:
        return of_shipping(tx, order, left)
    if wanted.amount is None:
        return [part for each in left.charges for part in left.take(each, left.of(each), each.units)]
    if wanted.amount > left.amount:
        raise WrongFields([("amount", f"is more than can be refunded: {left.amount}")])
    parts, rest = [], wanted.amount
    for each in left.charges:
        taken = left.take(each, rest, [])
        rest -= sum(part.amount for part in taken)
        parts += taken
    return parts


def of_lines(tx: Session, order: Order, left: Refundable, lines: Sequence[WantedLine]) -> list[Part]:
    """Units of a line that were not given back yet, the last first, at what each of them cost, whoever paid it."""
    ordered = set(tx.scalars(select(OrderLine.line_no).where(OrderLine.order_id == order.order_id)))
    charges = [each for each in left.charges if each.left]  # of others nothing has come yet
    paid = merged(units for each in charges for units in each.units)
    errors, seen = [], set()
    chosen: list[Units] = []
    for n, line in enumerate(lines):
        mine = [units for units in paid if units.line_no == line.line]
        count = sum(units.quantity for units in mine)
        wanted = line.quantity or count
        if line.line not in ordered:
            errors.append((f"lines[{n}].line", "is not one of this order"))
        elif line.line in seen:
            errors.append((f"lines[{n}].line", "is named twice"))
        elif wanted > count or not count:
            errors.append((f"lines[{n}].quantity", f"is more than was paid for and not refunded: {count}"))
        else:
            chosen += last_of(mine, wanted)
        seen.add(line.line)
    parts = [(each, common(each.units, chosen)) for each in charges]
    if not errors and any(total(units) > left.of(each) for each, units in parts):
        errors.append(("lines", f"cost more than can be refunded: {left.amount}"))
    if errors:
        raise WrongFields(errors)
    return [part for each, units in parts if units for part in left.take(each, total(units), units)]


def last_of(units: Sequence[Units], quantity: int) -> list[Units]:
    chosen = []
    for each in reversed(units):
        if count := min(quantity, each.quantity):
            first = each.first_unit + each.quantity - count
            chosen.append(each._replace(first_unit=first, quantity=count))
            quantity -= count
    return chosen


def of_shipping(tx: Session, order: Order, left: Refundable) -> list[Part]:
    """Each unit's share of it, where all of that unit was paid and nothing of it was given back."""
    rows = tx.scalars(select(UnitAmount).where(UnitAmount.order_id == order.order_id, UnitAmount.shipping > 0)).all()
    costs = [PricedUnits(row.line_no, row.first_unit, row.quantity, row.total) for row in rows]
    lacking = less(costs, [units for each in left.charges for units in each.units])
    shares = [PricedUnits(row.line_no, row.first_unit, row.quantity, row.shipping) for row in rows]
    shares, parts = without(shares, lacking), []
    for each in left.charges:
        mine = lesser(shares, each.units)
        taken = left.take(each, min(total(mine), left.of(each)), mine)
        shares = less(shares, [units for part in taken for units in part.units])
        parts += taken
    if not parts:
        raise WrongFields([("shipping", "was not paid, or is refunded")])
    return parts
