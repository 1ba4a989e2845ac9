"""Reservations: one transaction each, in our own database."""

from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import facts
from activities.facts.record import fulfillments_of
from activities.models import OrderStep, Standing
from activities.standing import standing


class StockActivities:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions

    @activity.defn(name="reserve_stock")
    def reserve(self, step: OrderStep) -> Standing:
        """Sets units aside, queues for the rest, plans fulfillments; does only what is missing. Undone by
        `release_stock`."""
        with self.sessions.begin() as tx:
            facts.stock.reserved(tx, step.order_id, step.at)
            return standing(tx, step.order_id, [f.fulfillment_id for f in fulfillments_of(tx, step.order_id)])

    @activity.defn(name="release_stock")
    def release(self, step: OrderStep) -> Standing:
        """Gives back what no warehouse works on and leaves every queue. Undo of `reserve_stock`."""
        with self.sessions.begin() as tx:
            facts.stock.released(tx, step.order_id, step.at)
            return standing(tx, step.order_id, [f.fulfillment_id for f in fulfillments_of(tx, step.order_id)])
