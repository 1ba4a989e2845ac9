"""The figures that an order's statuses are derived from: one statement, whatever the order has, and as many rows as it
has kinds of parts, not parts."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from activities.facts.bill import bill
from activities.facts.sum_parts import EVERY_SUM
from infra.database.tables import (
    Order,
)
from infra.words import (
    AuthorizationStatus,
    FulfillmentStatus,
    MoneyMoveKind,
    ReservationStatus,
    TenderDue,
)
from infra.words.stock import UNSENT

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
    """Or displaced: set aside, and not gone."""
    displaced: int
    """Those of them that somebody else has taken, and of which nothing is asked yet."""
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

    due_later: bool = False
    """It is paid as it is handed over."""

    @property
    def next_deadline(self) -> datetime | None:
        return min(self.deadlines.values(), default=None)

    @property
    def open_payments(self) -> bool:
        return any(p.status in SET_ASIDE or (p.status == AuthorizationStatus.ASKED and p.known) for p in self.payments)

    @property
    def to_come(self) -> bool:
        """Units that are to be sent and are in no fulfillment yet."""
        return bool(self.waiting or self.unplanned or self.displaced or self.unreserved > 0)


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
    held, waiting = sum(figures["reserved", status] for status in UNSENT), figures["waiting", None]
    return Sums(
        fulfillments=fulfillments,
        payments=sorted(payments),
        authorized=figures["money", MoneyMoveKind.AUTHORIZED],
        # of what was paid for other goods, and now pays for these: their pair is of that order
        captured=figures["money", MoneyMoveKind.CAPTURED] + max(0, figures["money", MoneyMoveKind.ASSIGNED]),
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
        displaced=figures["displaced", None],
        open_holds=open_holds,
        open_changes=figures["changes", None],
        open_labels=figures["labels", None],
        elsewhere=max(0, figures["elsewhere", None]),
        open_refunds=figures["refunds", None],
        disputes=figures["disputes", None],
        telling=figures["telling", None],
        deadlines=deadlines,
        paid_elsewhere=paid_elsewhere(tx, order, dues),
        due_later=TenderDue.AT_HAND_OVER in dues,
    )


def paid_elsewhere(tx: Session, order: Order, dues: set[TenderDue]) -> bool:
    if TenderDue.BEFORE_RELEASE not in dues or not order.total:
        return True
    # what others have taken may pay, by now, for all that is still to be sent
    return len(dues) > 1 and not bill(tx, order).to_capture
