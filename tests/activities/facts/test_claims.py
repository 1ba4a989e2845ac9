"""Many at once want the last unit, and none has it twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.checkout import Most, Short, TooMuch
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import ApiKey, Backorder, Claim, Product, Reservation
from infra.words import ClaimStatus
from starter import keys
from starter.transactions import written
from tests.activities import orders
from tests.fixtures_database import Database

pytestmark = pytest.mark.both_databases
AT_ONCE = 64
MANY = Most(AT_ONCE, AT_ONCE)


def claim(name: str, until: datetime, *, sku: str = orders.SKU, quantity: int = 1, by: str = "shop") -> Claim:
    lines = [{"sku": sku, "quantity": quantity}]
    about = {"made_by": by, "channel": "web", "lines": lines, "units": quantity, "status": ClaimStatus.HELD}
    return Claim(claim_id=name, digest="", expires_at=until, recorded_at=wall_clock(), **about)


def succeeds(database: Database, work: Callable[[Session], object]) -> bool:
    try:
        written(database.sessions, work)
    except (Short, TooMuch):
        return False
    return True


def test_64_buyers_and_64_claims_that_pass_meet_at_the_last_unit(database: Database) -> None:
    for n in range(AT_ONCE):
        orders.placed(database, f"B-{n}", in_stock=0 if n else 1)
    soon = wall_clock() + timedelta(hours=1)

    def buys(n: int) -> bool:
        return succeeds(database, lambda tx: facts.reserving.reserved(tx, f"B-{n}", wall_clock()))

    def checks_out(n: int) -> bool:
        return succeeds(database, lambda tx: facts.checkout.claimed(tx, claim(f"C-{n}", soon), MANY))

    def passes(n: int) -> bool:
        """As soon as it begins."""
        return succeeds(database, lambda tx: facts.checkout.claimed(tx, claim(f"P-{n}", wall_clock()), MANY))

    with ThreadPoolExecutor(2 * AT_ONCE) as pool:
        assert sum(pool.map(checks_out, range(AT_ONCE))) == 1
        with database.sessions.begin() as tx:
            tx.execute(update(Claim).values(expires_at=wall_clock()))
        each = [pool.submit(does, n) for n in range(AT_ONCE) for does in (passes, buys)]
        assert sum(one.result() for one in each) >= AT_ONCE
    with database.sessions() as tx:
        assert [*breaches(tx)] == []
        held = tx.execute(select(Reservation.order_id, Reservation.claim_id).where(Reservation.status == "held")).all()
        queued = tx.scalar(select(func.count()).select_from(Backorder).where(Backorder.status == "waiting"))
    assert (len(held), held[0].claim_id, queued) == (1, None, AT_ONCE - 1)


def test_a_key_has_no_more_at_once_than_it_may(database: Database) -> None:
    """Also where each asks for another product, so that none waits for another."""
    orders.placed(database, "B-1")
    skus = [f"SKU-{n}" for n in range(12)]
    with database.sessions.begin() as tx:
        keys.create(tx, "shop", ["orders:write"])
        by = tx.scalars(select(ApiKey.key_id)).one()
        tx.add_all(Product(sku=sku, name=sku, weight_g=1, lead_time_days=1) for sku in skus)
        facts.inventory.received(tx, reference="PO-1", location_id="OAK", lines=[(sku, 1) for sku in skus])
    soon = wall_clock() + timedelta(hours=1)

    def checks_out(sku: str) -> bool:
        new = claim(f"C-{sku}", soon, sku=sku, by=by)
        return succeeds(database, lambda tx: facts.checkout.claimed(tx, new, Most(4, 100)))

    with ThreadPoolExecutor(len(skus)) as pool:
        assert sum(pool.map(checks_out, skus)) == 4
