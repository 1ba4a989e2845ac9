"""Who buys, what is sold, and where it lies: written whole, the same again changes nothing."""

from typing import Any

from sqlalchemy.orm import Session

from activities.facts.record import wall_clock
from infra.database.tables import Customer, Location, Product


def customer_put(tx: Session, customer_id: str, **told: Any) -> bool:
    """True when the customer is new. Orders placed before keep the contact they were placed with."""
    return put(tx, Customer, customer_id, {"recorded_at": wall_clock()}, customer_id=customer_id, **told)


def product_put(tx: Session, sku: str, **told: Any) -> bool:
    return put(tx, Product, sku, {}, sku=sku, **told)


def location_put(tx: Session, location_id: str, **told: Any) -> bool:
    return put(tx, Location, location_id, {}, location_id=location_id, **told)


def put(tx: Session, table: type[Any], key: str, once: dict[str, Any], **told: Any) -> bool:
    known = tx.get(table, key, with_for_update=True)
    if known is None:
        tx.add(table(**once, **told))
        tx.flush()
        return True
    for name, value in told.items():
        setattr(known, name, value)
    return False
