"""Money given back at the payment provider, for goods that will not leave, once."""

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import news
from activities.capture import settle_captures
from activities.facts import effects, money
from activities.facts.fulfillments import locked
from activities.facts.news import matching
from activities.models import FulfillmentStatus, FulfillmentStep, Snapshot
from activities.ports import Payments
from activities.views.snapshot import snapshot
from infra.database.tables import MoneyMove, Payment, Refund
from infra.words import MoneyMoveKind, RefundStatus


class RefundActivities:
    def __init__(self, sessions: sessionmaker[Session], payments: Payments) -> None:
        self.sessions = sessions
        self.payments = payments

    @activity.defn(name="refund_payment", no_thread_cancel_exception=True)
    def refund(self, step: FulfillmentStep) -> Snapshot:
        """Gives back what was captured for goods that will not leave, once; asked again it fetches the bank's
        answer."""
        settle_captures(self.sessions, self.payments, step)
        with self.sessions.begin() as tx:
            _, f = locked(tx, step.fulfillment_id)
            pending = tx.scalars(
                select(Refund.reference).where(
                    Refund.fulfillment_id == step.fulfillment_id, Refund.status == RefundStatus.PENDING
                )
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
                with self.sessions.begin() as tx:
                    effect = effects.call_again(tx, effect)
        done = done or self.payments.refund(
            provider_id, amount=effect.parameters["amount"], metadata=mark, key=effect.key
        )
        with self.sessions.begin() as tx:
            money.refund_asked(tx, effect.parameters["payment_id"], step.fulfillment_id, done, step.at)
            effects.finish(tx, effect)
            matching.matched(tx, [news.reference("refund", done.refund_id)])
            return snapshot(tx, step.order_id, [step.fulfillment_id])


def captured_by(tx: Session, fulfillment_id: str) -> Payment | None:
    return tx.scalars(
        select(Payment)
        .join(MoneyMove, MoneyMove.payment_id == Payment.payment_id)
        .where(MoneyMove.fulfillment_id == fulfillment_id, MoneyMove.kind == MoneyMoveKind.CAPTURED)
    ).first()
