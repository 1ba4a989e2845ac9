"""Shippo: where parcels are, and whether an unused label's price comes back."""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import SecretStr, StringConstraints
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from activities.facts import labels, tracking
from activities.facts.journal import nudge
from activities.models import LabelStatus
from activities.ports import TrackingStatus
from infra.clock import instant_told
from infra.database.tables import Fulfillment, Parcel
from starter.http.responses import problems
from starter.webhooks.inbox import Body, Item, Outcome, Taken, read, signed_body, take, unsigned
from workflows.messages import Nudge

TOLERANCE_SECONDS = 300
TRACKING = {
    "PRE_TRANSIT": TrackingStatus.PRE_TRANSIT,
    "TRANSIT": TrackingStatus.IN_TRANSIT,
    "DELIVERED": TrackingStatus.DELIVERED,
    "RETURNED": TrackingStatus.RETURN_TO_SENDER,
    "FAILURE": TrackingStatus.FAILURE,
}
WITHIN_TRANSIT = {
    "out_for_delivery": TrackingStatus.OUT_FOR_DELIVERY,
    "pickup_available": TrackingStatus.AVAILABLE_FOR_PICKUP,
}
AWAITED: dict[TrackingStatus, Nudge] = {
    TrackingStatus.OUT_FOR_DELIVERY: "message",
    TrackingStatus.DELIVERED: "news",
    TrackingStatus.RETURN_TO_SENDER: "news",
    TrackingStatus.FAILURE: "news",
}
"""What an order acts on, or only tells its customer."""
REFUNDS = {"REFUNDED": LabelStatus.REFUNDED, "REFUNDREJECTED": LabelStatus.REFUND_REJECTED}

router = APIRouter(tags=["Webhooks"])

Word = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,200}$")]


class News(Body):
    event: Word
    data: dict[str, Any]


class Substatus(Body):
    code: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{0,200}$")] | None = None


class Seen(Body):
    status: Word
    substatus: Substatus | None = None
    status_date: datetime | None = None

    @property
    def meaning(self) -> TrackingStatus | None:
        found = TRACKING.get(self.status)
        code = self.substatus.code if self.substatus else None
        return WITHIN_TRANSIT.get(code or "", found) if found is TrackingStatus.IN_TRANSIT else found

    @property
    def at(self) -> datetime:
        """What is missing or absurd is now."""
        said = self.status_date
        if said is None or not 2000 < said.year < 2200:
            return instant_told(None)
        return instant_told(said if said.utcoffset() is not None else said.replace(tzinfo=UTC))


class Track(Body):
    tracking_number: Word
    tracking_status: Seen | None = None


class Transaction(Body):
    object_id: Word
    status: Word | None = None


@router.post("/webhooks/shippo", summary="News of Shippo", responses=problems(400, 401, 413))
async def shippo(request: Request) -> Taken:
    """Signed with the secret that Shippo gave, at most five minutes ago."""
    body = await signed_body(request, "shippo-auth-signature")
    secrets = request.app.state.dependencies.settings.shippo_webhook_secret
    if not verified(secrets, body, request.headers.get("shippo-auth-signature", "")):
        raise unsigned()
    news = read(News, body)
    if news.event == "track_updated":
        return await run_in_threadpool(track, request, read(Track, news.data, "data"))
    if news.event == "transaction_updated":
        return await run_in_threadpool(transaction, request, read(Transaction, news.data, "data"))
    item = Item("shippo", f"{news.event} {hashlib.sha256(body).hexdigest()}"[:255], news.event, "")
    return await run_in_threadpool(take, request, item, lambda _: Outcome.IGNORED)


def verified(secrets: Iterable[SecretStr], body: bytes, header: str) -> bool:
    """`t=…,v1=hex(HMAC-SHA256(secret, t.body))`, with any of them."""
    found = re.fullmatch(r"t=(\d{1,12}),\s*v1=([0-9a-f]{64})", header)
    if found is None:
        return False
    signed = found[1].encode() + b"." + body
    expected = [hmac.new(one.get_secret_value().encode(), signed, hashlib.sha256).hexdigest() for one in secrets]
    known = any(hmac.compare_digest(one, found[2]) for one in expected)
    return known and abs(time.time() - int(found[1])) <= TOLERANCE_SECONDS


def track(request: Request, told: Track) -> Taken:
    seen = told.tracking_status

    def apply(tx: Session) -> Outcome:
        parcel = parcel_with(tx, told.tracking_number)
        if parcel is None or seen is None or seen.meaning is None:
            return Outcome.IGNORED
        before = status_of(tx, parcel)
        if not tracking.tracked(tx, parcel, seen.meaning, seen.at):
            return Outcome.UNCHANGED
        if status_of(tx, parcel) != before:
            wake_order(tx, parcel)
        elif kind := AWAITED.get(seen.meaning):
            wake_order(tx, parcel, kind)
        return Outcome.TAKEN

    state = f"{seen.status} {seen.substatus.code if seen.substatus else ''} {seen.status_date or ''}" if seen else ""
    item = Item("shippo", f"track {told.tracking_number} {state}"[:255], "track_updated", told.tracking_number)
    return take(request, item, apply)


def parcel_with(tx: Session, tracking_number: str) -> Parcel | None:
    """Carriers use numbers again: the one that is still on its way, or else the latest."""
    arrived = case((Parcel.tracking_status.in_(tracking.FINAL), 1), else_=0)
    found = select(Parcel).join(Fulfillment).where(Parcel.tracking_number == tracking_number)
    return tx.scalars(found.order_by(arrived, Fulfillment.requested_at.desc())).first()


def status_of(tx: Session, parcel: Parcel) -> str:
    return tx.scalars(select(Fulfillment.status).where(Fulfillment.fulfillment_id == parcel.fulfillment_id)).one()


def transaction(request: Request, told: Transaction) -> Taken:
    def apply(tx: Session) -> Outcome:
        parcel = tx.scalars(select(Parcel).where(Parcel.label_id == told.object_id)).first()
        end = REFUNDS.get(told.status or "")
        if parcel is None or end is None:
            return Outcome.IGNORED
        if not labels.refund_seen(tx, parcel, end, instant_told(None)):
            return Outcome.UNCHANGED
        wake_order(tx, parcel)
        return Outcome.TAKEN

    item = Item("shippo", f"label {told.object_id} {told.status}"[:255], "transaction_updated", told.object_id)
    return take(request, item, apply)


def wake_order(tx: Session, parcel: Parcel, kind: Nudge = "news") -> None:
    order_id = tx.scalars(select(Fulfillment.order_id).where(Fulfillment.fulfillment_id == parcel.fulfillment_id)).all()
    nudge(tx, order_id, kind)
