"""Goods that a warehouse received: as if they were reported over the API."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.news.warehouses import Forbidden
from activities.news import GoodsReceived
from infra.database.tables import Location
from infra.words import NewsOutcome
from starter.http.problems import Refusal, wrong
from starter.receiving import USED_BEFORE, Received, ReceivedLine, Unknown, receive


def take_in(tx: Session, content: GoodsReceived, at: datetime) -> NewsOutcome:
    """A location that is not known is a wrong field; one of another warehouse is none of the sender's business."""
    warehouse = tx.scalars(select(Location.warehouse).where(Location.location_id == content.location)).first()
    if warehouse is None:
        raise wrong([("data.location", "is not known")])
    if warehouse != content.warehouse:
        raise Forbidden
    lines = tuple(ReceivedLine(sku=line.sku, quantity=line.quantity) for line in content.lines)
    try:
        result = receive(
            tx, Received(reference=content.reference, location=content.location, lines=lines, received_at=at)
        )
    except Unknown as unknown:
        raise wrong([(f"data.{field}", message) for field, message in unknown.errors]) from None
    if result == "conflict":
        raise Refusal(409, USED_BEFORE)
    return NewsOutcome.TAKEN if result == "new" else NewsOutcome.UNCHANGED
