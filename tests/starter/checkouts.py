"""What tests of checkouts ask of the API, and what they look at."""

from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import func, select, update

from activities import facts
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Backorder, Claim, Reservation
from tests.fixtures_database import Database
from tests.starter.door import Api

CART: dict[str, Any] = {"reservation_id": "CART-1", "lines": [{"sku": "MUG-BLUE", "quantity": 2}]}


async def ask(api: Api, key: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
    return await api.client.post("/v1/reservations", json=CART | changes, headers=key)


async def claimed(api: Api, quantity: int, **changes: Any) -> dict[str, Any]:
    answer = await ask(api, lines=[{"sku": "MUG-BLUE", "quantity": quantity}], **changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def time_passes(database: Database, *claims: str) -> None:
    late = {"expires_at": wall_clock() - timedelta(seconds=1)}
    with database.sessions.begin() as tx:
        tx.execute(update(Claim).where(Claim.claim_id.in_(claims or ["CART-1"])).values(late))


def reserve(database: Database, order_id: str = "W-1001") -> None:
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, order_id, wall_clock())


def held(database: Database) -> dict[tuple[str | None, str | None], int]:
    """Units by claim and order; looks, too, at all that must hold of the tables."""
    whose = (Reservation.claim_id, Reservation.order_id)
    with database.sessions() as tx:
        assert [*breaches(tx)] == []
        rows = tx.execute(select(*whose, func.sum(Reservation.quantity)).group_by(*whose)).all()
    return {(claim_id, order_id): int(units) for claim_id, order_id, units in rows}


def waiting(database: Database) -> int:
    with database.sessions() as tx:
        queued = select(func.coalesce(func.sum(Backorder.quantity), 0)).where(Backorder.status == "waiting")
        return int(tx.scalars(queued).one())


def fields(answer: httpx.Response, status: int) -> list[str]:
    assert answer.status_code == status, answer.text
    return [error["field"] for error in answer.json().get("errors", [])]


def mugs(*quantities: int) -> dict[str, Any]:
    """Lines of an order, and what they cost."""
    lines = [{"sku": "MUG-BLUE", "quantity": quantity, "unit_price": 1800} for quantity in quantities]
    return {"lines": lines, "tax": 0, "total": 500 + 1800 * sum(quantities)}
