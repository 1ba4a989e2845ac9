"""Money taken at the payment provider, one fulfillment's share at a time, once."""

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities.facts import effects, money, planning
from activities.facts.effects import OpenEffect
from activities.facts.fulfillments import locked
from activities.facts.journal import locked_order
from activities.facts.statuses import in_doubt, paid_elsewhere
from activities.failures import OutcomeUnknown, Refused
from activities.models import LEFT, FulfillmentStatus, FulfillmentStep, OrderStep, Snapshot
from activities.ports import IntentStatus, PaymentIntent, Payments
from activities.views.snapshot import snapshot
from infra.database.tables import Payment
from infra.words import AuthorizationStatus, EventType

READY = (FulfillmentStatus.PACKED, *LEFT)
"""Nothing is captured for goods that are not packed."""


class CaptureActivities:
    def __init__(self, sessions: sessionmaker[Session], payments: Payments) -> None:
        self.sessions = sessions
        self.payments = payments

    @activity.defn(name="capture_payment", no_thread_cancel_exception=True)
    def capture(self, step: FulfillmentStep) -> Snapshot:
        """Takes one fulfillment's share, once. Not `captured` afterwards: the authorization is not good for it."""
        settle_captures(self.sessions, self.payments, step, besides=step.fulfillment_id)
        with self.sessions.begin() as tx:
            order, f = locked(tx, step.fulfillment_id)
            payment = next(
                (p for p in reversed(all_payments(tx, step.order_id)) if p.status == AuthorizationStatus.AUTHORIZED),
                None,
            )
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
                money.captured(tx, step.fulfillment_id, effect.parameters["payment_id"], after, step.at)
                effects.finish(tx, effect)
            else:
                money.ended(tx, effect.parameters["payment_id"], EventType.AUTHORIZATION_ENDED, step.at)
                effects.finish(tx, effect, "authorization_ended")
            return snapshot(tx, step.order_id, [step.fulfillment_id])

    def captured(self, effect: OpenEffect, provider_id: str, before: int) -> tuple[OpenEffect, PaymentIntent]:
        """The intent after the capture; with less captured than expected when its authorization has ended."""
        expected = before + effect.parameters["amount"]

        def answered(seen: PaymentIntent) -> bool:
            return seen.captured >= expected or seen.status != IntentStatus.AUTHORIZED

        if not effect.fresh:
            if answered(seen := self.payments.intent(provider_id)):
                return effect, seen
            with self.sessions.begin() as tx:
                effect = effects.call_again(tx, effect)
        try:
            return effect, self.payments.capture(
                provider_id, amount=effect.parameters["amount"], final=effect.parameters["final"], key=effect.key
            )
        except Refused:
            if answered(seen := self.payments.intent(provider_id)):
                return effect, seen
            raise


def settle_captures(
    sessions: sessionmaker[Session], payments: Payments, step: OrderStep, *, besides: str | None = None
) -> None:
    """A capture whose answer was lost is looked up before other money of the order moves: what was taken is put on
    record, so that it is counted and can be given back."""
    with sessions() as tx:
        lost = in_doubt(tx, step.order_id, "capture") - {besides}
    for fulfillment_id in sorted(lost):
        settle_capture(sessions, payments, step, fulfillment_id)


def settle_capture(sessions: sessionmaker[Session], payments: Payments, step: OrderStep, fulfillment_id: str) -> None:
    with sessions.begin() as tx:
        locked_order(tx, step.order_id)
        if fulfillment_id not in in_doubt(tx, step.order_id, "capture"):
            return
        effect = effects.begin(tx, step.order_id, f"capture:{fulfillment_id}")
        payment = tx.get_one(Payment, effect.parameters["payment_id"])
        provider_id, expected = str(payment.intent), payment.captured + effect.parameters["amount"]
    seen = payments.intent(provider_id)
    taken = seen.captured >= expected
    if not taken and not effect.settled:
        raise OutcomeUnknown("payments", "settling", "A capture may be under way.", retry_in=effect.settles_in)
    with sessions.begin() as tx:
        locked_order(tx, step.order_id)
        if fulfillment_id in in_doubt(tx, step.order_id, "capture"):
            effects.finish(tx, effect, "done" if taken else "nothing_happened")
            if taken:
                money.captured(tx, fulfillment_id, effect.parameters["payment_id"], seen, step.at)


def all_payments(tx: Session, order_id: str) -> list[Payment]:
    return list(tx.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.n)))
