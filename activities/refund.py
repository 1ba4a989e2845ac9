"""Money given back at the payment provider, one refund at a time, once."""

from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import news
from activities.capture import settle_captures
from activities.facts import disputes, effects, refunds
from activities.facts.effects import OpenEffect
from activities.facts.journal import outcome_known
from activities.facts.news import matching
from activities.facts.statuses import captures_in_doubt
from activities.failures import Refused
from activities.models import RefundStep, Snapshot
from activities.ports import CHARGE_DISPUTED, Payments
from activities.ports import Refund as ProviderRefund
from activities.views.snapshot import snapshot
from infra.database.tables import Payment
from infra.words import RefundStatus


class RefundActivities:
    def __init__(self, sessions: sessionmaker[Session], payments: Payments) -> None:
        self.sessions = sessions
        self.payments = payments

    @activity.defn(name="refund_payment", no_thread_cancel_exception=True)
    def refund(self, step: RefundStep) -> Snapshot:
        """Gives back what was asked, once; asked again it fetches the bank's answer. Of a charge of which nobody knows
        whether it was taken, that is looked up first. What a bank disputes waits for its decision."""
        with self.sessions.begin() as tx:
            order, refund = refunds.locked_refund(tx, step.refund_id)
            if refund.status == RefundStatus.PENDING and refund.reference:
                reference = refund.reference
            elif refund.status == RefundStatus.ASKED:
                doubt = captures_in_doubt(tx, order.order_id).values()
                reference = None
                of_charge_in_doubt = any(asked["charge_id"] == refund.charge_id for asked in doubt)
            else:
                return snapshot(tx, step.order_id)
        if reference:
            return self.followed(step, reference)
        if of_charge_in_doubt:
            settle_captures(self.sessions, self.payments, step)
        with self.sessions.begin() as tx:
            order, refund = refunds.locked_refund(tx, step.refund_id)
            if refund.status != RefundStatus.ASKED or refunds.lowers_charge(tx, step.refund_id, step.at):
                return snapshot(tx, step.order_id)
            if disputes.refund_waits(tx, refund):
                return snapshot(tx, step.order_id)
            payment = tx.get_one(Payment, refund.payment_id)
            about = {"intent": payment.intent, "amount": refund.amount}
            effect = effects.begin(tx, step.order_id, refunds.step(refund), **about)
        try:
            effect, made = self.made(step, effect)
        except Refused as refused:
            if refused.code == CHARGE_DISPUTED and (waits := self.disputed(step, effect.parameters["intent"])):
                return waits
            raise
        with self.sessions.begin() as tx:
            refunds.locked_refund(tx, step.refund_id)
            effects.finish(tx, effect)
            refunds.pending(tx, step.refund_id, made, step.at)
            matching.matched(tx, [news.reference("refund", made.refund_id)])
            return snapshot(tx, step.order_id)

    def disputed(self, step: RefundStep, intent: str) -> Snapshot | None:
        """A bank was there before us, and we may not have heard of it yet. None: it has decided, and a person decides
        now."""
        found = self.payments.disputes(intent)
        with self.sessions.begin() as tx:
            order, refund = refunds.locked_refund(tx, step.refund_id)
            outcome_known(tx, order.order_id, refunds.step(refund), CHARGE_DISPUTED)
            for each in found:
                disputes.reported(tx, refund.payment_id or 0, each, step.at)
            tx.flush()
            tx.refresh(refund)
            goes_on = refund.status == RefundStatus.ASKED and not disputes.refund_waits(tx, refund)
            return None if goes_on else snapshot(tx, step.order_id)

    def followed(self, step: RefundStep, reference: str) -> Snapshot:
        """The bank's last word may have come without our being told."""
        answer = self.payments.refund_status(reference)
        with self.sessions.begin() as tx:
            _, refund = refunds.locked_refund(tx, step.refund_id)
            refunds.seen(tx, refund, answer.status, step.at)
            return snapshot(tx, step.order_id)

    def made(self, step: RefundStep, effect: OpenEffect) -> tuple[OpenEffect, ProviderRefund]:
        provider_id, mark = effect.parameters["intent"], {"order_id": step.order_id, "refund": step.refund_id}
        if not effect.fresh:
            ours = [r for r in self.payments.refunds(provider_id) if r.metadata.get("refund") == step.refund_id]
            if ours:
                return effect, ours[0]
            with self.sessions.begin() as tx:
                effect = effects.call_again(tx, effect)
        amount = effect.parameters["amount"]
        return effect, self.payments.refund(provider_id, amount=amount, metadata=mark, key=effect.key)
