"""Money at the payment provider: set aside, taken per fulfillment, given back. Each effect once, whatever crashes."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities.facts import effects, money, planning, rest
from activities.facts.effects import OpenEffect
from activities.facts.fulfillments import locked
from activities.facts.journal import locked_order
from activities.facts.placing import ask_payment
from activities.facts.statuses import in_doubt, paid_elsewhere
from activities.facts.sums import LIVE
from activities.failures import OutcomeUnknown, Refused, Unavailable
from activities.models import LEFT, CoverStep, FulfillmentStatus, FulfillmentStep, OrderStep, Snapshot, Subject, Value
from activities.ports import IntentStatus, PaymentIntent, Payments
from activities.views.snapshot import snapshot
from infra.database.tables import Customer, MoneyMove, Payment, Refund
from infra.words import EventType

READY = (FulfillmentStatus.PACKED, *LEFT)
"""Nothing is captured for goods that are not packed."""
ONCE_GOOD = ("authorized", "captured", "ended")
"""Payments that set money aside once."""
TOO_SMALL = "amount_too_small"
"""How the provider refuses an amount that it takes no charge for."""


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
    of_the_rest: bool
    """Money was set aside for this order before."""


class PaymentActivities:
    def __init__(self, sessions: sessionmaker[Session], payments: Payments) -> None:
        self.sessions = sessions
        self.payments = payments

    @activity.defn(name="authorize_payment")
    def authorize(self, step: OrderStep) -> Snapshot:
        """Sets aside what the newest payment asks for, once per payment. Undone by `void_payments`."""
        with self.sessions.begin() as tx:
            asked = self.to_authorize(tx, step.order_id)
            if asked is None:
                effects.finish_answered(tx, step.order_id, "authorize:")
                return snapshot(tx, step.order_id)
            effect = effects.begin(tx, step.order_id, f"authorize:{asked.n}")
        self.supersede(step, asked.n, ("action_required", "asked"))
        try:
            effect, answer = self.bank_answer(step.order_id, asked, effect)
        except Refused as refused:
            if refused.code != TOO_SMALL or not asked.of_the_rest:
                raise
            return self.rest_too_small(step, asked, effect)
        if answer.status == IntentStatus.AUTHORIZED:
            self.supersede(step, asked.n, LIVE)
        with self.sessions.begin() as tx:
            effects.finish(tx, effect)
            money.answered(tx, asked.payment_id, answer, step.at)
            return snapshot(tx, step.order_id)

    @activity.defn(name="reauthorize_payment")
    def reauthorize(self, step: CoverStep) -> Snapshot:
        """A new authorization, off session, for what is still to be captured: the old one has ended or is about to."""
        self.settle_captures(step)
        with self.sessions.begin() as tx:
            order, f = locked(tx, step.fulfillment_id)
            payments = all_payments(tx, step.order_id)
            if f.captured or not f.amount or f.status == FulfillmentStatus.CANCELLED:
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            if any(covers(p, f.amount, step.good_until) for p in payments):
                effects.finish_answered(tx, step.order_id, "authorize:")
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            if not any(p.status == "asked" for p in payments):
                good = [p for p in payments if p.status in ONCE_GOOD]
                method = (good or payments)[-1].method
                ask_payment(tx, order, method, planning.still_to_capture(tx, order), off_session=bool(good))
        return self.authorize(step)

    @activity.defn(name="capture_payment")
    def capture(self, step: FulfillmentStep) -> Snapshot:
        """Takes one fulfillment's share, once. Not `captured` afterwards: the authorization is not good for it."""
        self.settle_captures(step, besides=step.fulfillment_id)
        with self.sessions.begin() as tx:
            order, f = locked(tx, step.fulfillment_id)
            payment = next((p for p in reversed(all_payments(tx, step.order_id)) if p.status == "authorized"), None)
            if f.status not in READY:
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            if f.captured or paid_elsewhere(order) or not f.amount:
                money.nothing_to_capture(tx, step.fulfillment_id)
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            name = f"capture:{step.fulfillment_id}"
            if payment is None and not effects.unresolved(tx, step.order_id, name):
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            final = not (payment and payment.multicapture) or planning.still_to_capture(tx, order) <= f.amount
            effect = effects.begin(
                tx, step.order_id, name, payment_id=payment.payment_id if payment else 0, amount=f.amount, final=final
            )
            payment = tx.get_one(Payment, effect.parameters["payment_id"])
            provider_id, before = str(payment.intent), payment.captured
        effect, after = self.captured(effect, provider_id, before)
        with self.sessions.begin() as tx:
            if after.captured >= before + effect.parameters["amount"]:
                effects.finish(tx, effect)
                money.captured(tx, step.fulfillment_id, effect.parameters["payment_id"], after, step.at)
            else:
                effects.finish(tx, effect, "authorization_ended")
                money.ended(tx, effect.parameters["payment_id"], EventType.AUTHORIZATION_ENDED, step.at)
            return snapshot(tx, step.order_id, [step.fulfillment_id])

    @activity.defn(name="void_payments")
    def void(self, step: OrderStep) -> Snapshot:
        """Gives back every authorization that is left, one made by a lost answer too. Undo of `authorize_payment`."""
        self.settle_captures(step)
        with self.sessions.begin() as tx:
            due = [p.payment_id for p in all_payments(tx, step.order_id) if p.status in (*LIVE, "asked")]
        for payment_id in due:
            self.void_one(step, payment_id)
        with self.sessions.begin() as tx:
            effects.finish_answered(tx, step.order_id, "void:")
            return snapshot(tx, step.order_id)

    @activity.defn(name="refund_payment")
    def refund(self, step: FulfillmentStep) -> Snapshot:
        """Gives back what was captured for goods that will not leave, once; asked again it fetches the bank's
        answer."""
        self.settle_captures(step)
        with self.sessions.begin() as tx:
            _, f = locked(tx, step.fulfillment_id)
            pending = tx.scalars(
                select(Refund.reference).where(Refund.fulfillment_id == step.fulfillment_id, Refund.status == "pending")
            ).first()
            payment = captured_by(tx, step.fulfillment_id)
            if not pending and (payment is None or not f.captured or f.status != FulfillmentStatus.CANCELLED):
                money.nothing_to_refund(tx, step.fulfillment_id)
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            if not pending and payment:
                effect = effects.begin(
                    tx,
                    step.order_id,
                    f"refund:{step.fulfillment_id}",
                    payment_id=payment.payment_id,
                    intent=payment.intent,
                    amount=f.amount,
                )
        if pending:
            seen = self.payments.refund_status(pending)
            with self.sessions.begin() as tx:
                money.refund_seen(tx, pending, seen.status, step.at)
                return snapshot(tx, step.order_id, [step.fulfillment_id])
        provider_id, mark = effect.parameters["intent"], {"order_id": step.order_id, "refund": step.fulfillment_id}
        done = None
        if not effect.fresh:
            mine = [r for r in self.payments.refunds(provider_id) if r.metadata.get("refund") == mark["refund"]]
            done = mine[0] if mine else None
            if not done:
                effect = self.again(effect)
        done = done or self.payments.refund(
            provider_id, amount=effect.parameters["amount"], metadata=mark, key=effect.key
        )
        with self.sessions.begin() as tx:
            effects.finish(tx, effect)
            money.refund_asked(tx, effect.parameters["payment_id"], step.fulfillment_id, done, step.at)
            return snapshot(tx, step.order_id, [step.fulfillment_id])

    # --- steps of the above ------------------------------------------------------------------------------------------

    def to_authorize(self, tx: Session, order_id: str) -> Asked | None:
        order = locked_order(tx, order_id)
        payments = all_payments(tx, order_id)
        payment = next((p for p in reversed(payments) if p.status == "asked"), None)
        if payment is None and payments and payments[-1].status == "action_required":
            payment = payments[-1]
        if payment is None:
            return None
        customer = money.locked_customer(tx, order.customer_id)
        known, about = customer.provider_customer or "", Subject("customer", customer.customer_id)
        return Asked(
            payment_id=payment.payment_id,
            n=payment.n,
            customer_id=customer.customer_id,
            provider_customer=known,
            making_customer=None if known else effects.begin_about(tx, about, "create"),
            intent_id=payment.intent,
            method=payment.method,
            amount=payment.amount,
            currency=order.currency,
            off_session=payment.off_session,
            of_the_rest=any(p.status in ONCE_GOOD for p in payments),
        )

    def rest_too_small(self, step: OrderStep, asked: Asked, effect: OpenEffect) -> Snapshot:
        """The authorization has lapsed, and what is left is less than the provider takes: a person decides."""
        with self.sessions.begin() as tx:
            effects.finish(tx, effect, TOO_SMALL)
            rest.too_small(tx, asked.payment_id, TOO_SMALL, step.at)
            return snapshot(tx, step.order_id)

    def supersede(self, step: OrderStep, n: int, states: tuple[str, ...]) -> None:
        """Earlier payments end: one that waits for the customer before the new one is asked for, a good one after."""
        with self.sessions.begin() as tx:
            old = [p.payment_id for p in all_payments(tx, step.order_id) if p.n < n and p.status in states]
        if old:
            self.settle_captures(step)
        for payment_id in old:
            self.void_one(step, payment_id)

    def bank_answer(self, order_id: str, asked: Asked, effect: OpenEffect) -> tuple[OpenEffect, PaymentIntent]:
        """Creates unconfirmed (harmless if lost), records the id, confirms. Looks before it repeats."""
        customer = asked.provider_customer
        if asked.making_customer:
            customer = self.make_customer(asked.customer_id, asked.making_customer)
        found = self.payments.intent(asked.intent_id) if asked.intent_id else None
        if found is None and not effect.fresh:
            found = self.lost_intent(customer, order_id, asked.n)
        if found is None or found.status == IntentStatus.UNCONFIRMED:
            effect = self.again(effect)
        if found is None:
            found = self.payments.create_intent(
                amount=asked.amount,
                currency=asked.currency,
                customer=customer,
                payment_method=asked.method,
                metadata={"order_id": order_id, "payment": str(asked.n)},
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
            payment = tx.get_one(Payment, asked.payment_id, populate_existing=True)
            wanted = payment.status in ("asked", "action_required") and payment.intent in (None, provider_id)
            if wanted:
                payment.intent = provider_id
        if not wanted:
            self.payments.void(provider_id, key=f"{effect.key}:unwanted")
            raise Unavailable("payments", "ended_meanwhile", "The payment was ended before it was confirmed.")

    def again(self, effect: OpenEffect) -> OpenEffect:
        """For a call that may be repeated: with a new key once a look-up is sure that nothing happened."""
        if effect.fresh:
            return effect
        with self.sessions.begin() as tx:
            return effects.call_again(tx, effect)

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
        mine = {"order_id": order_id, "payment": str(n)}
        return next((p for p in self.payments.intents_of(customer) if mine.items() <= p.metadata.items()), None)

    def captured(self, effect: OpenEffect, provider_id: str, before: int) -> tuple[OpenEffect, PaymentIntent]:
        """The intent after the capture; with less captured than expected when its authorization has ended."""
        expected = before + effect.parameters["amount"]

        def answered(seen: PaymentIntent) -> bool:
            return seen.captured >= expected or seen.status != IntentStatus.AUTHORIZED

        if not effect.fresh:
            if answered(seen := self.payments.intent(provider_id)):
                return effect, seen
            effect = self.again(effect)
        try:
            return effect, self.payments.capture(
                provider_id, amount=effect.parameters["amount"], final=effect.parameters["final"], key=effect.key
            )
        except Refused:
            if answered(seen := self.payments.intent(provider_id)):
                return effect, seen
            raise

    def settle_captures(self, step: OrderStep, *, besides: str | None = None) -> None:
        """A capture whose answer was lost is looked up before other money of the order moves: what was taken is put on
        record, so that it is counted and can be given back."""
        with self.sessions() as tx:
            lost = in_doubt(tx, step.order_id, "capture") - {besides}
        for fulfillment_id in sorted(lost):
            self.settle_capture(step, fulfillment_id)

    def settle_capture(self, step: OrderStep, fulfillment_id: str) -> None:
        with self.sessions.begin() as tx:
            locked_order(tx, step.order_id)
            if fulfillment_id not in in_doubt(tx, step.order_id, "capture"):
                return
            effect = effects.begin(tx, step.order_id, f"capture:{fulfillment_id}")
            payment = tx.get_one(Payment, effect.parameters["payment_id"])
            provider_id, expected = str(payment.intent), payment.captured + effect.parameters["amount"]
        seen = self.payments.intent(provider_id)
        taken = seen.captured >= expected
        if not taken and not effect.settled:
            raise OutcomeUnknown("payments", "settling", "A capture may be under way.", retry_in=effect.settles_in)
        with self.sessions.begin() as tx:
            locked_order(tx, step.order_id)
            if fulfillment_id in in_doubt(tx, step.order_id, "capture"):
                effects.finish(tx, effect, "done" if taken else "nothing_happened")
                if taken:
                    money.captured(tx, fulfillment_id, effect.parameters["payment_id"], seen, step.at)

    def void_one(self, step: OrderStep, payment_id: int) -> None:
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)
            payment = tx.get_one(Payment, payment_id)
            provider_id, n = payment.intent, payment.n
            customer = tx.get_one(Customer, order.customer_id).provider_customer
            maybe_made = effects.unresolved(tx, step.order_id, f"authorize:{n}")
            effect = effects.begin(tx, step.order_id, f"void:{n}")
        effect = self.again(effect)
        if provider_id is None and maybe_made and customer:
            lost = self.lost_intent(customer, step.order_id, n)
            provider_id = lost.intent_id if lost else None
        after = self.payments.void(provider_id, key=effect.key) if provider_id else None
        with self.sessions.begin() as tx:
            locked_order(tx, step.order_id)
            payment = tx.get_one(Payment, payment_id, populate_existing=True)
            if payment.intent not in (None, provider_id):
                raise Unavailable("payments", "made_meanwhile", "The payment was made just now: it is voided next.")
            payment.intent = provider_id
            effects.finish(tx, effect)
            money.ended(tx, payment_id, EventType.VOIDED, step.at, taken=after.captured if after else 0)


def covers(payment: Payment, amount: int, until: datetime) -> bool:
    good = payment.capture_before is None or payment.capture_before > until
    return payment.status == "authorized" and payment.amount - payment.captured >= amount and good


def all_payments(tx: Session, order_id: str) -> list[Payment]:
    return list(tx.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.n)))


def captured_by(tx: Session, fulfillment_id: str) -> Payment | None:
    return tx.scalars(
        select(Payment)
        .join(MoneyMove, MoneyMove.payment_id == Payment.payment_id)
        .where(MoneyMove.fulfillment_id == fulfillment_id, MoneyMove.kind == "captured")
    ).first()
