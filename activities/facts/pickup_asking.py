"""The customer's store does not have what they were to pick up there: they are asked what to do."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines
from activities.facts.journal import note, tell
from activities.facts.units import listed
from activities.models import Subject
from infra.database.tables import Backorder, Message, Order, Product
from infra.words import BackorderPolicy, BackorderStatus, DeadlineKind, EventType, MessageKind


class Lacking(NamedTuple):
    line_no: int
    sku: str
    first_unit: int
    quantity: int


def is_asked(order: Order) -> bool:
    """Not one who has said already that what is not there is to be cancelled."""
    return order.backorder != BackorderPolicy.CANCEL_UNAVAILABLE


def asked(tx: Session, order: Order, units: Iterable[Lacking], at: datetime) -> None:
    """Until they have chosen, the units are in no store, and nobody looks for them. No answer in time: cancelled."""
    rows = [each._asdict() | {"order_id": order.order_id} for each in units]
    if not rows:
        return
    given = {"status": BackorderStatus.ASKED, "promised_on": order.promised_on, "placed_at": order.placed_at}
    tx.execute(insert(Backorder), [row | given for row in rows])
    until = deadlines.whole_seconds(at + DECLARED[DeadlineKind.PICKUP_CHOICE].margin)
    deadlines.move(tx, order, DeadlineKind.PICKUP_CHOICE, Subject.order(order.order_id), until)
    lacking: Counter[str] = Counter()
    for row in rows:
        lacking[row["sku"]] += row["quantity"]
    note(tx, order, EventType.PICKUP_CHOICE_ASKED, at, units=lacking.total(), until=until.isoformat())
    names = dict(tx.execute(select(Product.sku, Product.name).where(Product.sku.in_(lacking))).all())
    mine = (Message.order_id == order.order_id, Message.kind == MessageKind.PICKUP_CHOICE)
    n = 1 + (tx.scalar(select(func.count(Message.subject.distinct())).where(*mine)) or 0)
    about = {"items": listed(lacking, names), "deadline": until.isoformat(), "page": f"choice {n}"}
    tell(tx, order, MessageKind.PICKUP_CHOICE, f"choice {n}", **about)
