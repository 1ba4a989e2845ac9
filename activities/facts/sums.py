"""The figures that an order's statuses are derived from: one statement, whatever the order has, and as many rows as it
has kinds of parts, not parts."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from activities.facts.bill import PAID, SIGNED, UNPAID, bill
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
    AuthorizationStatus,
    BackorderStatus,
    DisputeStatus,
    FulfillmentStatus,
    LineCancellationStatus,
    MessageStatus,
    MoneyMoveKind,
    RefundStatus,
    ReservationStatus,
    TenderDue,
)

SET_ASIDE = (AuthorizationStatus.ACTION_REQUIRED, AuthorizationStatus.AUTHORIZED)
"""Payments that set money aside, or may do so any moment."""


class FulfillmentState(NamedTuple):
    """How one or more of the order's fulfillments stand."""

    status: FulfillmentStatus
    unpaid: bool
    """No charge has paid all its units."""
    paid: bool
    """One has paid some of them."""


class AskedPayment(NamedTuple):
    n: int
    status: AuthorizationStatus
    known: bool
    """The provider has an intent for it."""
    amount: int
    captured: int


@dataclass(frozen=True)
class Sums:
    fulfillments: set[FulfillmentState]
    payments: list[AskedPayment]
    """In the order in which they were asked for."""
    authorized: int
    captured: int
    refunded: int
    elsewhere: int
    """Taken by somebody else, and used for no charge yet."""
    unreserved: int
    """Units neither reserved, consumed, waiting nor cancelled."""
    unplanned: int
    """Reserved units that are in no fulfillment yet."""
    waiting: int
    held: int
    gone: int
    """Units that left, and did not come back."""
    open_holds: set[str]
    open_changes: int
    open_labels: int
    open_refunds: int
    """Asked, or on their way."""
    disputes: int
    """That the bank has not decided."""
    telling: int
    """The oldest message that the customer is to get now."""
    deadlines: dict[str, datetime]
    """The nearest of each kind."""
    paid_elsewhere: bool
    """Nothing, or nothing more, is asked of the payment provider: others have taken it all, or it costs nothing."""

    @property
    def next_deadline(self) -> datetime | None:
        return min(self.deadlines.values(), default=None)

    @property
    def open_payments(self) -> bool:
        return any(p.status in SET_ASIDE or (p.status == AuthorizationStatus.ASKED and p.known) for p in self.payments)

    @property
    def to_come(self) -> bool:
        """Units that are to be sent and are in no fulfillment yet."""
        return bool(self.waiting or self.unplanned or self.unreserved > 0)


def sums(tx: Session, order: Order) -> Sums:
    tx.flush()
    payments, fulfillments, open_holds, deadlines = [], set(), set(), dict[str, datetime]()
    dues: set[TenderDue] = set()
    figures: Counter[tuple[str, str | None]] = Counter()
    for what, word, flag, other, n, amount, until in tx.execute(EVERY_SUM, {"mine": order.order_id}):
        if what == "payment":
            payments.append(AskedPayment(n, AuthorizationStatus(word), bool(flag), int(amount), int(other)))
        elif what == "fulfillment":
            fulfillments.add(FulfillmentState(FulfillmentStatus(word), bool(flag), bool(other)))
        elif what == "deadline":
            deadlines[word] = until
        elif what == "hold":
            open_holds.add(word)
        elif what == "tender":
            dues.add(TenderDue(word))
        else:
            figures[what, word] = int(amount or 0)  # PostgreSQL sums BIGINT to a decimal
    held, waiting = figures["reserved", ReservationStatus.HELD], figures["waiting", None]
    return Sums(
        fulfillments=fulfillments,
        payments=sorted(payments),
        authorized=figures["money", MoneyMoveKind.AUTHORIZED],
        captured=figures["money", MoneyMoveKind.CAPTURED],
        refunded=figures["money", MoneyMoveKind.REFUNDED] - figures["money", MoneyMoveKind.REFUND_FAILED],
        unreserved=figures["ordered", None]
        - figures["cancelled", None]  # those that are only asked to be are held
        - held
        - figures["reserved", ReservationStatus.CONSUMED]
        - waiting,
        unplanned=figures["unplanned", None],
        waiting=waiting,
        held=held,
        gone=figures["reserved", ReservationStatus.CONSUMED],
        open_holds=open_holds,
        open_changes=figures["changes", None],
        open_labels=figures["labels", None],
        elsewhere=max(0, figures["elsewhere", None]),
        open_refunds=figures["refunds", None],
        disputes=figures["disputes", None],
        telling=figures["telling", None],
        deadlines=deadlines,
        paid_elsewhere=paid_elsewhere(tx, order, dues),
    )


def paid_elsewhere(tx: Session, order: Order, dues: set[TenderDue]) -> bool:
    if TenderDue.BEFORE_RELEASE not in dues or not order.total:
        return True
    # what others have taken may pay, by now, for all that is still to be sent
    return len(dues) > 1 and not bill(tx, order).to_capture


# --- the statement ----------------------------------------------------------------------------------------------------

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
        "waiting",
        Backorder.order_id == MINE,
        Backorder.status == constant(BackorderStatus.WAITING),
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
