"""Pickups: ready, once what they cost is taken."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities.facts import pickups
from activities.models import FulfillmentStep, Snapshot
from activities.pickup_codes import PickupCodes
from activities.views.snapshot import snapshot


class Pickups(NamedTuple):
    """As this installation has them."""

    codes: PickupCodes
    window: timedelta
    """How long what is ready waits for the customer."""
    page: str
    """Where customers choose; their order's token follows."""


class PickupActivities:
    def __init__(self, sessions: sessionmaker[Session], window: timedelta) -> None:
        self.sessions = sessions
        self.window = window

    @activity.defn(name="ready_for_pickup", no_thread_cancel_exception=True)
    def ready(self, step: FulfillmentStep) -> Snapshot:
        """The customer is told where it is, until when, and with which code."""
        with self.sessions.begin() as tx:
            pickups.ready(tx, step.fulfillment_id, step.at, self.window)
            return snapshot(tx, step.order_id, [step.fulfillment_id])
