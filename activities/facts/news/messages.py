"""Whether text messages arrived. It is written down, and no order waits for it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import messages
from activities.news import MessageReported
from infra.database.tables import Message
from infra.words import NewsOutcome


def reported(tx: Session, content: MessageReported, at: datetime) -> NewsOutcome:
    if content.status not in messages.FINAL:
        return NewsOutcome.UNCHANGED
    order_id = tx.scalars(select(Message.order_id).where(Message.reference == content.message).limit(1)).first()
    if order_id is None:
        return NewsOutcome.WAITING
    changed = messages.reported(tx, order_id, content.message, content.status, content.code)
    return NewsOutcome.TAKEN if changed else NewsOutcome.UNCHANGED
