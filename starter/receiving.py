"""Goods arrive: reported over the API or by the warehouse itself, taken once per reference."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities import facts
from activities.fields import Id
from infra.database.tables import Location, Product, Restock, Stock

MOST = 2_000_000_000
"""Units of one SKU at one location."""


class ReceivedLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: Id
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

    reference: Id
    location: Id
    lines: Annotated[tuple[ReceivedLine, ...], Field(min_length=1, max_length=2_000)]


class Unknown(Exception):
    """Fields that name what does not exist, or too much of it; and why."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__([field for field, _ in errors])
        self.errors = errors


def receive(tx: Session, told: Received) -> Literal["new", "known", "conflict"]:
    """Takes the units into stock, the oldest backorders first. Raises `Unknown`."""
    if errors := doubts(tx, told):
        raise Unknown(errors)
    lines = [(line.sku, line.quantity) for line in told.lines]
    if facts.shelves.received(tx, reference=told.reference, location_id=told.location, lines=lines):
        return "new"
    before = tx.get_one(Restock, told.reference)
    same = before.location_id == told.location and [(line["sku"], line["quantity"]) for line in before.lines] == lines
    return "known" if same else "conflict"


def used_before(reference: str) -> str:
    """Why a conflict is refused, and what to do."""
    return f"reference {reference} was used before, for another delivery: give this one a reference of its own"


def doubts(tx: Session, told: Received) -> list[tuple[str, str]]:
    errors = []
    if tx.get(Location, told.location) is None:
        errors.append(("location", "is not known"))
    skus = {line.sku for line in told.lines}
    sold = set(tx.scalars(select(Product.sku).where(Product.sku.in_(skus))))
    there: dict[str, int] = dict(
        tx.execute(
            select(Stock.sku, func.max(Stock.on_hand))
            .where(Stock.sku.in_(skus), Stock.location_id == told.location)
            .group_by(Stock.sku)
        ).all()
    )
    for n, line in enumerate(told.lines):
        there[line.sku] = there.get(line.sku, 0) + line.quantity
        if line.sku not in sold:
            errors.append((f"lines[{n}].sku", "is not known"))
        elif there[line.sku] > MOST:
            errors.append((f"lines[{n}].quantity", f"would make more than {MOST} units"))
    return errors
