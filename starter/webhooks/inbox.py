"""News is taken once: its row and the facts that it changes are one transaction."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session
from structlog import get_logger

from infra.clock import wall_clock
from infra.database.tables import News
from starter.http.dependencies import Dependencies
from starter.http.problems import Refusal, invalid_request
from starter.transactions import written

M = TypeVar("M", bound=BaseModel)
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
"""PostgreSQL cannot hold the first of them."""

log = get_logger(__name__)


class Outcome(StrEnum):
    TAKEN = "taken"
    """It changed something."""
    UNCHANGED = "unchanged"
    """Late, an echo of our own call, or known by another way."""
    IGNORED = "ignored"
    """Of a type, or about something, that is not ours."""
    FORBIDDEN = "forbidden"
    """About a location that is not the sender's."""
    KNOWN = "known"
    """This very news was taken before."""


class Body(BaseModel):
    """What senders say is data: checked where it is used, and free to hold more than we know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Taken(BaseModel):
    """The answer to a sender."""

    outcome: Outcome


class Forbidden(Exception):
    """About a location that is not the sender's."""


@dataclass(frozen=True)
class Item:
    """One piece of news, by the sender's own id for it. `about` may be whatever the sender said, unchecked."""

    sender: str
    news_id: str
    type: str
    about: str


def take(request: Request, item: Item, apply: Callable[[Session], Outcome]) -> Taken:
    """Applies the news unless it is known, and wakes the relay. 403 for news that is not the sender's to tell: that is
    recorded too, but not as taken."""
    parts: Dependencies = request.app.state.dependencies

    def work(tx: Session) -> Outcome:
        known = tx.get(News, (item.sender, item.news_id))
        if known and known.outcome != Outcome.FORBIDDEN:
            return Outcome.KNOWN
        row = known or News(
            sender=item.sender,
            news_id=item.news_id,
            type=item.type[:80],
            about=UNPRINTABLE.sub("?", item.about)[:255],
            recorded_at=wall_clock(),
            outcome=Outcome.IGNORED,
        )
        tx.add(row)
        tx.flush()  # of two that come at once the second waits here, and then knows
        try:
            row.outcome = apply(tx)
        except Forbidden:  # said before anything was written
            row.outcome = Outcome.FORBIDDEN
        return Outcome(row.outcome)

    outcome = written(parts.sessions, work)
    parts.relay.wake()
    request.app.state.numbers.webhooks.labels(item.sender, outcome).inc()
    log.info("news", sender=item.sender, type=item.type[:80], outcome=outcome)
    if outcome is Outcome.FORBIDDEN:
        raise Refusal(403, "this is about a location that is not yours")
    return Taken(outcome=outcome)


async def signed_body(request: Request, header: str) -> bytes:
    """The body, of what comes with a signature. Without one, nothing of it is read."""
    if header not in request.headers:
        raise unsigned()
    return await request.body()


def read(model: type[M], body: bytes | dict[str, Any], *within: str) -> M:
    """What of the body, or of a part of it, we use. 422 naming the fields that are not as they should be."""
    try:
        return model.model_validate_json(body) if isinstance(body, bytes) else model.model_validate(body)
    except ValidationError as error:
        found = [dict(one) | {"loc": ("body", *within, *one["loc"])} for one in error.errors(include_input=False)]
        raise invalid_request(found) from None


def unsigned() -> Refusal:
    return Refusal(401, "the signature is missing, forged or stale")
