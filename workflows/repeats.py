"""Steps that went well and changed nothing: not repeated without pause, and not for ever in silence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from activities.models import FulfillmentSnapshot, OrderSnapshot, OrderStatus

Comparable = tuple[OrderSnapshot, FulfillmentSnapshot | None]
LONGEST_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class Repeat:
    """A step after which all was as before."""

    known: Comparable
    since: datetime
    """When it first changed nothing."""
    at: datetime
    pause: timedelta = timedelta(seconds=1)

    def again(self, now: datetime) -> "Repeat":
        return Repeat(self.known, self.since, now, min(self.pause * 2, LONGEST_PAUSE))


def comparable(order: OrderSnapshot, fulfillment: FulfillmentSnapshot | None) -> Comparable:
    """What a step may have changed: not how often it was looked at, and nothing that a hold or a wish alone changes."""
    nothing = {"version": 0, "status": OrderStatus.PLACED, "holds": (), "changes": ()}
    return order.model_copy(update=nothing), fulfillment and fulfillment.model_copy(update={"version": 0})
