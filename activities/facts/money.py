"""Money set aside at the bank, and let go again."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from activities.facts import deadlines, elsewhere, promises
from activities.facts.authorizations import (
    REFUSED_FOR_GOOD,
    about,
    ended_unrenewed,
    good_besides,
    needs_customer,
    renewal_wanted,
)
from activities.facts.holds import OF_AUTHORIZATION, close_mended
from activities.facts.journal import locked_order, note, tell
from activities.facts.moves import moved
from activities.facts.statuses import derive
from activities.facts.sums import SET_ASIDE
from activities.ports import IntentStatus, PaymentIntent
from infra.clock import wall_clock
from infra.database.tables import Customer, Order, Payment, SavedMethod
from infra.words import AuthorizationStatus, DeadlineKind, EventType, MessageKind, MoneyMoveKind

ONCE_GOOD = (AuthorizationStatus.AUTHORIZED, AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED)
"""Payments that set money aside once."""
OVER = (AuthorizationStatus.DECLINED, AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED)


PAYS = select(Order.order_id).where(Payment.payment_id == bindparam("payment"), Payment.order_id == Order.order_id)


def locked_payment(tx: Session, payment_id: int) -> tuple[Order, Payment]:
    order_id = tx.scalars(PAYS, {"payment": payment_id}).one()
    return locked_order(tx, order_id), tx.get_one(Payment, payment_id, populate_existing=True)


def answered(
    tx: Session, payment_id: int, answer: PaymentIntent, at: datetime, *, pay_until: datetime | None = None
) -> bool:
    """What the bank said to an authorization: yes, no, or that the customer must act. Later news wins, never
    earlier. `pay_until`: the order is cancelled if nothing was authorized by then."""
    order, payment = locked_payment(tx, payment_id)
    if payment.status in (AuthorizationStatus.CAPTURED, AuthorizationStatus.ENDED, AuthorizationStatus.AUTHORIZED):
        return False
    subject, unseen = f"payment {payment.n}", payment.unseen
    is_good = answer.status in (IntentStatus.AUTHORIZED, IntentStatus.CAPTURED)
    still_good = None if is_good else good_besides(tx, payment)
    if payment.status == AuthorizationStatus.ACTION_REQUIRED:
        deadlines.close(tx, about(payment))
    if is_good:
        payment.status, payment.capture_before = AuthorizationStatus.AUTHORIZED, answer.capture_before
        payment.multicapture, payment.amount = answer.multicapture, answer.captured + answer.capturable
        if unseen and answer.reusable and answer.customer:
            payment.reusable = customer_known(tx, order.buyer, answer.customer) == answer.customer
        payment.method = answer.payment_method or payment.method
        moved(tx, order, payment.payment_id, MoneyMoveKind.AUTHORIZED, payment.amount, f"{payment.intent}", at)
        # kept in hand: the promise is by their clock
        customer = keep_method(tx, order, payment) if payment.reusable else tx.get_one(Customer, order.customer_id)
        renewal_wanted(tx, order, payment, at)
        note(tx, order, EventType.AUTHORIZED, at, amount=payment.amount, payment=payment.n)
        if not payment.off_session:
            # where others pay a part, it may have been confirmed without this one
            first = payment.n == 1 and payment.amount == order.total
            promises.confirmed(tx, order, customer, first=first)
        by = f"payment {payment.n}"
        close_mended(tx, order.order_id, OF_AUTHORIZATION, at, by=by, why="it was authorized")
        if answer.captured:  # before we heard of it
            ended_or_taken(tx, order, payment, answer, at)
    elif answer.status == IntentStatus.ACTION_REQUIRED and payment.status != AuthorizationStatus.ACTION_REQUIRED:
        payment.status, payment.action_url = AuthorizationStatus.ACTION_REQUIRED, answer.action_url
        payment.client_secret = answer.client_secret
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
        if unseen:  # whoever it belongs to may name it
            payment.intent = None
        payment.status = AuthorizationStatus.DECLINED
        payment.decline_code = answer.decline_code or answer.status.value
        if payment.decline_code in REFUSED_FOR_GOOD:
            forget_method(tx, order, payment.method)
        note(tx, order, EventType.DECLINED, at, code=payment.decline_code, payment=payment.n)
        until = {"good_until": still_good.isoformat(timespec="seconds")} if still_good else {}
        tell(tx, order, MessageKind.PAYMENT_PROBLEM, subject, **until)
    else:
        return False
    if payment.off_session and payment.status != AuthorizationStatus.AUTHORIZED and not still_good:
        needs_customer(tx, order, payment, at)
    derive(tx, order)
    return True


def ended_or_taken(tx: Session, order: Order, payment: Payment, answer: PaymentIntent, at: datetime) -> None:
    if answer.status == IntentStatus.CAPTURED:
        ended(tx, payment.payment_id, EventType.AUTHORIZATION_ENDED, at, taken=answer.captured)
    else:
        elsewhere.taken(tx, order, payment, answer.captured, at)


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


SAME = (SavedMethod.customer_id == Customer.customer_id) & (SavedMethod.reference == bindparam("method"))
WITH_METHOD = (
    select(Customer, SavedMethod).outerjoin(SavedMethod, SAME).where(Customer.customer_id == bindparam("customer"))
)


def keep_method(tx: Session, order: Order, payment: Payment) -> Customer:
    found = tx.execute(WITH_METHOD, {"customer": order.customer_id, "method": payment.method}).one()
    customer, known = tuple[Customer, SavedMethod | None](found)
    if known is None:
        tx.add(SavedMethod(customer_id=order.customer_id, reference=payment.method, recorded_at=wall_clock()))
    return customer


def forget_method(tx: Session, order: Order, method: str) -> None:
    mine = (SavedMethod.customer_id == order.customer_id, SavedMethod.reference == method)
    tx.execute(delete(SavedMethod).where(*mine))


def locked_customer(tx: Session, customer_id: str) -> Customer:
    """Orders of one customer meet here before it is known to the provider."""
    return tx.get_one(Customer, customer_id, with_for_update={"key_share": True}, populate_existing=True)


def customer_known(tx: Session, customer_id: str, provider_customer: str) -> str:
    """The provider's id for a customer: the first that is told."""
    customer = locked_customer(tx, customer_id)
    customer.provider_customer = customer.provider_customer or provider_customer
    return customer.provider_customer


def ended(tx: Session, payment_id: int, event: EventType, at: datetime, *, taken: int = 0) -> bool:
    """An authorization is over before all of it was captured: voided by us, or by somebody else, or expired by itself.
    `taken`: what the provider says was captured of it."""
    order, payment = locked_payment(tx, payment_id)
    if payment.status in OVER:
        return bool(taken) and elsewhere.taken(tx, order, payment, taken, at) > 0
    before, captured = payment.status, payment.captured
    if before in SET_ASIDE:
        deadlines.close(tx, about(payment))
    if before not in ONCE_GOOD and taken:  # it was good, and we had not heard of it
        moved(tx, order, payment.payment_id, MoneyMoveKind.AUTHORIZED, payment.amount, f"{payment.intent}", at)
    payment.status = AuthorizationStatus.CAPTURED if captured or taken else AuthorizationStatus.ENDED
    more = elsewhere.taken(tx, order, payment, taken, at) if taken else 0
    left = payment.amount - captured - more
    if left and (taken or before == AuthorizationStatus.AUTHORIZED):
        moved(tx, order, payment.payment_id, MoneyMoveKind.VOIDED, left, f"{payment.intent}", at)
    note(tx, order, event, at, amount=left, payment=payment.n)
    if event == EventType.AUTHORIZATION_ENDED and not more:
        ended_unrenewed(tx, order, at)
    elif event == EventType.VOIDED_ELSEWHERE or more:
        elsewhere.ended_by_somebody(tx, order, payment, at)
    derive(tx, order)
    return True


def void_given_up(tx: Session, order_id: str, at: datetime) -> None:
    """An operator leaves it to the bank to let what is set aside lapse."""
    due = select(Payment.payment_id).where(
        Payment.order_id == order_id, Payment.status.in_((AuthorizationStatus.ASKED, *SET_ASIDE))
    )
    for payment_id in tx.scalars(due).all():
        ended(tx, payment_id, EventType.VOID_GIVEN_UP, at)
