"""Whether a cancellation can be asked for: the same rules over HTTP and in the web UI."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import requests
from activities.facts.cancellation import cancellation_asked, decided
from activities.facts.line_cancellations import parts_left
from activities.facts.requests import Asked, NothingLeft, WrongFields
from activities.models import CALLED_OFF, CLOSED, CancelReason, OrderStatus, WantedLine
from infra.database.tables import Change, Order, OrderLine
from infra.words import Cancellation, ChangeKind


def asked(
    tx: Session,
    order: Order,
    *,
    by: str,
    why: str = "",
    reason: CancelReason = CancelReason.CUSTOMER,
    cause: str | None = None,
    lines: Sequence[WantedLine] | None = None,
    request_id: str | None = None,
) -> Asked:
    """The caller holds the order's lock. Raises one of `requests.Impossible`."""
    wanted = None if lines is None else sorted((line.line, line.quantity or 0) for line in lines)
    content = requests.digest(kind=ChangeKind.CANCEL, reason=reason, cause=cause, lines=wanted)
    if known := requests.asked_before(tx, order.order_id, request_id, content):
        return Asked(known, new=False)
    ending = order.cancellation in CALLED_OFF and order.status not in CLOSED
    if lines is None and ending:
        return Asked(None, new=False)
    if order.status == OrderStatus.CANCELLED:
        raise NothingLeft("the order is cancelled already")
    if not ending and decided(tx, order) == Cancellation.REFUSED:
        has = "is completed" if order.status in CLOSED else "has left"
        raise NothingLeft(f"the order {has}: it can't be cancelled, but it can be returned once it has arrived")
    waiting = undecided(tx, order.order_id)
    whole = next((change for change in waiting if change.lines is None), None)
    if lines is None and whole is not None and request_id is None:
        return Asked(whole, new=False)
    units = None if lines is None else units_of(tx, order, lines, waiting)
    change = cancellation_asked(
        tx,
        order.order_id,
        reason=reason,
        by=by,
        why=why,
        cause=cause,
        lines=units,
        request_id=request_id,
        digest=content,
    )
    return Asked(change, new=True)


def units_of(tx: Session, order: Order, lines: Sequence[WantedLine], waiting: Sequence[Change]) -> list[dict[str, int]]:
    """How many of which line; where no quantity is said, all that is left of it."""
    ordered = set(tx.scalars(select(OrderLine.line_no).where(OrderLine.order_id == order.order_id)))
    left: Counter[int] = Counter()
    for part in parts_left(tx, order):
        left[part.line_no] += part.quantity
    for change in waiting:
        for line in change.lines or ():
            left[line["line"]] -= line["quantity"]
    errors, units, seen = [], [], set()
    for n, line in enumerate(lines):
        rest = max(left[line.line], 0) if all(change.lines is not None for change in waiting) else 0
        if line.line not in ordered:
            errors.append((f"lines[{n}].line", "is not one of this order"))
        elif line.line in seen:
            errors.append((f"lines[{n}].line", "is named twice"))
        elif (line.quantity or 1) > rest:
            errors.append((f"lines[{n}].quantity", f"is more than is left of this line: {rest}"))
        seen.add(line.line)
        units.append({"line": line.line, "quantity": line.quantity or rest})
    if errors:
        raise WrongFields(errors)
    return units


def undecided(tx: Session, order_id: str) -> list[Change]:
    wishes = (Change.order_id == order_id, Change.kind == ChangeKind.CANCEL, Change.decision.is_(None))
    return list(tx.scalars(select(Change).where(*wishes).order_by(Change.change_id)))
