"""News that a person is to see: about what is not known here, or other than what the same id said before."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from activities.news import WITHOUT_MATCH
from activities.views.base import View
from infra.database.tables import News
from infra.words import NewsOutcome

NewsStatus = Literal["unmatched", "finding"]
OUTCOMES: dict[NewsStatus, tuple[NewsOutcome, ...]] = {"unmatched": WITHOUT_MATCH, "finding": (NewsOutcome.FINDING,)}


class NewsView(View):
    """`content` are the fields that are used here, `content_before` those that the same id told first."""

    sender: str
    id: str
    status: Literal["unmatched", "finding", "resolved"]
    type: str
    about: str
    content: dict[str, Any] | None
    content_before: dict[str, Any] | None
    at: datetime
    recorded_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    why: str | None


class NewsPage(View):
    """The oldest first. `more`: resolve these, and others follow."""

    news: list[NewsView]
    more: bool


def still_open(tx: Session, status: NewsStatus | None, limit: int) -> NewsPage:
    outcomes = OUTCOMES[status] if status else (*WITHOUT_MATCH, NewsOutcome.FINDING)
    rows = views(tx, News.open_since.is_not(None), News.outcome.in_(outcomes), limit=limit + 1)
    return NewsPage(news=rows[:limit], more=len(rows) > limit)


def views(tx: Session, *where: ColumnElement[bool], limit: int) -> list[NewsView]:
    first = aliased(News)
    same = (first.sender == News.sender) & (first.news_id == News.news_id) & (first.n == 0) & (News.n > 0)
    found = select(News, first.content).select_from(News).outerjoin(first, same).where(*where)
    rows = tx.execute(found.order_by(News.recorded_at, News.news_id, News.n).limit(limit))
    return [view(news, content_before) for news, content_before in rows]


def view(news: News, content_before: dict[str, Any] | None) -> NewsView:
    return NewsView(
        sender=news.sender,
        id=news.news_id,
        status="unmatched" if news.outcome in WITHOUT_MATCH else NewsOutcome(news.outcome).value,
        type=news.type,
        about=news.about,
        content=news.content,
        content_before=content_before,
        at=news.effective_at,
        recorded_at=news.recorded_at,
        resolved_at=news.resolved_at,
        resolved_by=news.resolved_by,
        why=news.why,
    )
