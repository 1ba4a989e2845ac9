"""Goods arrive: reported over the API or by the warehouse itself, taken once per reference."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities import facts
from activities.intake.fields import Id, Instant, Reference
from infra.clock import instant_told
from infra.database.tables import Location, Restock, Stock

MOST = 2_000_000_000
"""Units of one SKU at one location."""


class ReceivedLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: Annotated[Reference, Field(description="The product's SKU, or one of its references")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class Received(BaseModel):
    """Units that have arrived at a location. The same `reference` is the same delivery."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [{"reference": "PO-17", "location": "OAK", "lines": [{"sku": "MUG-BLUE", "quantity": 40}]}]
        },
    )

    reference: Reference
    location: Id
    received_at: Annotated[Instant | None, Field(description="When it arrived; none: as it is reported")] = None
    lines: Annotated[tuple[ReceivedLine, ...], Field(min_length=1, max_length=2_000)]


class Unknown(Exception):
    """Fields that name what does not exist, or too much of it; and why."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__([field for field, _ in errors])
        self.errors = errors


def receive(tx: Session, delivery: Received) -> Literal["new", "known", "conflict"]:
    """Takes the units into stock, the oldest backorders first. Raises `Unknown`."""
    skus = facts.catalogue.skus_of(tx, {line.sku for line in delivery.lines})
    lines = [(skus.get(line.sku, line.sku), line.quantity) for line in delivery.lines]
    before = tx.get(Restock, delivery.reference)
    if before is None:
        if errors := doubts(tx, delivery, skus):
            raise Unknown(errors)
        about = {"reference": delivery.reference, "location_id": delivery.location}
        at = instant_told(delivery.received_at) if delivery.received_at else None
        if facts.inventory.received(tx, **about, lines=lines, at=at):
            return "new"
        before = tx.get_one(Restock, delivery.reference)
    same = units((line["sku"], line["quantity"]) for line in before.lines) == units(lines)
    return "known" if same and before.location_id == delivery.location else "conflict"


def units(lines: Iterable[tuple[str, int]]) -> Counter[str]:
    """Of each SKU: how a delivery is written down does not matter."""
    found: Counter[str] = Counter()
    for sku, quantity in lines:
        found[sku] += quantity
    return found


USED_BEFORE = "this reference was used before, for another delivery: give this one a reference of its own"


def doubts(tx: Session, delivery: Received, skus: Mapping[str, str]) -> list[tuple[str, str]]:
    errors = []
    if tx.get(Location, delivery.location) is None:
        errors.append(("location", "is not known"))
    there: dict[str, int] = dict(
        tx.execute(
            select(Stock.sku, func.max(Stock.on_hand))
            .where(Stock.sku.in_(set(skus.values())), Stock.location_id == delivery.location)
            .group_by(Stock.sku)
        ).all()
    )
    for n, line in enumerate(delivery.lines):
        sku = skus.get(line.sku)
        if sku is None:
            errors.append((f"lines[{n}].sku", "is not known"))
            continue
        there[sku] = there.get(sku, 0) + line.quantity
        if there[sku] > MOST:
            errors.append((f"lines[{n}].quantity", f"would make more than {MOST} units"))
    return errors
