"""What warehouses tell: what they did with our fulfillments, and what arrived. Standard Webhooks, one secret each."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError, WebhookVerificationError

from activities.intake.fields import FULFILLMENT, ID, PRINTABLE, Reference
from activities.news import (
    AnyContent,
    Body,
    Delivery,
    FulfillmentAcknowledged,
    FulfillmentHandedOver,
    FulfillmentNotStopped,
    FulfillmentPacked,
    FulfillmentPickedUp,
    FulfillmentRefused,
    FulfillmentShortPicked,
    FulfillmentStopped,
    GoodsReceived,
    News,
    Units,
    Unsigned,
    parsed,
)
from activities.ports import Parcel

Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Size = Annotated[int, Field(ge=1, le=100_000)]
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


class WarehouseEvents:
    signature = "webhook-signature"

    def __init__(self, secrets: Mapping[str, Sequence[str]]) -> None:
        self.secrets = secrets
        """By the warehouse's name; no two have the same."""

    def read(self, delivery: Delivery) -> News:
        """Signed with the secret of any warehouse in the settings, at most five minutes ago."""
        warehouse = self.signer(delivery)
        headers = parsed(Headers, {"webhook-id": delivery.headers["webhook-id"]})
        envelope = parsed(Envelope, delivery.body)
        content = READERS[envelope.type](envelope.data, warehouse) if envelope.type in READERS else None
        return News(f"{warehouse}:{headers.news_id}", envelope.type, content, envelope.timestamp)

    def signer(self, delivery: Delivery) -> str:
        headers = {name: delivery.headers.get(name, "") for name in SIGNED}
        found = [
            name
            for name, secrets in self.secrets.items()
            if any(verified(secret, delivery.body, headers) for secret in secrets)
        ]
        if not found:
            raise Unsigned
        return found[0]


def verified(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):  # the last: what is no text
        return False
    return True


class Headers(Body):
    news_id: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)] = Field(
        alias="webhook-id"
    )


class Envelope(Body):
    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,80}$")]
    timestamp: Instant
    data: dict[str, Any]


class About(Body):
    fulfillment_id: Annotated[str, StringConstraints(pattern=FULFILLMENT)]


class PackedUnits(Body):
    sku: Reference
    quantity: Count


class PackedParcel(Body):
    contents: Annotated[list[PackedUnits], Field(min_length=1, max_length=2_000)] | None = None
    weight_g: Annotated[int, Field(ge=1, le=10_000_000)]
    length_mm: Size
    width_mm: Size
    height_mm: Size


class Packed(About):
    parcels: Annotated[list[PackedParcel], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def all_or_none_tell(self) -> Self:
        silent = [n for n, parcel in enumerate(self.parcels) if parcel.contents is None]
        if 0 < len(silent) < len(self.parcels):
            field = f"parcels[{silent[0]}].contents"
            raise PydanticCustomError("contents", "is missing: other parcels have theirs", {"field": field})
        return self


class Ready(About):
    """To be picked up. Without contents: all of it."""

    contents: Annotated[list[PackedUnits], Field(min_length=1, max_length=2_000)] | None = None


class PickedUp(About):
    by: Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9._-]*$")] = ""
    units: Annotated[list[PackedUnits], Field(min_length=1, max_length=2_000)] | None = None


class MissingLine(Body):
    sku: Reference
    missing: Count


class ShortPicked(About):
    lines: Annotated[list[MissingLine], Field(min_length=1, max_length=2_000)]


class Refused(About):
    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")] = "refused"


class ReceivedLine(Body):
    sku: Reference
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class Received(Body):
    reference: Reference
    location: Annotated[str, StringConstraints(pattern=ID)]
    lines: Annotated[list[ReceivedLine], Field(min_length=1, max_length=2_000)]


def plain(
    made: type[FulfillmentAcknowledged | FulfillmentHandedOver | FulfillmentStopped | FulfillmentNotStopped],
) -> Callable[[dict[str, Any], str], AnyContent]:
    """That it happened says it all."""

    def read(data: dict[str, Any], warehouse: str) -> AnyContent:
        return made(fulfillment=parsed(About, data, "data").fulfillment_id, warehouse=warehouse)

    return read


def packed(data: dict[str, Any], warehouse: str) -> AnyContent:
    body = parsed(Packed, data, "data")
    parcels = tuple(Parcel(**parcel.model_dump(exclude={"contents"})) for parcel in body.parcels)
    contents = tuple(units_of(parcel.contents or ()) for parcel in body.parcels)
    return FulfillmentPacked(
        fulfillment=body.fulfillment_id,
        warehouse=warehouse,
        parcels=parcels,
        contents=contents if any(contents) else (),
    )


def ready(data: dict[str, Any], warehouse: str) -> AnyContent:
    body = parsed(Ready, data, "data")
    contents = (units_of(body.contents),) if body.contents else ()
    return FulfillmentPacked(fulfillment=body.fulfillment_id, warehouse=warehouse, contents=contents)


def picked_up(data: dict[str, Any], warehouse: str) -> AnyContent:
    body = parsed(PickedUp, data, "data")
    units = units_of(body.units or ())
    return FulfillmentPickedUp(fulfillment=body.fulfillment_id, warehouse=warehouse, by=body.by, units=units)


def units_of(given: Sequence[PackedUnits]) -> tuple[Units, ...]:
    return tuple(Units(**units.model_dump()) for units in given)


def short_picked(data: dict[str, Any], warehouse: str) -> AnyContent:
    body = parsed(ShortPicked, data, "data")
    missing = tuple(Units(sku=line.sku, quantity=line.missing) for line in body.lines)
    return FulfillmentShortPicked(fulfillment=body.fulfillment_id, warehouse=warehouse, missing=missing)


def refused(data: dict[str, Any], warehouse: str) -> AnyContent:
    body = parsed(Refused, data, "data")
    return FulfillmentRefused(fulfillment=body.fulfillment_id, warehouse=warehouse, code=body.code)


def received(data: dict[str, Any], warehouse: str) -> AnyContent:
    body = parsed(Received, data, "data")
    lines = tuple(Units(sku=line.sku, quantity=line.quantity) for line in body.lines)
    return GoodsReceived(reference=body.reference, location=body.location, warehouse=warehouse, lines=lines)


READERS: dict[str, Callable[[dict[str, Any], str], AnyContent]] = {
    "fulfillment.accepted": plain(FulfillmentAcknowledged),
    "fulfillment.picking": plain(FulfillmentAcknowledged),
    "fulfillment.packed": packed,
    "fulfillment.ready": ready,
    "fulfillment.picked_up": picked_up,
    "fulfillment.short_picked": short_picked,
    "fulfillment.refused": refused,
    "fulfillment.handed_over": plain(FulfillmentHandedOver),
    "fulfillment.cancelled": plain(FulfillmentStopped),
    "fulfillment.cancel_refused": plain(FulfillmentNotStopped),
    "stock.received": received,
}
