"""What came back of an order over a counter, and what was given for it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.views.base import Amount, View
from infra.database.tables import Change, Refund, Return, ReturnUnits
from infra.words import Condition, RefundStatus, RefundWay


class ReturnedUnits(View):
    line: int
    quantity: int
    condition: Condition


class ReturnRefund(View):
    refund_id: str
    amount: Amount
    status: RefundStatus
    by_hand: bool
    """In cash, or by a person: not by the payment provider."""


class ReturnView(View):
    return_id: str
    location: str
    till: str | None
    shift: str | None
    received_at: datetime
    lines: list[ReturnedUnits]
    void: bool
    refund: RefundWay
    refunds: list[ReturnRefund]
    """What is given back. What pays for `sale` is none of them."""
    sale: str | None
    """The order that was taken in exchange."""
    exchanged: Amount
    """What of the goods' worth pays for it."""


def of_order(tx: Session, order_id: str) -> list[ReturnView]:
    rows = select(Return, Change.request_id).join(Change, Change.change_id == Return.change_id)
    found = tx.execute(rows.where(Return.order_id == order_id).order_by(Return.n)).all()
    return views(tx, [(made, str(return_id)) for made, return_id in found]) if found else []


def of_change(tx: Session, change_id: int) -> ReturnView:
    tx.flush()
    rows = select(Return, Change.request_id).join(Change, Change.change_id == Return.change_id)
    made, return_id = tx.execute(rows.where(Return.change_id == change_id)).one()
    return views(tx, [(made, str(return_id))])[0]


def views(tx: Session, found: Sequence[tuple[Return, str]]) -> list[ReturnView]:
    order_id = found[0][0].order_id
    lines: dict[int, list[ReturnedUnits]] = defaultdict(list)
    units = select(ReturnUnits).where(ReturnUnits.order_id == order_id)
    for row in tx.scalars(units.order_by(ReturnUnits.line_no, ReturnUnits.first_unit)):
        lines[row.n].append(ReturnedUnits(line=row.line_no, quantity=row.quantity, condition=row.condition))
    given: dict[int | None, list[ReturnRefund]] = defaultdict(list)
    paid_back = select(Refund).where(Refund.order_id == order_id, Refund.credited < Refund.amount)
    for refund in tx.scalars(paid_back.order_by(Refund.n)):
        by_hand = refund.payment_id is None
        one = ReturnRefund(refund_id=refund.refund_id, amount=refund.amount, status=refund.status, by_hand=by_hand)
        given[refund.change_id].append(one)
    return [
        ReturnView(
            return_id=return_id,
            location=made.location_id,
            till=made.till_id,
            shift=made.shift,
            received_at=made.received_at,
            lines=lines[made.n],
            void=made.void,
            refund=made.refund,
            refunds=given[made.change_id],
            sale=made.sale_id,
            exchanged=made.exchanged,
        )
        for made, return_id in found
    ]
