"""How long what is ready waits for its customer."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines
from activities.models import Subject
from infra.database.tables import Fulfillment, Order
from infra.words import DeadlineKind


def begun(tx: Session, order: Order, f: Fulfillment, until: datetime, at: datetime) -> None:
    """From now on it waits, until then; or longer than it did."""
    f.pickup_until = deadlines.whole_seconds(until)
    about = Subject.fulfillment(f.fulfillment_id)
    deadlines.move(tx, order, DeadlineKind.PICKUP_EXPIRY, about, until)
    reminded = until - DECLARED[DeadlineKind.PICKUP_REMINDER].margin
    if reminded > at:
        deadlines.move(tx, order, DeadlineKind.PICKUP_REMINDER, about, reminded)
