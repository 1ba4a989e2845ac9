"""The statement behind an order's figures: its parts, a kind of rows each."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    null,
    select,
    type_coerce,
    union_all,
)

from activities.facts.bill import PAID, SIGNED, UNPAID
from activities.models import OPEN_LABELS
from infra.database.tables import (
    WORD,
    Backorder,
    Change,
    Deadline,
    Dispute,
    Fulfillment,
    Hold,
    LineCancellation,
    Message,
    MoneyMove,
    Order,
    OrderLine,
    Parcel,
    Payment,
    Refund,
    Reservation,
    Tender,
)
from infra.database.types import UTCDateTime, constant
from infra.words import (
    BackorderStatus,
    DisputeStatus,
    LineCancellationStatus,
    MessageStatus,
    RefundStatus,
    ReservationStatus,
)

MINE = bindparam("mine", type_=Order.order_id.type)
NO_WORD, NO_NUMBER = cast(null(), WORD), cast(null(), Integer)
NO_AMOUNT, NEVER = cast(null(), BigInteger), cast(null(), UTCDateTime())


def part(
    what: str,
    *where: ColumnElement[bool],
    word: Any = NO_WORD,
    flag: Any = NO_NUMBER,
    other: Any = NO_AMOUNT,
    n: Any = NO_NUMBER,
    amount: Any = NO_AMOUNT,
    until: Any = NEVER,
) -> Select[Any]:
    """One kind of rows, in the columns that all of them share."""
    return select(constant(what), type_coerce(word, WORD), flag, other, n, amount, until).where(*where)


def number(true: Any) -> ColumnElement[int]:
    """On PostgreSQL a boolean can't stand in one column with numbers."""
    return cast(true, Integer)


PARTS: list[Select[Any]] = [
    part(
        "payment",
        Payment.order_id == MINE,
        word=Payment.status,
        flag=number(Payment.intent.is_not(None)),
        other=Payment.captured,
        n=Payment.n,
        amount=Payment.amount,
    ),
    part(
        "fulfillment",
        Fulfillment.order_id == MINE,
        word=Fulfillment.status,
        flag=number(literal_column("0") < UNPAID),
        other=number(literal_column("0") < PAID),
    ).distinct(),
    part(
        "money",
        MoneyMove.order_id == MINE,
        word=MoneyMove.kind,
        amount=func.sum(MoneyMove.amount),
    ).group_by(MoneyMove.kind),
    part(
        "reserved",
        Reservation.order_id == MINE,
        word=Reservation.status,
        amount=func.sum(Reservation.quantity),
    ).group_by(Reservation.status),
    part(
        "unplanned",
        Reservation.order_id == MINE,
        Reservation.status == constant(ReservationStatus.HELD),
        Reservation.fulfillment_id.is_(None),
        amount=func.sum(Reservation.quantity),
    ),
    part(
        "displaced",
        Reservation.order_id == MINE,
        Reservation.status == constant(ReservationStatus.DISPLACED),
        ~exists().where(Fulfillment.fulfillment_id == Reservation.fulfillment_id, Fulfillment.recall.is_not(None)),
        amount=func.sum(Reservation.quantity),
    ),
    part(
        "waiting",
        Backorder.order_id == MINE,
        Backorder.status.in_(map(constant, (BackorderStatus.WAITING, BackorderStatus.ASKED))),
        amount=func.sum(Backorder.quantity),
    ),
    part("ordered", OrderLine.order_id == MINE, amount=func.sum(OrderLine.quantity)),
    part(
        "cancelled",
        LineCancellation.order_id == MINE,
        LineCancellation.status == constant(LineCancellationStatus.DONE),
        amount=func.sum(LineCancellation.quantity),
    ),
    part("hold", Hold.order_id == MINE, Hold.closed_at.is_(None), word=Hold.reason),
    part("tender", Tender.order_id == MINE, word=Tender.due).distinct(),
    part("changes", Change.order_id == MINE, Change.decision.is_(None), amount=func.count()),
    part(
        "labels",
        Fulfillment.order_id == MINE,
        Parcel.fulfillment_id == Fulfillment.fulfillment_id,
        Parcel.label_status.in_(map(constant, OPEN_LABELS)),
        amount=func.count(),
    ),
    part("elsewhere", MoneyMove.order_id == MINE, MoneyMove.charge_id.is_(None), amount=func.sum(SIGNED)),
    part(
        "refunds",
        Refund.order_id == MINE,
        Refund.status.in_(map(constant, (RefundStatus.ASKED, RefundStatus.PENDING))),
        amount=func.count(),
    ),
    part(
        "disputes",
        Payment.order_id == MINE,
        Dispute.payment_id == Payment.payment_id,
        Dispute.status.in_(map(constant, (DisputeStatus.INQUIRY, DisputeStatus.OPEN))),
        amount=func.count(),
    ),
    part(
        "telling",
        Message.order_id == MINE,
        Message.status.in_(map(constant, (MessageStatus.PENDING, MessageStatus.CLAIMED))),
        Message.due_at.is_(None),
        amount=func.min(Message.message_id),
    ),
    part(
        "deadline",
        Deadline.order_id == MINE,
        Deadline.done_at.is_(None),
        word=Deadline.kind,
        until=func.min(Deadline.at),
    ).group_by(Deadline.kind),
]
EVERY_SUM = union_all(*PARTS)
