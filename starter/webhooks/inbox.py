"""News is taken once: its row and the facts that it changes are one transaction."""

import hashlib
import json
from datetime import datetime
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from structlog import get_logger

from activities.facts.news import matching
from activities.facts.news.warehouses import Forbidden
from activities.news import AnyContent, GoodsReceived, News
from infra.clock import instant_told, wall_clock
from infra.database.inserting import insert_new
from infra.database.tables import News as Row
from infra.words import NewsOutcome
from starter.http.dependencies import Dependencies
from starter.http.problems import Refusal
from starter.transactions import written
from starter.webhooks.restocks import take_in

log = get_logger(__name__)


class Taken(BaseModel):
    """The answer to a sender."""

    outcome: NewsOutcome


def take(request: Request, sender: str, news: News) -> Taken:
    """Applies the news unless it is known, and wakes the relay. 403 for news that is not the sender's to tell: that is
    recorded too, but not as taken. Of a type that says nothing to us it is counted alone."""
    parts: Dependencies = request.app.state.dependencies
    outcome, content = NewsOutcome.IGNORED, news.content
    if content:
        outcome = written(parts.sessions, lambda tx: kept(tx, sender, news, content))
        parts.relay.wake()
    request.app.state.numbers.webhooks.labels(sender, outcome).inc()
    tell = log.warning if outcome is NewsOutcome.FINDING else log.info
    tell("news", sender=sender, type=news.type, outcome=outcome)
    if outcome is NewsOutcome.FORBIDDEN:
        raise Refusal(403, "this is about a location that is not yours")
    return Taken(outcome=outcome)


def kept(tx: Session, sender: str, news: News, content: AnyContent) -> NewsOutcome:
    row = as_row(sender, news, content)
    if inserted(tx, row):
        return settled(tx, row, content)
    mine = (Row.sender == sender, Row.news_id == news.news_id)
    before = tx.execute(select(Row.digest, Row.outcome).where(*mine).order_by(Row.n)).all()
    if before[0].outcome == NewsOutcome.FORBIDDEN:
        tx.execute(delete(Row).where(*mine))
        inserted(tx, row)
        return settled(tx, row, content)
    if row["digest"] in {earlier.digest for earlier in before}:
        return NewsOutcome.KNOWN
    tx.add(Row(**row | {"n": len(before), "outcome": NewsOutcome.FINDING, "open_since": row["recorded_at"]}))
    return NewsOutcome.FINDING


def as_row(sender: str, news: News, content: AnyContent) -> dict[str, Any]:
    """What mostly comes of it. When the sender says that it happened is no content: some write the time
    of sending."""
    used = content.model_dump(mode="json")
    whole = json.dumps([news.type, used], sort_keys=True)
    return {
        "sender": sender,
        "news_id": news.news_id,
        "n": 0,
        "type": news.type,
        "about": content.about,
        "content": used,
        "digest": hashlib.sha256(whole.encode()).hexdigest(),
        "outcome": content.likely,
        "effective_at": instant_told(news.at),
        "recorded_at": wall_clock(),
    }


def inserted(tx: Session, row: dict[str, Any]) -> bool:
    """Of two that come at once the second waits here, and is known then."""
    return tx.execute(insert_new(tx, Row).returning(Row.n), row).first() is not None


def settled(tx: Session, row: dict[str, Any], content: AnyContent) -> NewsOutcome:
    try:
        outcome = applied(tx, content, row["effective_at"])
    except Forbidden:
        outcome = NewsOutcome.FORBIDDEN
    if outcome != row["outcome"]:
        mine = (Row.sender == row["sender"], Row.news_id == row["news_id"], Row.n == row["n"])
        since = row["recorded_at"] if outcome is NewsOutcome.WAITING else None
        tx.execute(update(Row).where(*mine).values(outcome=outcome, open_since=since))
    return outcome


def applied(tx: Session, content: AnyContent, at: datetime) -> NewsOutcome:
    return take_in(tx, content, at) if isinstance(content, GoodsReceived) else matching.applied(tx, content, at)
