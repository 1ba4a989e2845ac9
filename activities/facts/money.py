"""Money set aside, taken, given back. Moves are added and never changed."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from activities.facts import deadlines
from activities.facts.authorizations import about, ended_unrenewed, good_besides, needs_customer, renewal_wanted
from activities.facts.fulfillments import changed, locked
from activities.facts.holds import OF_AUTHORIZATION, close_mended, opened
from activities.facts.journal import locked_order, note, outcome_known, tell
from activities.facts.statuses import derive
from activities.facts.sums import LIVE
from activities.models import FulfillmentStatus, Subject
from activities.ports import IntentStatus, PaymentIntent, RefundStatus
from activities.ports import Refund as ProviderRefund
from infra.clock import wall_clock
from infra.database.tables import Customer, Fulfillment, Hold, MoneyMove, Order, Payment, Refund, SavedMethod
from infra.hold_kinds import HoldKind
from infra.words import AuthorizationStatus, DeadlineKind, EventType, MessageKind, MoneyMoveKind


def moved(
    tx: Session,
    order: Order,
    payment: Payment,
    kind: MoneyMoveKind,
    amount: int,
    reference: str,
    at: datetime,
    f: str | None = None,
) -> None:
    tx.add(
        MoneyMove(
            order_id=order.order_id,
            payment_id=payment.payment_id,
            fulfillment_id=f,
            kind=kind,
            amount=amount,
            currency=order.currency,
            reference=reference,
            effective_at=at,
            recorded_at=wall_clock(),
        )
    )


DECIDED = (AuthorizationStatus.AUTHORIZED, AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED)
"""Payments that wait for the customer no more, and never will again."""
OVER = (AuthorizationStatus.DECLINED, AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED)


def locked_payment(tx: Session, payment_id: int) -> tuple[Order, Payment]:
    mine = (Payment.payment_id == payment_id, Payment.order_id == Order.order_id)
    order_id = tx.scalars(select(Order.order_id).where(*mine)).one()
    return locked_order(tx, order_id), tx.get_one(Payment, payment_id, populate_existing=True)


def answered(
    tx: Session, payment_id: int, answer: PaymentIntent, at: datetime, *, pay_until: datetime | None = None
) -> bool:
    """What the bank said to an authorization: yes, no, or that the customer must act. Later news wins, never
    earlier. `pay_until`: the order is cancelled if nothing was authorized by then."""
    order, payment = locked_payment(tx, payment_id)
    if payment.status in (AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED, AuthorizationStatus.AUTHORIZED):
        return False
    if answer.status == IntentStatus.CAPTURED:
        return ended(tx, payment_id, EventType.CAPTURED_ELSEWHERE, at, taken=answer.captured)
    subject = f"payment {payment.n}"
    still_good = None if answer.status == IntentStatus.AUTHORIZED else good_besides(tx, payment)
    if payment.status == AuthorizationStatus.ACTION_REQUIRED:
        deadlines.close(tx, about(payment))
    if answer.status == IntentStatus.AUTHORIZED:
        payment.status, payment.capture_before = AuthorizationStatus.AUTHORIZED, answer.capture_before
        payment.multicapture, payment.amount = answer.multicapture, answer.capturable
        payment.method = answer.payment_method or payment.method
        moved(tx, order, payment, MoneyMoveKind.AUTHORIZED, payment.amount, f"{payment.intent}", at)
        keep_method(tx, order, payment)
        renewal_wanted(tx, order, payment, at)
        note(tx, order, EventType.AUTHORIZED, at, amount=payment.amount, payment=payment.n)
        if not payment.off_session:
            tell(tx, order, MessageKind.CONFIRMED, "", total=order.total)
        by = f"payment {payment.n}"
        close_mended(tx, order.order_id, OF_AUTHORIZATION, at, by=by, why="it was authorized")
    elif answer.status == IntentStatus.ACTION_REQUIRED and payment.status != AuthorizationStatus.ACTION_REQUIRED:
        payment.status, payment.action_url = AuthorizationStatus.ACTION_REQUIRED, answer.action_url
        note(tx, order, EventType.PAYMENT_ACTION_REQUIRED, at, payment=payment.n)
        tell(tx, order, MessageKind.PAYMENT_ACTION, subject, url=answer.action_url or "")
        if pay_until and at < pay_until:
            half_way = at + (pay_until - at) / 2
            deadlines.begin(tx, order, DeadlineKind.PAYMENT_REMINDER, about(payment), half_way)
    elif payment.off_session and payment.status == AuthorizationStatus.ACTION_REQUIRED:
        return False  # the customer was asked, and this is the same refusal in other words
    elif (
        answer.status in (IntentStatus.DECLINED, IntentStatus.ENDED) and payment.status != AuthorizationStatus.DECLINED
    ):
        payment.status = AuthorizationStatus.DECLINED
        payment.decline_code = answer.decline_code or answer.status.value
        note(tx, order, EventType.DECLINED, at, code=payment.decline_code, payment=payment.n)
        until = {"good_until": still_good.isoformat(timespec="seconds")} if still_good else {}
        tell(tx, order, MessageKind.PAYMENT_PROBLEM, subject, **until)
    else:
        return False
    if payment.off_session and payment.status != AuthorizationStatus.AUTHORIZED and not still_good:
        needs_customer(tx, order, payment, at)
    derive(tx, order)
    return True


def customer_acted(tx: Session, payment_id: int, at: datetime) -> bool:
    """They have confirmed at their bank: the payment is asked about once more, as the news does not say until when
    the authorization is good."""
    order, payment = locked_payment(tx, payment_id)
    if payment.status != AuthorizationStatus.ACTION_REQUIRED:
        return False
    payment.status = AuthorizationStatus.ASKED
    deadlines.close(tx, about(payment))
    note(tx, order, EventType.PAYMENT_CONFIRMED, at, payment=payment.n)
    derive(tx, order)
    return True


def keep_method(tx: Session, order: Order, payment: Payment) -> None:
    if tx.get(SavedMethod, (order.customer_id, payment.method)) is None:
        tx.add(SavedMethod(customer_id=order.customer_id, reference=payment.method, recorded_at=wall_clock()))


def locked_customer(tx: Session, customer_id: str) -> Customer:
    """Orders of one customer meet here before it is known to the provider."""
    return tx.get_one(Customer, customer_id, with_for_update={"key_share": True}, populate_existing=True)


def customer_known(tx: Session, customer_id: str, provider_customer: str) -> str:
    """The provider's id for a customer: the first that is told."""
    customer = locked_customer(tx, customer_id)
    customer.provider_customer = customer.provider_customer or provider_customer
    return customer.provider_customer


def captured(tx: Session, fulfillment_id: str, payment_id: int, after: PaymentIntent, at: datetime) -> None:
    """One fulfillment's share was taken. `after` is the intent as the capture left it."""
    order, f = locked(tx, fulfillment_id)
    payment = tx.get_one(Payment, payment_id, populate_existing=True)
    if f.captured:
        return
    if after.status == IntentStatus.CAPTURED or not payment.multicapture:
        deadlines.close(tx, about(payment))
        payment.status = AuthorizationStatus.CAPTURED
    f.captured = True
    payment.captured += f.amount
    moved(
        tx, order, payment, MoneyMoveKind.CAPTURED, f.amount, f"{payment.intent}:{fulfillment_id}", at, fulfillment_id
    )
    note(tx, order, EventType.CAPTURED, at, fulfillment_id=fulfillment_id, amount=f.amount)
    changed(tx, order, f)


def nothing_to_capture(tx: Session, fulfillment_id: str) -> None:
    """Paid elsewhere, or costs nothing."""
    order, f = locked(tx, fulfillment_id)
    if not f.captured:
        f.captured = True
        changed(tx, order, f)


def nothing_to_refund(tx: Session, fulfillment_id: str) -> None:
    """Paid elsewhere, or cost nothing, and will not leave."""
    order, f = locked(tx, fulfillment_id)
    if f.captured and f.status == FulfillmentStatus.CANCELLED:
        f.captured = False
        changed(tx, order, f)


def ended(tx: Session, payment_id: int, event: EventType, at: datetime, *, taken: int = 0) -> bool:
    """An authorization is over before all of it was captured: `voided` by us or `expired` by itself. `taken`: what the
    provider says was captured; more than we know of is for a person."""
    order, payment = locked_payment(tx, payment_id)
    if payment.status in OVER:
        return False
    left = payment.amount - payment.captured
    if payment.status == AuthorizationStatus.AUTHORIZED:
        moved(tx, order, payment, MoneyMoveKind.VOIDED, left, f"{payment.intent}", at)
    if payment.status in LIVE:
        deadlines.close(tx, about(payment))
    payment.status = AuthorizationStatus.CAPTURED if payment.captured else AuthorizationStatus.ENDED
    note(tx, order, event, at, amount=left, payment=payment.n)
    if event == EventType.AUTHORIZATION_ENDED:
        ended_unrenewed(tx, order, at)
    if taken > payment.captured:
        opened(tx, order.order_id, HoldKind.CAPTURED_UNKNOWN, about(payment), at)
    derive(tx, order)
    return True


def taken_elsewhere(tx: Session, order_id: str) -> bool:
    """Whether the provider was ever found to have taken more than the order asked for."""
    found = select(Hold.hold_id).where(Hold.order_id == order_id, Hold.kind == HoldKind.CAPTURED_UNKNOWN).limit(1)
    return tx.scalar(found) is not None


def refund_given_up(tx: Session, fulfillment_id: str, at: datetime) -> None:
    """An operator has settled with the customer what could not be given back."""
    order, f = locked(tx, fulfillment_id)
    for call in ("refund", "capture"):
        outcome_known(tx, order.order_id, f"{call}:{fulfillment_id}", "given_up")
    pending = (Refund.fulfillment_id == fulfillment_id, Refund.status == RefundStatus.PENDING)
    tx.execute(update(Refund).where(*pending).values(status=RefundStatus.GIVEN_UP))
    f.captured = False
    note(tx, order, EventType.REFUND_GIVEN_UP, at, fulfillment_id=fulfillment_id, amount=f.amount)
    changed(tx, order, f)


def void_given_up(tx: Session, order_id: str, at: datetime) -> None:
    """An operator leaves it to the bank to let what is set aside lapse."""
    live = select(Payment.payment_id).where(
        Payment.order_id == order_id, Payment.status.in_((AuthorizationStatus.ASKED, *LIVE))
    )
    for payment_id in tx.scalars(live).all():
        ended(tx, payment_id, EventType.VOID_GIVEN_UP, at)


def refund_asked(
    tx: Session, payment_id: int, fulfillment_id: str | None, refund: ProviderRefund, at: datetime
) -> None:
    """Money on its way back. The provider may still say no, weeks later."""
    order, payment = locked_payment(tx, payment_id)
    if tx.scalars(select(Refund).where(Refund.reference == refund.refund_id)).first():
        return
    tx.add(
        Refund(
            order_id=order.order_id,
            payment_id=payment_id,
            fulfillment_id=fulfillment_id,
            amount=refund.amount,
            reference=refund.refund_id,
            status=RefundStatus.PENDING,
            recorded_at=wall_clock(),
        )
    )
    moved(tx, order, payment, MoneyMoveKind.REFUNDED, refund.amount, refund.refund_id, at, fulfillment_id)
    if fulfillment_id:
        f = tx.get_one(Fulfillment, fulfillment_id)
        f.captured = False
        f.version = order.version + 1
    note(tx, order, EventType.REFUND_ASKED, at, fulfillment_id=fulfillment_id, amount=refund.amount)
    tx.flush()
    count = tx.scalar(select(func.count()).select_from(Refund).where(Refund.order_id == order.order_id))
    tell(tx, order, MessageKind.REFUNDED, f"refund {count}", amount=refund.amount)
    refund_seen(tx, refund.refund_id, refund.status, at)
    derive(tx, order)


def moves(refund: Refund, status: RefundStatus) -> bool:
    """Whether a refund can still become that."""
    return status not in (refund.status, RefundStatus.PENDING) and refund.status != RefundStatus.FAILED


def refund_seen(tx: Session, reference: str, status: RefundStatus, at: datetime) -> bool:
    """What became of a refund. Failed: the money is back with us and a person must pay otherwise. Where a person has
    done so already, it is the success that nobody expects."""
    refund = tx.scalars(select(Refund).where(Refund.reference == reference)).first()
    if refund is None:
        return False
    order, payment = locked_payment(tx, refund.payment_id)
    tx.refresh(refund)
    if not moves(refund, status):
        return False
    given_up, refund.status = refund.status == RefundStatus.GIVEN_UP, status
    if refund.fulfillment_id:
        tx.get_one(Fulfillment, refund.fulfillment_id).version = order.version + 1
    note(tx, order, EventType(f"refund_{status}"), at, fulfillment_id=refund.fulfillment_id, amount=refund.amount)
    if status == RefundStatus.FAILED:
        moved(tx, order, payment, MoneyMoveKind.REFUND_FAILED, refund.amount, reference, at, refund.fulfillment_id)
    if given_up != (status == RefundStatus.FAILED):  # of one that was given up a failure is no news
        kind = HoldKind.REFUNDED_AFTER_ALL if given_up else HoldKind.REFUND_FAILED
        opened(tx, order.order_id, kind, Subject("refund", str(refund.refund_id)), at)
    derive(tx, order)
    return True


def disputed(tx: Session, payment_id: int, reference: str, at: datetime) -> bool:
    order, _ = locked_payment(tx, payment_id)
    opened(tx, order.order_id, HoldKind.DISPUTE, Subject("dispute", reference), at)
    derive(tx, order)
    return True
