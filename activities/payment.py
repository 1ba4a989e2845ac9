"""Money set aside at the payment provider, and let go again. Each effect once, whatever crashes."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import news
from activities.capture import all_payments, settle_captures
from activities.facts import effects, elsewhere, money, renewal, rest
from activities.facts.bill import bill
from activities.facts.effects import OpenEffect
from activities.facts.fulfillments import locked
from activities.facts.journal import locked_order
from activities.facts.news import matching
from activities.facts.sums import SET_ASIDE
from activities.facts.units import total
from activities.facts.waiting import WAITS
from activities.failures import Refused, Unavailable
from activities.given_intents import taken_over
from activities.models import FulfillmentStatus, FulfillmentStep, OrderStep, Policy, Snapshot, Subject, Value
from activities.ports import IntentStatus, PaymentIntent, Payments
from activities.views.snapshot import snapshot
from infra.database.tables import Customer, Payment
from infra.words import AuthorizationStatus, EventType

USUAL = Policy()
UNCONFIRMED = (AuthorizationStatus.ASKED, AuthorizationStatus.ACTION_REQUIRED)
TOO_SMALL = "amount_too_small"
"""How the provider refuses an amount that it takes no charge for."""

WITH_NEWS = (
    select(Payment, WAITS).where(Payment.payment_id == bindparam("asked")).execution_options(populate_existing=True)
)


class Asked(Value):
    """A payment to be authorized, as one attempt sees it."""

    payment_id: int
    n: int
    customer_id: str
    provider_customer: str
    making_customer: OpenEffect | None
    """The customer is not known to the provider yet."""
    intent_id: str | None
    method: str
    amount: int
    currency: str
    off_session: bool
    unseen: bool
    """A given intent that is to be looked at."""
    of_the_rest: bool
    """Money was set aside for this order before."""
    pay_until: datetime | None
    """When the order is cancelled without it."""


class PaymentActivities:
    def __init__(
        self,
        sessions: sessionmaker[Session],
        payments: Payments,
        payment_deadline: timedelta = USUAL.payment_deadline,
    ) -> None:
        self.sessions = sessions
        self.payments = payments
        self.payment_deadline = payment_deadline

    @activity.defn(name="authorize_payment", no_thread_cancel_exception=True)
    def authorize(self, step: OrderStep) -> Snapshot:
        """Sets aside what the newest payment asks for, once per payment. Undone by `void_payments`."""
        with self.sessions.begin() as tx:
            asked = self.to_authorize(tx, step.order_id)
            if asked is None:
                effects.finish_answered(tx, step.order_id, "authorize:")
                return snapshot(tx, step.order_id)
            effect = effects.begin(tx, step.order_id, f"authorize:{asked.n}")
        self.supersede(step, asked.n, UNCONFIRMED)
        try:
            effect, answer = self.bank_answer(step.order_id, asked, effect)
        except Refused as refused:
            if refused.code != TOO_SMALL or not asked.of_the_rest:
                raise
            return self.rest_too_small(step, asked, effect)
        if answer.status == IntentStatus.AUTHORIZED:
            self.supersede(step, asked.n, SET_ASIDE)
        with self.sessions.begin() as tx:
            money.answered(tx, asked.payment_id, answer, step.at, pay_until=asked.pay_until)
            if asked.unseen:
                matching.matched(tx, [news.reference("intent", answer.intent_id)])
            effects.finish(tx, effect)
            return snapshot(tx, step.order_id)

    @activity.defn(name="reauthorize_payment", no_thread_cancel_exception=True)
    def reauthorize(self, step: FulfillmentStep) -> Snapshot:
        """A new authorization, off session, for what is still to be captured: the old one has ended."""
        settle_captures(self.sessions, self.payments, step)
        with self.sessions.begin() as tx:
            order, f = locked(tx, step.fulfillment_id)
            payments = all_payments(tx, step.order_id)
            now = bill(tx, order)
            mine = total(now.unpaid.get(step.fulfillment_id, ())) - now.elsewhere
            if mine <= 0 or f.status == FulfillmentStatus.CANCELLED:
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            if any(covers(p, mine, step.at) for p in payments):
                effects.finish_answered(tx, step.order_id, "authorize:")
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            waits = any(p.status == AuthorizationStatus.ASKED for p in payments)
            if not waits and (
                elsewhere.wants_a_person(tx, order, payments[-1], step.at)
                or not renewal.asked(tx, order, now.to_capture, step.at)
            ):
                return snapshot(tx, step.order_id, [step.fulfillment_id])
        return self.authorize(step)

    @activity.defn(name="void_payments", no_thread_cancel_exception=True)
    def void(self, step: OrderStep) -> Snapshot:
        """Gives back every authorization that is left, one made by a lost answer too. Undo of `authorize_payment`."""
        settle_captures(self.sessions, self.payments, step)
        with self.sessions.begin() as tx:
            states = (*SET_ASIDE, AuthorizationStatus.ASKED)
            due = [p.payment_id for p in all_payments(tx, step.order_id) if p.status in states]
        for payment_id in due:
            self.void_one(step, payment_id)
        with self.sessions.begin() as tx:
            effects.finish_answered(tx, step.order_id, "void:")
            return snapshot(tx, step.order_id)

    # --- steps of the above ------------------------------------------------------------------------------------------

    def to_authorize(self, tx: Session, order_id: str) -> Asked | None:
        order = locked_order(tx, order_id)
        payments = all_payments(tx, order_id)
        payment = next((p for p in reversed(payments) if p.status == AuthorizationStatus.ASKED), None)
        if payment is None and payments and payments[-1].status == AuthorizationStatus.ACTION_REQUIRED:
            payment = payments[-1]
        if payment is None:
            return None
        of_the_rest = any(p.status in money.ONCE_GOOD for p in payments)
        customer = money.locked_customer(tx, order.buyer)
        known, about = customer.provider_customer or "", Subject("customer", customer.customer_id)
        to_make = not known and not payment.unseen
        return Asked(
            payment_id=payment.payment_id,
            n=payment.n,
            customer_id=customer.customer_id,
            provider_customer=known,
            making_customer=effects.begin_about(tx, about, "create") if to_make else None,
            intent_id=payment.intent,
            method=payment.method,
            amount=payment.amount,
            currency=order.currency,
            off_session=payment.off_session,
            unseen=payment.unseen,
            of_the_rest=of_the_rest,
            pay_until=None if of_the_rest else order.placed_at + self.payment_deadline,
        )

    def rest_too_small(self, step: OrderStep, asked: Asked, effect: OpenEffect) -> Snapshot:
        """The authorization has lapsed, and what is left is less than the provider takes: a person decides."""
        with self.sessions.begin() as tx:
            rest.too_small(tx, asked.payment_id, TOO_SMALL, step.at)
            effects.finish(tx, effect, TOO_SMALL)
            return snapshot(tx, step.order_id)

    def supersede(self, step: OrderStep, n: int, states: tuple[AuthorizationStatus, ...]) -> None:
        """Earlier payments end: one that waits for the customer before the new one is asked for, a good one after."""
        if n == 1:  # nothing is earlier
            return
        with self.sessions.begin() as tx:
            old = [p.payment_id for p in all_payments(tx, step.order_id) if p.n < n and p.status in states]
        if old:
            settle_captures(self.sessions, self.payments, step)
        for payment_id in old:
            self.void_one(step, payment_id)

    def bank_answer(self, order_id: str, asked: Asked, effect: OpenEffect) -> tuple[OpenEffect, PaymentIntent]:
        """Creates unconfirmed (harmless if lost), records the id, confirms. Looks before it repeats."""
        if asked.unseen and asked.intent_id:
            return effect, self.looked_at(order_id, asked.n, asked.intent_id, asked.amount, asked.currency, effect)
        customer = asked.provider_customer
        if asked.making_customer:
            customer = self.make_customer(asked.customer_id, asked.making_customer)
        found = self.payments.intent(asked.intent_id) if asked.intent_id else None
        if found is None and not effect.fresh:
            found = self.lost_intent(customer, order_id, asked.n)
        if found is None or found.status == IntentStatus.UNCONFIRMED:
            with self.sessions.begin() as tx:
                effect = effects.call_again(tx, effect)
        if found is None:
            found = self.payments.create_intent(
                amount=asked.amount,
                currency=asked.currency,
                customer=customer,
                payment_method=asked.method,
                metadata=marks(order_id, asked.n),
                off_session=asked.off_session,
                key=effect.key,
            )
        if asked.intent_id is None and found.intent_id:
            self.made(order_id, asked, effect, found.intent_id)
        if found.status == IntentStatus.UNCONFIRMED:
            found = self.payments.confirm(found.intent_id, off_session=asked.off_session, key=f"{effect.key}:confirm")
        return effect, found

    def made(self, order_id: str, asked: Asked, effect: OpenEffect, provider_id: str) -> None:
        """On record before it is confirmed. A payment that was ended meanwhile is not confirmed any more."""
        with self.sessions.begin() as tx:
            locked_order(tx, order_id)
            about = news.reference("intent", provider_id)
            payment, news_waits = tx.execute(WITH_NEWS, {"asked": asked.payment_id, "about": [about]}).one()
            wanted = payment.status in UNCONFIRMED and payment.intent in (None, provider_id)
            if wanted:
                payment.intent = provider_id
            if wanted and news_waits:
                matching.matched(tx, [about])
        if not wanted:
            self.payments.void(provider_id, key=f"{effect.key}:unwanted")
            raise Unavailable("payments", "ended_meanwhile", "The payment was ended before it was confirmed.")

    def make_customer(self, customer_id: str, effect: OpenEffect) -> str:
        """Orders at the same time share the effect. A customer made twice is empty: the one on record counts."""
        if not effect.fresh:
            with self.sessions.begin() as tx:
                if known := money.locked_customer(tx, customer_id).provider_customer:
                    return known
                effect = effects.call_again(tx, effect)
        made = self.payments.create_customer(customer_id, key=effect.key)
        with self.sessions.begin() as tx:
            effects.finish(tx, effect)
            return money.customer_known(tx, customer_id, made)

    def lost_intent(self, customer: str, order_id: str, n: int) -> PaymentIntent | None:
        mine = marks(order_id, n).items()
        return next((p for p in self.payments.intents_of(customer) if mine <= p.metadata.items()), None)

    def looked_at(
        self, order_id: str, n: int, intent_id: str, amount: int, currency: str, effect: OpenEffect
    ) -> PaymentIntent:
        key = f"{effect.key}:mark"
        return taken_over(self.payments, intent_id, amount=amount, currency=currency, marks=marks(order_id, n), key=key)

    def void_one(self, step: OrderStep, payment_id: int) -> None:
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)
            payment = tx.get_one(Payment, payment_id)
            provider_id, n, unseen = payment.intent, payment.n, payment.unseen
            amount, currency = payment.amount, order.currency
            customer = tx.get_one(Customer, order.customer_id).provider_customer
            maybe_made = effects.unresolved(tx, step.order_id, f"authorize:{n}")
            effect = effects.begin(tx, step.order_id, f"void:{n}")
        with self.sessions.begin() as tx:
            effect = effects.call_again(tx, effect)
        if provider_id is None and maybe_made and customer:
            lost = self.lost_intent(customer, step.order_id, n)
            provider_id = lost.intent_id if lost else None
        if provider_id and unseen:
            seen = self.looked_at(step.order_id, n, provider_id, amount, currency, effect)
            unseen = seen.status != IntentStatus.AUTHORIZED
        after = self.payments.void(provider_id, key=effect.key) if provider_id and not unseen else None
        with self.sessions.begin() as tx:
            locked_order(tx, step.order_id)
            payment = tx.get_one(Payment, payment_id, populate_existing=True)
            if payment.intent not in (None, provider_id):
                raise Unavailable("payments", "made_meanwhile", "The payment was made just now: it is voided next.")
            found_now = provider_id if payment.intent is None else None
            payment.intent = None if unseen else provider_id
            effects.finish(tx, effect)
            money.ended(tx, payment_id, EventType.VOIDED, step.at, taken=after.captured if after else 0)
            if found_now:
                matching.matched(tx, [news.reference("intent", found_now)])


def marks(order_id: str, n: int) -> dict[str, str]:
    """What an intent of ours says of itself."""
    return {"order_id": order_id, "payment": str(n)}


def covers(payment: Payment, amount: int, at: datetime) -> bool:
    good = payment.capture_before is None or payment.capture_before > at
    return payment.status == AuthorizationStatus.AUTHORIZED and payment.amount - payment.captured >= amount and good
