"""What must happen at a time: each kind declared once. The rows are in `facts.deadlines`, what is done in
`facts.passing`."""

from datetime import timedelta
from typing import NamedTuple

from infra.words import DeadlineKind, MessageKind


class Declared(NamedTuple):
    counts_from: str
    """The fact that its instant comes from."""
    ends_with: str
    """What makes it pointless."""
    margin: timedelta = timedelta()
    """How long before or after that instant."""
    while_held: bool = True
    """Whether it acts while somebody has stopped the order."""
    while_cancelling: bool = False
    after_the_end: bool = False
    """Whether it starts a closed order's run again."""
    message: MessageKind | None = None
    """What the customer hears, or the place."""


DECLARED = {
    DeadlineKind.AUTHORIZATION_ENDS: Declared(
        counts_from="a day before the authorization ends; its end, once a renewal was asked for",
        ends_with="all captured, voided, ended",
        margin=timedelta(days=1),
        while_cancelling=True,
        message=MessageKind.PAYMENT_PROBLEM,
    ),
    DeadlineKind.PROMISE_PASSES: Declared(
        counts_from="the end of the last promised day, where the customer lives",
        ends_with="nothing is waited for any more",
        message=MessageKind.DELAYED,
    ),
    DeadlineKind.DELIVERY_DUE: Declared(
        counts_from="the end of the day that the order was promised for, where the customer lives",
        ends_with="all has arrived, or the order ends",
        message=MessageKind.DELAYED,
    ),
    DeadlineKind.BACKORDER_OVERDUE: Declared(
        counts_from="14 days after the end of the day that was promised first, or after *retry*",
        ends_with="nothing is waited for any more",
        margin=timedelta(days=14),
    ),
    DeadlineKind.HOLD_FORGOTTEN: Declared(
        counts_from="each day since an operator stopped the order",
        ends_with="the hold is closed",
        margin=timedelta(days=1),
        while_cancelling=True,
    ),
    DeadlineKind.PAYMENT_REMINDER: Declared(
        counts_from="half-way from the bank's question to the payment deadline",
        ends_with="the customer has answered it, or another payment was asked for",
        while_held=False,
        message=MessageKind.PAYMENT_REMINDER,
    ),
    DeadlineKind.PARCELS_TOLD: Declared(
        counts_from="`ORDERS_PARCELS_TOLD_WITHIN` after parcels were last told to do the same",
        ends_with="they were told with something else",
        while_cancelling=True,
        after_the_end=True,
    ),
    DeadlineKind.DISPUTE_DUE: Declared(
        counts_from="two days before the bank stops taking evidence",
        ends_with="the bank has our evidence, or has decided",
        margin=timedelta(days=2),
        while_cancelling=True,
        after_the_end=True,
    ),
    DeadlineKind.PICKUP_REMINDER: Declared(
        counts_from="two days before a pickup's time is over",
        ends_with="it was picked up, or will not be",
        margin=timedelta(days=2),
        message=MessageKind.PICKUP_REMINDER,
    ),
    DeadlineKind.PICKUP_EXPIRY: Declared(
        counts_from="`ORDERS_PICKUP_WINDOW` after it was ready; as long again where it was extended",
        ends_with="it was picked up, or will not be",
        message=MessageKind.PICKUP_EXPIRED,
    ),
    DeadlineKind.PICKUP_CHOICE: Declared(
        counts_from="three days after the customer was asked what to do without their store",
        ends_with="they have chosen, or nothing of it is left",
        margin=timedelta(days=3),
        message=MessageKind.PARTLY_CANCELLED,
    ),
    DeadlineKind.STORE_REMINDER: Declared(
        counts_from="each 4 hours since an own place was asked, and mailed",
        ends_with="it has accepted, begun, refused or packed; or is to stop",
        margin=timedelta(hours=4),
        message=MessageKind.STORE_REMINDER,
    ),
}
