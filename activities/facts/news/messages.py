"""Whether text messages arrived. It is written down, and no order waits for it."""

from datetime import datetime

from sqlalchemy.orm import Session

from activities.facts import messages
from activities.news import MessageReported
from infra.words import NewsOutcome


def reported(tx: Session, content: MessageReported, at: datetime) -> NewsOutcome:
    changed = messages.reported(tx, content.message, content.status, content.code)
    if changed is None:
        return NewsOutcome.WAITING
    return NewsOutcome.TAKEN if changed else NewsOutcome.UNCHANGED
