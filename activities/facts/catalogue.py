"""Who buys, what is sold, and where it lies: written whole, the same again changes nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from activities.facts.messages import ADDRESS
from infra.clock import wall_clock
from infra.database.tables import Customer, Location, Product, ProductReference, Till


def customer_put(tx: Session, customer_id: str, **values: Any) -> bool:
    """True when the customer is new. Orders placed before keep the contact they were placed with. Another address is
    tried, whatever became of the one before it."""
    known = tx.get(Customer, customer_id, with_for_update=True)
    moved = [channel for channel, field in ADDRESS.items() if known and getattr(known, field) != values[field]]
    if known and known.unreachable.keys() & set(moved):
        known.unreachable = {channel: why for channel, why in known.unreachable.items() if channel not in moved}
    once = {"recorded_at": wall_clock(), "unreachable": {}}
    return put(tx, Customer, customer_id, once, customer_id=customer_id, **values)


def product_put(tx: Session, sku: str, *, references: Sequence[str] = (), **values: Any) -> bool:
    """The caller has checked that the references are no other product's."""
    new = put(tx, Product, sku, {}, sku=sku, **values)
    told_as = set(references) - {sku}
    known = set(tx.scalars(select(ProductReference.reference).where(ProductReference.sku == sku)))
    if gone := known - told_as:
        tx.execute(delete(ProductReference).where(ProductReference.reference.in_(gone)))
    tx.add_all(ProductReference(reference=reference, sku=sku) for reference in sorted(told_as - known))
    tx.flush()
    return new


def skus_of(tx: Session, names: Iterable[str]) -> dict[str, str]:
    """Which product each name means, by its SKU or a reference."""
    wanted = set(names)
    sold = set(tx.scalars(select(Product.sku).where(Product.sku.in_(wanted))))
    return {sku: sku for sku in sold} | referred_to(tx, wanted - sold)


def referred_to(tx: Session, names: set[str]) -> dict[str, str]:
    """The products that other systems call so. What is a SKU needs no look."""
    if not names:
        return {}
    named = select(ProductReference.reference, ProductReference.sku).where(ProductReference.reference.in_(names))
    return dict(tx.execute(named).all())


def location_put(tx: Session, location_id: str, **values: Any) -> bool:
    return put(tx, Location, location_id, {}, location_id=location_id, **values)


def till_put(tx: Session, till_id: str, location_id: str) -> bool:
    return put(tx, Till, till_id, {"recorded_at": wall_clock()}, till_id=till_id, location_id=location_id)


def put(tx: Session, table: type[Any], key: str, once: dict[str, Any], **values: Any) -> bool:
    known = tx.get(table, key, with_for_update=True)
    if known is None:
        tx.add(table(**once, **values))
        tx.flush()
        return True
    for name, value in values.items():
        setattr(known, name, value)
    return False
