"""Every order comes to its end, wherever it stands: what process, warehouse, bank and people would do next."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpx
from sqlalchemy import select

from activities import facts
from activities.facts.holds import OF_AUTHORIZATION
from activities.models import Action, FulfillmentSnapshot, FulfillmentStatus, HoldReason, Recall
from infra.database.tables import Dispute, Payment
from infra.hold_kinds import HoldKind
from infra.holds import AnyHoldKind
from infra.words import DisputeStatus, RefundStatus
from tests.machines.account import Account, Trouble
from tests.machines.asking import PLACES, SKUS

MOST_ACTS = 150
RESOLVED_BY: Mapping[AnyHoldKind, Action] = {
    HoldKind.REST_TOO_SMALL: Action.SKIP,
    HoldKind.CAPTURED_UNKNOWN: Action.SKIP,
    HoldKind.REFUND_FAILED: Action.DONE,
    HoldKind.REFUND_PAYMENT_FAILED: Action.SKIP,
    HoldKind.EXTERNAL_REFUND: Action.DONE,
    HoldKind.REFUNDED_AFTER_ALL: Action.SKIP,
    HoldKind.PAID_BACK_TWICE: Action.SKIP,
    HoldKind.DISPUTE: Action.SKIP,
    HoldKind.FULFILLMENT_REFUSED: Action.RETRY,
    HoldKind.NOT_RELEASED: Action.SKIP,
    HoldKind.BACKORDER_OVERDUE: Action.RETRY,
}
AT_ONCE = Trouble(soon=False)
"""What was called before is looked up, and not called again under the same key."""


class Manner(NamedTuple):
    """What warehouse and bank do where they have a choice."""

    can_stop: bool = True
    dispute: str = "won"
    strangers: bool = False
    """Others move money at the bank, too."""


def brought_to_its_end(account: Account, manner: Manner) -> list[str]:
    """What was done for it. AssertionError: it went on for ever."""
    done: list[str] = []
    for _ in range(MOST_ACTS):
        account.load()
        act = next(acts(account, manner), None)
        if act is None:
            return done
        done.append(act)
    raise AssertionError(f"no end of it: {done[-12:]}, {account.order}, {account.fulfillments}")


def acts(a: Account, manner: Manner) -> Iterator[str]:
    """Does the first thing that is to be done, and names it."""
    if a.unheard:
        a.hear_all()
        yield "hear"
    yield from bank(a, manner)
    yield from people(a)
    if a.called_off and a.order.to_undo:
        yield from undo(a, manner)
    elif not (a.closed or a.called_off or a.order.funded):
        if a.order.payment_ready:
            a.attempt(a.paying.authorize, a.step, AT_ONCE)
            yield "authorize"
        else:
            a.give_up()
            yield "give up"
    elif a.order.unplanned and not a.closed:
        a.stock.reserve(a.step)
        yield "reserve"
    for f in a.fulfillments.values():
        yield from forward(a, f, manner)
    if a.order.waiting and not a.closed:
        restock(a, 99)
        yield "restock"
    for refund_id in a.order.refunds:
        a.refund(refund_id, AT_ONCE)
        yield f"refund {refund_id}"
    if a.order.money_left:
        a.attempt(a.paying.void, a.step, AT_ONCE)
        yield "void"


def bank(a: Account, manner: Manner) -> Iterator[str]:
    with a.database.sessions() as tx:
        mine = select(Dispute).join(Payment, Payment.payment_id == Dispute.payment_id)
        disputes = list(tx.scalars(mine.where(Payment.order_id == a.order_id)))
    for dispute in disputes:
        if dispute.status in (DisputeStatus.OPEN, DisputeStatus.INQUIRY):
            word = manner.dispute if dispute.status == DisputeStatus.OPEN else "warning_closed"
            a.sandbox.move_dispute(dispute.dispute_id, word)  # type: ignore[arg-type]
            yield f"dispute {word}"
    for refund in a.refunds:
        if refund.status == RefundStatus.PENDING and refund.reference:
            try:
                a.sandbox.card_refund(refund.reference, "succeed")
            except httpx.HTTPStatusError:
                a.refund(refund.refund_id, AT_ONCE)  # it has come to its end, and nobody told us
            yield f"refund {refund.n} succeeds"


def people(a: Account) -> Iterator[str]:
    for hold in a.holds:
        if hold.kind in OF_AUTHORIZATION and hold.kind != HoldKind.REST_TOO_SMALL:
            if not a.order.payment_ready and not a.closed and not a.order.to_undo:
                a.give_method("visa")
                yield f"another card for {hold.kind}"
            elif a.order.payment_ready:
                a.attempt(a.paying.authorize, a.step, AT_ONCE)
                yield "authorize"
            elif a.called_off and hold.kind.reason == HoldReason.PAYMENT_ACTION:
                continue
        else:
            a.resolve(hold, RESOLVED_BY[hold.kind])
            yield f"{RESOLVED_BY[hold.kind]} {hold.kind}"


def undo(a: Account, manner: Manner) -> Iterator[str]:
    for f in a.fulfillments.values():
        asked = f.status in (FulfillmentStatus.REQUESTED, FulfillmentStatus.PACKED) or f.recall == Recall.ASKED
        if asked and f.recall != Recall.REFUSED and not f.has_left and not f.ended:
            a.stop(f.id, can=manner.can_stop)
            yield f"stop {f.id}"
    going = [f for f in a.fulfillments.values() if f.recall == Recall.REFUSED and not (f.has_left or f.ended)]
    if going:
        yield from forward(a, going[0], manner)
    a.stock.release(a.step)
    yield "release stock"


def forward(a: Account, f: FulfillmentSnapshot, manner: Manner) -> Iterator[str]:
    if f.capture_in_doubt:
        a.attempt(a.capturing.capture, a.of(f.id), AT_ONCE)
        yield f"look what was captured for {f.id}"
    if f.ended and not (f.has_left and f.amount):
        return
    if f.recall == Recall.ASKED and not f.has_left:
        a.stop(f.id, can=manner.can_stop)
        yield f"stop {f.id}"
    elif f.status in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        if not a.called_off or f.recall == Recall.REFUSED:
            a.pack(f.id)
            yield f"pack {f.id}"
    elif f.amount:
        yield from paid(a, f)
    elif f.status == FulfillmentStatus.PACKED:
        a.leave(f.id)
        yield f"leave {f.id}"
    elif f.status == FulfillmentStatus.SHIPPED:
        a.arrive(f.id)
        yield f"arrive {f.id}"


def paid(a: Account, f: FulfillmentSnapshot) -> Iterator[str]:
    if a.order.capturable + a.order.elsewhere >= f.amount:
        a.attempt(a.capturing.capture, a.of(f.id), AT_ONCE)
        yield f"capture {f.id}"
    elif a.order.payment_ready:
        a.attempt(a.paying.authorize, a.step, AT_ONCE)
        yield "authorize"
    else:
        a.attempt(a.paying.reauthorize, a.of(f.id), AT_ONCE)
        yield f"reauthorize {f.id}"


def restock(a: Account, units: int) -> None:
    reference = f"PO {len(a.events)} {a.order.version} {a.at.isoformat()}"
    received = [(sku, units) for sku in SKUS]
    a.fact(facts.inventory.received, reference=reference, location_id=PLACES[0], lines=received)
