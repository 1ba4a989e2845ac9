"""How an order was paid, as those who may read it are answered."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts.bill import bill
from activities.views.base import Amount, View
from infra.database.tables import Change, Charge, Dispute, MoneyMove, Order, Payment, Refund, RefundUnits, Tender
from infra.words import (
    AuthorizationStatus,
    DisputeStatus,
    IntentMisfit,
    MoneyMoveKind,
    PaymentMethod,
    PaymentStatus,
    RefundStatus,
    TenderDue,
    TenderKind,
)


class IntentProblem(View):
    """Why a payment intent that was given was left alone: as the order's field that it does not fit, and what to do."""

    field: str
    code: str
    message: str


class AuthorizationView(View):
    """One attempt to set money aside."""

    n: int
    status: AuthorizationStatus
    amount: Amount
    captured: Amount
    capture_before: datetime | None
    decline_code: str | None
    action_url: str | None
    """Where the customer confirms the payment (3-D Secure)."""
    client_secret: str | None
    """For the payment provider's script in the customer's browser, which confirms it; only while that is needed, and
    only to the API key that placed the order."""
    problem: IntentProblem | None = None


class RefundedUnits(View):
    line: int
    quantity: int


class RefundView(View):
    """Money asked back. `asked` of us, then `pending` at the bank."""

    refund_id: str
    amount: Amount
    credited: Amount
    """What of it moved no money: it lowered what was to be paid, or pays for what was taken in exchange."""
    status: RefundStatus
    lines: list[RefundedUnits]
    """None where only an amount was named."""
    cause: str | None = None
    """Why, by a code of whoever asked."""


class DisputeView(View):
    """The customer's bank asks a payment back. `inquiry`: it has taken nothing; `won`: or such a one ended."""

    dispute_id: str
    """The payment provider's."""
    payment: int
    """The authorization it is about."""
    amount: Amount
    reason: str
    due_by: datetime | None
    """Until when evidence is taken."""
    answered: bool
    """The bank has our evidence."""
    status: DisputeStatus


class TenderView(View):
    """A part of the order's money, and how it is paid. Drawn in order n; given back in reverse."""

    n: int
    method: PaymentMethod
    kind: TenderKind | None
    """Of what was paid elsewhere: how, where that is known."""
    reference: str
    """Of a card the method that was given first, of an intent its id, of what was paid elsewhere who was paid."""
    amount: Amount | None
    """Null: the rest."""
    due: TenderDue
    captured: Amount
    refunded: Amount
    to_come: Amount
    """Still to be captured of what is to be sent."""


class PaymentView(View):
    """Sums of what moved, and how."""

    method: PaymentMethod | None
    """Null: several `tenders`."""
    tenders: list[TenderView]
    status: PaymentStatus
    authorized: Amount
    captured: Amount
    refunded: Amount
    voided: Amount
    disputed: Amount
    """Taken by the customer's bank, and not returned: no refund."""
    authorizations: list[AuthorizationView]
    refunds: list[RefundView]
    disputes: list[DisputeView]


AGAIN = "have another way to pay given"
MISFITS = {
    IntentMisfit.UNKNOWN: {
        "field": "payment.reference",
        "message": f"the payment provider knows no such intent in this account: {AGAIN}",
    },
    IntentMisfit.OF_ANOTHER_ORDER: {
        "field": "payment.reference",
        "message": f"its metadata name another order_id: it is left to that one; {AGAIN}",
    },
    IntentMisfit.CURRENCY: {
        "field": "currency",
        "message": f"is not the order's: cancel the intent at the provider, and {AGAIN}",
    },
    IntentMisfit.AMOUNT: {
        "field": "total",
        "message": f"is not the intent's amount: cancel the intent at the provider, and {AGAIN}",
    },
    IntentMisfit.CAPTURE_METHOD: {
        "field": "payment.reference",
        "message": "is captured by itself, and capture_method must be manual: refund or cancel it at the provider, "
        f"and {AGAIN}",
    },
    IntentMisfit.STATUS: {
        "field": "payment.reference",
        "message": f"is not authorized (requires_capture), or was captured or cancelled already: {AGAIN}",
    },
}
"""By which field of the order it was seen, and what to do."""


def payment(tx: Session, order: Order, reader: str | None) -> PaymentView:
    """`reader`: the API key that asks, by its id."""
    of_tender = moved(tx, order.order_id)
    whole = Counter[MoneyMoveKind]()
    for sums in of_tender.values():
        whole.update(sums)
    disputed = select(Payment, Dispute).outerjoin(Dispute, Dispute.payment_id == Payment.payment_id)
    in_turn = disputed.where(Payment.order_id == order.order_id).order_by(Payment.n, Dispute.recorded_at)
    rows = tx.execute(in_turn).all()
    tried = list(dict.fromkeys(payment for payment, _ in rows))
    several = len(of_tender) > 1
    return PaymentView(
        method=None if several else next(iter(of_tender)).method,
        tenders=tenders(tx, order, of_tender),
        status=PaymentStatus(order.payment_status),
        authorized=whole[MoneyMoveKind.AUTHORIZED],
        captured=taken(whole),
        refunded=given_back(whole),
        voided=whole[MoneyMoveKind.VOIDED],
        disputed=whole[MoneyMoveKind.DISPUTED] - whole[MoneyMoveKind.DISPUTE_RETURNED],
        authorizations=[
            authorization(each, secret=reader is not None and reader == order.placed_by, several=several)
            for each in tried
        ],
        refunds=refunds(tx, order.order_id) if whole else [],
        disputes=[
            DisputeView(
                dispute_id=d.dispute_id,
                payment=p.n,
                amount=d.amount,
                reason=d.reason,
                due_by=d.due_by,
                answered=d.answered,
                status=d.status,
            )
            for p, d in rows
            if d
        ],
    )


def moved(tx: Session, order_id: str) -> dict[Tender, Counter[MoneyMoveKind]]:
    """By tender, in the order in which they are drawn."""
    moves = (
        select(func.coalesce(Charge.tender_n, Payment.tender_n).label("n"), MoneyMove.kind, MoneyMove.amount)
        .outerjoin(Charge, Charge.charge_id == MoneyMove.charge_id)
        .outerjoin(Payment, Payment.payment_id == MoneyMove.payment_id)
        .where(MoneyMove.order_id == order_id)
        .subquery()
    )
    rows = select(Tender, moves.c.kind, func.sum(moves.c.amount)).outerjoin(moves, moves.c.n == Tender.n)
    of_tender: dict[Tender, Counter[MoneyMoveKind]] = defaultdict(Counter)
    for tender, kind, amount in tx.execute(
        rows.where(Tender.order_id == order_id).group_by(Tender.order_id, Tender.n, moves.c.kind).order_by(Tender.n)
    ):
        of_tender[tender].update({kind: int(amount)} if kind else {})
    return of_tender


def tenders(tx: Session, order: Order, of_tender: Mapping[Tender, Counter[MoneyMoveKind]]) -> list[TenderView]:
    to_come = bill(tx, order).to_capture
    return [
        TenderView(
            n=tender.n,
            method=tender.method,
            kind=tender.kind,
            reference=tender.reference,
            amount=tender.amount,
            due=tender.due,
            captured=taken(sums),
            refunded=given_back(sums),
            to_come=to_come if tender.due == TenderDue.BEFORE_RELEASE else 0,
        )
        for tender, sums in of_tender.items()
    ]


def taken(sums: Counter[MoneyMoveKind]) -> int:
    """With what goods that were brought back pay of it."""
    return sums[MoneyMoveKind.CAPTURED] + max(0, sums[MoneyMoveKind.ASSIGNED])


def given_back(sums: Counter[MoneyMoveKind]) -> int:
    return sums[MoneyMoveKind.REFUNDED] - sums[MoneyMoveKind.REFUND_FAILED]


def refunds(tx: Session, order_id: str) -> list[RefundView]:
    units: dict[tuple[Refund, str | None], list[RefundedUnits]] = defaultdict(list)
    for refund, cause, line, quantity in tx.execute(
        select(Refund, Change.cause, RefundUnits.line_no, func.sum(RefundUnits.quantity))
        .outerjoin(RefundUnits, RefundUnits.refund_id == Refund.refund_id)
        .outerjoin(Change, Change.change_id == Refund.change_id)
        .where(Refund.order_id == order_id)
        .group_by(Refund.refund_id, Change.cause, RefundUnits.line_no)
        .order_by(Refund.n, RefundUnits.line_no)
    ):
        units[refund, cause] += [RefundedUnits(line=line, quantity=quantity)] if line else []
    return [
        RefundView(
            refund_id=refund.refund_id,
            amount=refund.amount,
            credited=refund.credited,
            status=refund.status,
            lines=lines,
            cause=cause,
        )
        for (refund, cause), lines in units.items()
    ]


def authorization(payment: Payment, *, secret: bool, several: bool) -> AuthorizationView:
    seen = AuthorizationView.model_validate(payment, from_attributes=True)
    code = payment.decline_code or ""
    wrong = IntentProblem(code=code, **MISFITS[IntentMisfit(code)]) if code in MISFITS else None
    if wrong and several:
        of_tender = f"payments[{(payment.tender_n or 1) - 1}]"
        field = {"total": f"{of_tender}.amount"}.get(wrong.field, wrong.field.replace("payment.", f"{of_tender}."))
        wrong = wrong.model_copy(update={"field": field})
    return seen.model_copy(update={"problem": wrong} | ({} if secret else {"client_secret": None}))
