"""News is applied to what it is about: as it comes, or once that comes to be."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import news
from activities.facts.journal import Trimmed
from activities.facts.news import messages, parcels, payments, warehouses
from activities.news import CONTENT, WITHOUT_MATCH, Content
from infra.database.tables import News
from infra.words import NewsOutcome

Apply = Callable[[Session, Any, datetime], NewsOutcome]
OF_WAREHOUSES: dict[type[Content], Apply] = dict.fromkeys(warehouses.APPLY, warehouses.apply)
APPLY: dict[type[Content], Apply] = OF_WAREHOUSES | {
    news.PaymentConfirmed: payments.confirmed,
    news.PaymentDeclined: payments.declined,
    news.PaymentEnded: payments.ended,
    news.PaymentTaken: payments.taken,
    news.PaymentDisputed: payments.disputed,
    news.RefundChanged: payments.refund_changed,
    news.ParcelSeen: parcels.seen,
    news.LabelChanged: parcels.label_changed,
    news.MessageReported: messages.reported,
}


def applied(tx: Session, content: Content, at: datetime) -> NewsOutcome:
    """Raises `warehouses.Forbidden`. Of an order that was trimmed it is a person's."""
    try:
        return APPLY[type(content)](tx, content, at)
    except Trimmed:
        return NewsOutcome.WAITING


def matched(tx: Session, about: Iterable[str]) -> None:
    """What has just come to be: news that waits for it is applied, in the order in which it came."""
    # a row that is looked at elsewhere is left to that: it waits for the order's lock, and finds what we write
    waiting = select(News).where(
        News.open_since.is_not(None), News.outcome.in_(WITHOUT_MATCH), News.about.in_(list(about))
    )
    for row in tx.scalars(waiting.order_by(News.recorded_at, News.news_id).with_for_update(skip_locked=True)).all():
        match(tx, row)


def match(tx: Session, row: News, *, last: bool = True) -> None:
    """Waiting news, applied if what it is about is known by now; otherwise it is a person's."""
    try:
        found = applied(tx, CONTENT.validate_python(row.content), row.effective_at)
    except warehouses.Forbidden:
        found = NewsOutcome.FORBIDDEN
    if found in (NewsOutcome.WAITING, NewsOutcome.IGNORED):
        row.outcome = NewsOutcome.UNMATCHED if last else NewsOutcome.WAITING
    else:
        row.outcome, row.open_since = found, None
