"""Reservations: one transaction each, in our own database."""

from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import facts, news
from activities.facts.journal import fulfillments_of
from activities.facts.news import matching
from activities.models import OrderStep, Snapshot
from activities.views.snapshot import snapshot_of_all


class StockActivities:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions

    @activity.defn(name="reserve_stock", no_thread_cancel_exception=True)
    def reserve(self, step: OrderStep) -> Snapshot:
        """Sets units aside, queues for the rest, plans fulfillments; does only what is missing. Undone by
        `release_stock`."""
        with self.sessions.begin() as tx:
            if facts.reserving.reserved(tx, step.order_id, step.at):
                mine = [news.reference("fulfillment", f.fulfillment_id) for f in fulfillments_of(tx, step.order_id)]
                matching.matched(tx, mine)
            return snapshot_of_all(tx, step.order_id)

    @activity.defn(name="release_stock", no_thread_cancel_exception=True)
    def release(self, step: OrderStep) -> Snapshot:
        """Gives back what no warehouse works on and leaves every queue. Undo of `reserve_stock`."""
        with self.sessions.begin() as tx:
            facts.reserving.released(tx, step.order_id, step.at)
            return snapshot_of_all(tx, step.order_id)
