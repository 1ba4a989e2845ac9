"""Warehouses: what they did with our fulfillments, and what arrived. Standard Webhooks, one secret per warehouse.

A fulfillment that we do not know is answered 404 and not recorded: it is sent again, which helps when our database was
restored to an earlier hour.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError, WebhookVerificationError

from activities import facts
from activities.facts.journal import nudge
from activities.intake.fields import Reference
from activities.ports import Parcel
from infra.clock import instant_told
from infra.database.tables import Fulfillment, Location
from infra.settings import Settings
from starter.http.problems import Refusal, wrong
from starter.http.responses import problems
from starter.receiving import USED_BEFORE, Received, ReceivedLine, Unknown, receive
from starter.webhooks.inbox import Body, Forbidden, Item, Outcome, Taken, read, signed_body, take, unsigned

router = APIRouter(tags=["Webhooks"])

Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Size = Annotated[int, Field(ge=1, le=100_000)]
LONGEST_ID = 200


class News(Body):
    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,80}$")]
    timestamp: Instant
    data: dict[str, Any]

    @property
    def at(self) -> datetime:
        return instant_told(self.timestamp)


class About(Body):
    fulfillment_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]


class PackedParcel(Body):
    weight_g: Annotated[int, Field(ge=1, le=10_000_000)]
    length_mm: Size
    width_mm: Size
    height_mm: Size


class Packed(About):
    parcels: Annotated[list[PackedParcel], Field(min_length=1, max_length=100)]


class MissingLine(Body):
    sku: Reference
    missing: Count


class ShortPicked(About):
    lines: Annotated[list[MissingLine], Field(min_length=1, max_length=2_000)]


class ReceivedNewsLine(ReceivedLine):
    model_config = ConfigDict(extra="ignore")


class ReceivedNews(Received):
    model_config = ConfigDict(extra="ignore")

    lines: Annotated[tuple[ReceivedNewsLine, ...], Field(min_length=1, max_length=2_000)]


class RefusedNews(About):
    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")] = "refused"


@router.post("/webhooks/warehouse", summary="News of a warehouse", responses=problems(400, 401, 403, 404, 409, 413))
async def warehouse(request: Request) -> Taken:
    """Signed by the Standard Webhooks scheme with the secret of any warehouse in the settings."""
    body = await signed_body(request, "webhook-signature")
    senders = signed_by(request.app.state.dependencies.settings, body, request)
    news = read(News, body)
    return await run_in_threadpool(taken, request, senders, news)


def signed_by(settings: Settings, body: bytes, request: Request) -> list[str]:
    """The warehouses whose secret signed this; 401 when there is none, or the time is off by more than five minutes."""
    headers = {name: request.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    found = [
        name
        for name, one in settings.warehouses.items()
        if any(verified(secret.get_secret_value(), body, headers) for secret in one.secret)
    ]
    if not found:
        raise unsigned()
    return found


def verified(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):  # the last: what is no text
        return False
    return True


def taken(request: Request, senders: list[str], news: News) -> Taken:
    news_id = request.headers["webhook-id"]
    if len(news_id) > LONGEST_ID or not news_id.isprintable():
        raise wrong([("webhook-id", f"is not at most {LONGEST_ID} printable characters")])
    apply = APPLY.get(news.type, ignored)
    about = str(news.data.get("fulfillment_id") or news.data.get("reference") or "")
    item = Item("warehouse", f"{senders[0]}:{news_id}", news.type, about)
    return take(request, item, lambda tx: apply(tx, news, senders))


# --- what each type changes -------------------------------------------------------------------------------------------


def packed(tx: Session, news: News, senders: list[str]) -> Outcome:
    told = read(Packed, news.data, "data")
    parcels = [Parcel(**parcel.model_dump()) for parcel in told.parcels]
    f = mine(tx, told, senders)
    return nudged(tx, f, facts.packing.packed(tx, f.fulfillment_id, parcels, news.at))


def short_picked(tx: Session, news: News, senders: list[str]) -> Outcome:
    told = read(ShortPicked, news.data, "data")
    f = mine(tx, told, senders)
    skus = facts.catalogue.skus_of(tx, {line.sku for line in told.lines})
    missing = [(skus.get(line.sku, line.sku), line.missing) for line in told.lines]
    return nudged(tx, f, facts.short_pick.short_picked(tx, f.fulfillment_id, missing, news.at))


def refused(tx: Session, news: News, senders: list[str]) -> Outcome:
    told = read(RefusedNews, news.data, "data")
    f = mine(tx, told, senders)
    return nudged(tx, f, facts.recall.refused(tx, f.fulfillment_id, told.code, news.at))


def handed_over(tx: Session, news: News, senders: list[str]) -> Outcome:
    f = mine(tx, read(About, news.data, "data"), senders)
    return nudged(tx, f, facts.handing_over.handed_over(tx, f.fulfillment_id, news.at))


def cancelled(tx: Session, news: News, senders: list[str]) -> Outcome:
    f = mine(tx, read(About, news.data, "data"), senders)
    return nudged(tx, f, facts.recall.recall_confirmed(tx, f.fulfillment_id, news.at))


def cancel_refused(tx: Session, news: News, senders: list[str]) -> Outcome:
    f = mine(tx, read(About, news.data, "data"), senders)
    return nudged(tx, f, facts.recall.recall_refused(tx, f.fulfillment_id, news.at))


def acknowledged(tx: Session, news: News, senders: list[str]) -> Outcome:
    """Accepted, or being picked: the order waits for neither, unless the warehouse was silent for long."""
    f = mine(tx, read(About, news.data, "data"), senders)
    new, awaited = facts.fulfillments.acknowledged(tx, f.fulfillment_id, news.at)
    if awaited:
        nudge(tx, [f.order_id])
    return Outcome.TAKEN if new else Outcome.UNCHANGED


def received(tx: Session, news: News, senders: list[str]) -> Outcome:
    told = read(ReceivedNews, news.data, "data")
    allowed(tx, told.location, senders)
    try:
        result = receive(tx, told)
    except Unknown as unknown:
        raise wrong([(f"data.{field}", message) for field, message in unknown.errors]) from None
    if result == "conflict":
        raise Refusal(409, USED_BEFORE)
    return Outcome.TAKEN if result == "new" else Outcome.UNCHANGED


def ignored(tx: Session, news: News, senders: list[str]) -> Outcome:
    return Outcome.IGNORED


APPLY = {
    "fulfillment.accepted": acknowledged,
    "fulfillment.picking": acknowledged,
    "fulfillment.packed": packed,
    "fulfillment.short_picked": short_picked,
    "fulfillment.refused": refused,
    "fulfillment.handed_over": handed_over,
    "fulfillment.cancelled": cancelled,
    "fulfillment.cancel_refused": cancel_refused,
    "stock.received": received,
}


def mine(tx: Session, told: About, senders: list[str]) -> Fulfillment:
    found = tx.get(Fulfillment, told.fulfillment_id)
    if found is None:
        raise Refusal(404, f"fulfillment {told.fulfillment_id} is not known")
    allowed(tx, found.location_id, senders)
    return found


def allowed(tx: Session, location_id: str, senders: list[str]) -> None:
    """A location that is not known is a wrong field; one of another warehouse is none of the sender's business."""
    warehouse = tx.scalars(select(Location.warehouse).where(Location.location_id == location_id)).first()
    if warehouse is None:
        raise wrong([("data.location", "is not known")])
    if warehouse not in senders:
        raise Forbidden


def nudged(tx: Session, f: Fulfillment, changed: bool) -> Outcome:
    if not changed:
        return Outcome.UNCHANGED
    nudge(tx, [f.order_id])
    return Outcome.TAKEN
