"""Money taken at the payment provider, one charge at a time, once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities.facts import charges, effects, elsewhere, money
from activities.facts.bill import bill
from activities.facts.effects import OpenEffect
from activities.facts.fulfillments import locked
from activities.facts.journal import MINE, locked_order
from activities.facts.refunds import owed_back
from activities.facts.statuses import captures_in_doubt
from activities.failures import OutcomeUnknown, Refused
from activities.models import AT_REST, LEFT, FulfillmentStatus, FulfillmentStep, OrderStep, Snapshot
from activities.ports import IntentStatus, PaymentIntent, Payments
from activities.views.snapshot import snapshot
from infra.database.tables import Fulfillment, MoneyMove, Order, Payment
from infra.words import AuthorizationStatus, EventType, MoneyMoveKind

READY = (*AT_REST, *LEFT)
"""Nothing is captured for goods that are not packed."""


class CaptureActivities:
    def __init__(self, sessions: sessionmaker[Session], payments: Payments) -> None:
        self.sessions = sessions
        self.payments = payments

    @activity.defn(name="capture_payment", no_thread_cancel_exception=True)
    def capture(self, step: FulfillmentStep) -> Snapshot:
        """Takes what one fulfillment's units cost that is not paid, once. Not paid afterwards: the authorization is not
        good for it. Of one that was cancelled it is only looked up what was taken."""
        with self.sessions.begin() as tx:
            order, f = locked(tx, step.fulfillment_id)
            doubt = captures_in_doubt(tx, step.order_id)
            mine = doubt.get(step.fulfillment_id)
            others = doubt.keys() - {step.fulfillment_id}
            is_ready, cancelled = f.status in READY, f.status == FulfillmentStatus.CANCELLED
            effect = self.to_capture(tx, order, f, mine, step.at) if is_ready and not others else None
            if effect:
                provider_id = str(tx.get_one(Payment, effect.parameters["payment_id"]).intent)
            elif not (others or (cancelled and mine)):
                return snapshot(tx, step.order_id, [step.fulfillment_id])
        if effect is None:
            settle_captures(self.sessions, self.payments, step, besides=None if cancelled else step.fulfillment_id)
            if is_ready:
                return self.capture(step)
            with self.sessions.begin() as tx:
                return snapshot(tx, step.order_id, [step.fulfillment_id])
        effect, after = self.captured(effect, provider_id)
        with self.sessions.begin() as tx:
            if is_taken(effect, after):
                charges.captured(tx, step.fulfillment_id, effect.parameters, after, step.at)
                effects.finish(tx, effect)
                seen_more(tx, effect, after, step.at)
            else:
                not_taken(tx, effect, after, step.at)
            return snapshot(tx, step.order_id, [step.fulfillment_id])

    def to_capture(
        self, tx: Session, order: Order, f: Fulfillment, doubt: Mapping[str, Any] | None, at: datetime
    ) -> OpenEffect | None:
        """What is to be asked of the bank; what was asked before and not answered, as it was asked."""
        if doubt:
            return effects.begin(tx, order.order_id, doubt["name"])
        now = bill(tx, order)
        charge = charges.asked(tx, order, f.fulfillment_id, now, at)
        if charge is None:
            return None
        received = now.received.get(charge.charge_id, 0)
        amount = charge.amount - received - now.elsewhere
        if amount <= 0:
            charges.paid(tx, order, charge, f, received, at)
            return None
        good = [p for p in all_payments(tx, order.order_id) if p.status == AuthorizationStatus.AUTHORIZED]
        if not good:
            return None
        payment, step = good[-1], f"capture:c{charge.n}"
        last = not payment.multicapture or captures(tx, payment) >= charges.MOST_CAPTURES - 1
        return effects.begin(
            tx,
            order.order_id,
            step,
            name=step,
            charge_id=charge.charge_id,
            fulfillment_id=f.fulfillment_id,
            payment_id=payment.payment_id,
            amount=amount,
            received=received,
            before=payment.captured,
            final=last or now.to_capture <= amount,
        )

    def captured(self, effect: OpenEffect, provider_id: str) -> tuple[OpenEffect, PaymentIntent]:
        """The intent after the capture; with less captured than expected when its authorization has ended."""

        def answered(seen: PaymentIntent) -> bool:
            return is_taken(effect, seen) or seen.status != IntentStatus.AUTHORIZED

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
            seen = self.payments.intent(provider_id)
            if answered(seen) or seen.captured > effect.parameters["before"]:  # somebody was there before us
                return effect, seen
            raise


def is_taken(effect: OpenEffect, seen: PaymentIntent) -> bool:
    asked: int = effect.parameters["before"] + effect.parameters["amount"]
    return seen.captured >= asked


def seen_more(tx: Session, effect: OpenEffect, after: PaymentIntent, at: datetime) -> None:
    """What was taken besides: somebody else did that."""
    asked = effect.parameters
    if after.captured > asked["before"] + asked["amount"]:
        order, payment = money.locked_payment(tx, asked["payment_id"])
        elsewhere.taken(tx, order, payment, after.captured, at)
        if after.status == IntentStatus.CAPTURED and not asked["final"]:
            elsewhere.ended_by_somebody(tx, order, payment, at)


def not_taken(tx: Session, effect: OpenEffect, after: PaymentIntent, at: datetime) -> None:
    """Somebody was there before us, or the authorization has ended."""
    order, payment = money.locked_payment(tx, effect.parameters["payment_id"])
    if after.status == IntentStatus.AUTHORIZED:
        effects.finish(tx, effect, "taken_elsewhere")
        elsewhere.taken(tx, order, payment, after.captured, at)
        return
    effects.finish(tx, effect, "authorization_ended")
    by_itself = after.expired or after.status == IntentStatus.CAPTURED or elsewhere.voided_by_us(tx, payment)
    event = EventType.AUTHORIZATION_ENDED if by_itself else EventType.VOIDED_ELSEWHERE
    money.ended(tx, payment.payment_id, event, at, taken=after.captured)


def captures(tx: Session, payment: Payment) -> int:
    mine = (MoneyMove.payment_id == payment.payment_id, MoneyMove.kind == MoneyMoveKind.CAPTURED)
    return tx.scalar(select(func.count()).where(*mine)) or 0 if payment.captured else 0


def settle_captures(
    sessions: sessionmaker[Session], payments: Payments, step: OrderStep, *, besides: str | None = None
) -> None:
    """A capture whose answer was lost is looked up before other money of the order moves: what was taken is put on
    record, so that it is counted and can be given back."""
    with sessions() as tx:
        lost = captures_in_doubt(tx, step.order_id).keys() - {besides}
    for fulfillment_id in sorted(lost):
        settle_capture(sessions, payments, step, fulfillment_id)


def settle_capture(sessions: sessionmaker[Session], payments: Payments, step: OrderStep, fulfillment_id: str) -> None:
    with sessions.begin() as tx:
        locked_order(tx, step.order_id)
        asked = captures_in_doubt(tx, step.order_id).get(fulfillment_id)
        if asked is None:
            return
        effect = effects.begin(tx, step.order_id, asked["name"])
        provider_id = str(tx.get_one(Payment, asked["payment_id"]).intent)
    seen = payments.intent(provider_id)
    if not is_taken(effect, seen) and not effect.settled:
        raise OutcomeUnknown("payments", "settling", "A capture may be under way.", retry_in=effect.settles_in)
    with sessions.begin() as tx:
        order = locked_order(tx, step.order_id)
        if fulfillment_id not in captures_in_doubt(tx, step.order_id):
            return
        effects.finish(tx, effect, "done" if is_taken(effect, seen) else "nothing_happened")
        if is_taken(effect, seen):
            charges.captured(tx, fulfillment_id, asked, seen, step.at)
            seen_more(tx, effect, seen, step.at)
        owed_back(tx, order, step.at)


ALL_PAYMENTS = select(Payment).where(Payment.order_id == MINE).order_by(Payment.n)


def all_payments(tx: Session, order_id: str) -> list[Payment]:
    return list(tx.scalars(ALL_PAYMENTS, {"mine": order_id}))
