"""An order comes in: once, however often and from however many places at once it is sent."""

import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from activities import facts
from activities.facts.record import wall_clock
from activities.fields import MADE
from activities.intake import AskedOrder
from infra.database.tables import Order, Product
from starter.transactions import written

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class OtherContent(Exception):
    """`field` (an order id or a key) was used before, for something else."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class UnknownSkus(Exception):
    """Lines, by their position, whose SKU is in no catalogue."""

    def __init__(self, positions: list[int]) -> None:
        super().__init__(positions)
        self.positions = positions


@dataclass(frozen=True)
class Placed:
    order_id: str
    new: bool


def place(sessions: sessionmaker[Session], asked: AskedOrder, *, idempotency_key: str | None = None) -> Placed:
    """Stores the order and that it is to be started, in one transaction; known already, it is the same one."""

    def work(tx: Session) -> Placed:
        if known := double_of(tx, asked, idempotency_key):
            return Placed(known, new=False)
        skus = {line.sku for line in asked.lines}
        sold = set(tx.scalars(select(Product.sku).where(Product.sku.in_(skus))))
        if skus - sold:
            raise UnknownSkus([n for n, line in enumerate(asked.lines) if line.sku not in sold])
        order_id = asked.order_id or made_id()
        facts.orders.placed(tx, asked, order_id=order_id, idempotency_key=idempotency_key)
        return Placed(order_id, new=True)

    return written(sessions, work)


def double_of(tx: Session, asked: AskedOrder, key: str | None) -> str | None:
    by_id = tx.get(Order, asked.order_id) if asked.order_id else None
    by_key = tx.scalars(select(Order).where(Order.idempotency_key == key)).first() if key else None
    if by_key and (by_key.content_hash != asked.content_hash() or asked.order_id not in (None, by_key.order_id)):
        raise OtherContent("Idempotency-Key")
    if by_id and by_id.content_hash != asked.content_hash():
        raise OtherContent("order_id")
    known = by_id or by_key
    return known.order_id if known else None


def made_id() -> str:
    return f"{MADE}{wall_clock():%y%m%d}-{''.join(secrets.choice(LETTERS) for _ in range(10))}"
