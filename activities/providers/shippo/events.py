"""What Shippo tells: where parcels are, and what became of labels."""

import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from activities.intake.fields import ID
from activities.news import AnyContent, Body, Delivery, LabelChanged, News, ParcelSeen, Unsigned, parsed
from activities.ports import TrackingStatus
from activities.providers.shippo.answers import LABEL, TRACKING, WITHIN_TRANSIT

TOLERANCE_SECONDS = 300

Word = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,200}$")]


class ShippoEvents:
    signature = "shippo-auth-signature"

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets = secrets

    def read(self, delivery: Delivery) -> News:
        """Signed with the secret that Shippo gave, at most five minutes ago. An id of its own the news has not."""
        if not verified(self.secrets, delivery.body, delivery.headers[self.signature]):
            raise Unsigned
        event = parsed(Event, delivery.body)
        if event.event == "track_updated":
            return tracked(parsed(Track, event.data, "data"))
        if event.event == "transaction_updated":
            return labelled(parsed(Transaction, event.data, "data"))
        return News(f"{event.event} {hashlib.sha256(delivery.body).hexdigest()}", event.event, None, None)


def verified(secrets: Sequence[str], body: bytes, header: str) -> bool:
    """`t=…,v1=hex(HMAC-SHA256(secret, t.body))`, with any of them."""
    found = re.fullmatch(r"t=(\d{1,12}),\s*v1=([0-9a-f]{64})", header)
    if found is None:
        return False
    signed = found[1].encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    known = any(hmac.compare_digest(one, found[2]) for one in expected)
    return known and abs(time.time() - int(found[1])) <= TOLERANCE_SECONDS


class Event(Body):
    event: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,80}$")]
    data: dict[str, Any]


class Ours(Body):
    metadata: str | None = None

    @property
    def order(self) -> str | None:
        """Of the label's buyer: the order, then the parcel. Where nothing is written nobody knows whose it is."""
        named = (self.metadata or "").split(" ")[0]
        return (named if re.fullmatch(ID, named) else "") if named else None


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
    def at(self) -> datetime | None:
        """What is absurd is not said."""
        content = self.status_date
        if content is None or not 2000 < content.year < 2200:
            return None
        return content if content.utcoffset() is not None else content.replace(tzinfo=UTC)


class Track(Ours):
    tracking_number: Word
    tracking_status: Seen | None = None


class Transaction(Ours):
    object_id: Word
    status: Word | None = None


def tracked(track: Track) -> News:
    seen, content = track.tracking_status, None
    state = f"{seen.status} {seen.substatus.code if seen.substatus else ''} {seen.status_date or ''}" if seen else ""
    if seen and seen.meaning:
        content = ParcelSeen(tracking_number=track.tracking_number, status=seen.meaning, order=track.order)
    return News(f"track {track.tracking_number} {state}"[:255], "track_updated", content, seen.at if seen else None)


def labelled(transaction: Transaction) -> News:
    content: AnyContent | None = None
    if status := LABEL.get(transaction.status or ""):
        content = LabelChanged(label=transaction.object_id, status=status, order=transaction.order)
    return News(f"label {transaction.object_id} {transaction.status}"[:255], "transaction_updated", content, None)
