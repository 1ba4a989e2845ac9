"""A checkout asks for units: once, however often it is sent."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.requests import WrongFields, digest
from activities.intake.fields import RESERVED, ChannelName, GivenReservationId, Id, Reference
from infra.clock import wall_clock
from infra.database.tables import Claim, Location
from infra.settings import Settings
from infra.words import ClaimStatus
from starter.placing import OtherContent, made_id


class ClaimedLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: Annotated[Reference, Field(description="The product's SKU, or one of its references")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class AskedClaim(BaseModel):
    """Units to set aside while a customer checks out: all of them, or none."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [{"reservation_id": "CART-77", "lines": [{"sku": "MUG-BLUE", "quantity": 2}]}],
        },
    )

    reservation_id: GivenReservationId | None = None
    channel: ChannelName = "web"
    location: Annotated[Id | None, Field(description="Only there, as for goods that are picked up")] = None
    lines: Annotated[tuple[ClaimedLine, ...], Field(min_length=1, max_length=2_000)]


def claim(tx: Session, asked: AskedClaim, *, key: str | None, by: str, settings: Settings) -> tuple[Claim, bool]:
    """The claim, and whether it is new. Raises `WrongFields`, `OtherContent`, and what `facts.checkout.claimed` does.
    The transaction must be done again when another was first."""
    content = digest(**asked.model_dump(mode="json", exclude={"reservation_id"}))
    if known := double_of(tx, asked, key, by, content):
        return known, False
    skus = facts.catalogue.skus_of(tx, {line.sku for line in asked.lines})
    units = sum(line.quantity for line in asked.lines)
    if errors := doubts(tx, asked, skus, units, settings):
        raise WrongFields(errors)
    now = wall_clock()
    new = Claim(
        claim_id=asked.reservation_id or made_id(RESERVED),
        idempotency_key=key,
        digest=content,
        made_by=by,
        channel=asked.channel,
        location_id=asked.location,
        lines=[{"sku": skus[line.sku], "quantity": line.quantity} for line in asked.lines],
        units=units,
        status=ClaimStatus.HELD,
        expires_at=now + settings.orders_reservation_time,
        recorded_at=now,
    )
    facts.checkout.claimed(tx, new, facts.checkout.Most(settings.orders_reservations, settings.orders_reserved_units))
    return new, True


def double_of(tx: Session, asked: AskedClaim, key: str | None, by: str, content: str) -> Claim | None:
    names = [Claim.claim_id == asked.reservation_id] if asked.reservation_id else []
    names += [(Claim.made_by == by) & (Claim.idempotency_key == key)] if key else []
    found = tx.scalars(select(Claim).where(or_(false(), *names))).all() if names else ()
    for one in found:
        field = "reservation_id" if one.claim_id == asked.reservation_id else "Idempotency-Key"
        if (one.made_by, one.digest) != (by, content) or asked.reservation_id not in (None, one.claim_id):
            raise OtherContent(field)
    return found[0] if found else None


def doubts(
    tx: Session, asked: AskedClaim, skus: dict[str, str], units: int, settings: Settings
) -> list[tuple[str, str]]:
    errors = [(f"lines[{n}].sku", "is not known") for n, line in enumerate(asked.lines) if line.sku not in skus]
    if asked.location and tx.get(Location, asked.location) is None:
        errors.append(("location", "is not known"))
    if units > (most := settings.orders_reserved_units):
        errors.append(("lines", f"are {units} units: one API key may have {most} in reservations at once"))
    return errors
