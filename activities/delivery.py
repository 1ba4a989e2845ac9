"""Where parcels are: asked of the carrier when its webhooks do not come."""

from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities.facts import fulfillments, tracking
from activities.models import FulfillmentStep, Snapshot
from activities.ports import Labels
from activities.views.snapshot import snapshot
from infra.clock import instant_told


class DeliveryActivities:
    def __init__(self, sessions: sessionmaker[Session], labels: Labels) -> None:
        self.sessions = sessions
        self.labels = labels

    @activity.defn(name="poll_delivery", no_thread_cancel_exception=True)
    def poll(self, step: FulfillmentStep) -> Snapshot:
        """Reads each parcel's tracking and records what is new. Changes nothing outside."""
        with self.sessions.begin() as tx:
            numbers = [
                (p.n, p.carrier or "", p.tracking_number)
                for p in fulfillments.parcels_of(tx, step.fulfillment_id)
                if p.tracking_number and p.tracking_status not in tracking.FINAL
            ]
        seen = {n: self.labels.tracking(carrier, number) for n, carrier, number in numbers}
        with self.sessions.begin() as tx:
            for parcel in fulfillments.parcels_of(tx, step.fulfillment_id):
                if parcel.n in seen:
                    at = instant_told(seen[parcel.n].occurred_at, step.at)
                    tracking.tracked(tx, parcel, seen[parcel.n].status, at)
            return snapshot(tx, step.order_id, [step.fulfillment_id])
