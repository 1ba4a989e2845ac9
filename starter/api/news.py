"""News that needs a person: of what is not known here, or at odds with what was told before."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.intake.fields import PRINTABLE
from activities.views.news import NewsPage, NewsStatus, still_open, views
from infra.clock import wall_clock
from infra.database.tables import News
from infra.words import NewsOutcome
from starter.api.changes import Note, Who
from starter.http.dependencies import Guarded, Here, Operator
from starter.http.problems import Refusal
from starter.http.responses import problems
from starter.keys import Caller
from starter.transactions import written

router = APIRouter(tags=["News"], route_class=Guarded)

SenderName = Annotated[str, Path(pattern="^[a-z]{1,40}$", examples=["stripe"])]
NewsId = Annotated[str, Path(min_length=1, max_length=255, pattern=PRINTABLE, examples=["evt_1"])]


class SeenTo(BaseModel):
    """What was done about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Who | None = None
    why: Annotated[Note, StringConstraints(min_length=1)]


@router.get("/v1/news", summary="List news that needs a person", responses=problems())
def list_news(
    here: Here,
    who: Operator,
    status: NewsStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> NewsPage:
    """Unmatched: about what is not known here, applied by itself should that come to be. A finding: another content
    under an id that was told before; it has changed nothing."""
    for_all_channels(who)
    with here.reading() as tx:
        return still_open(tx, status, limit)


@router.post(
    "/v1/news/{sender}/{news_id:path}/resolution", summary="Resolve news", responses=problems(400, 404, 409, 413)
)
def resolve_news(sender: SenderName, news_id: NewsId, seen_to: SeenTo, here: Here, who: Operator) -> NewsPage:
    """Somebody has seen to it: it is listed no more, and will not be applied. Once more it changes nothing."""
    for_all_channels(who)
    by = f"{seen_to.by} ({who.name})"[:100] if seen_to.by else who.name

    def work(tx: Session) -> NewsPage:
        mine = (News.sender == sender, News.news_id == news_id)
        rows = tx.scalars(select(News).where(*mine).with_for_update()).all()
        if not rows:
            raise Refusal(404, "this news is not known")
        if not any(row.open_since or row.resolved_at for row in rows):
            raise Refusal(409, f"this news needs nobody: it is {rows[0].outcome}")
        for row in rows:
            if row.open_since:
                row.outcome, row.open_since = NewsOutcome.RESOLVED, None
                row.resolved_at, row.resolved_by, row.why = wall_clock(), by, seen_to.why
        tx.flush()
        return NewsPage(news=views(tx, *mine, News.resolved_at.is_not(None), limit=len(rows)), more=False)

    return written(here.sessions, work)


def for_all_channels(who: Caller) -> None:
    """Nobody knows yet whose order it is about."""
    if who.channel:
        raise Refusal(403, f"this API key is for the channel {who.channel}: news is of no channel")
