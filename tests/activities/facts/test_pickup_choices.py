"""A store does not have it: what its customer may choose, and what becomes of the rest."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from activities.facts import pickup_choices
from activities.facts.requests import NothingLeft
from activities.intake.delivery_times import DeliveryTimes
from activities.intake.people import Address
from infra.clock import wall_clock
from infra.database.tables import Backorder, Order
from tests.activities.orders import SKU
from tests.activities.pickups import F, P, packs, pickup, stocked
from tests.fixtures_database import Database

HOME = {"name": "Ada", "street1": "215 Clayton St", "zip": "94117", "city": "San Francisco", "state": "CA"}
TIMES = DeliveryTimes()


def asked(database: Database, units: int, found: int, **changes: Any) -> None:
    """Of an order, the store in Oakland finds so many: the customer is asked what to do without the others."""
    stocked(database, OAK=units, RNO=5)
    pickup(database, P, (SKU, units), **changes)
    packs(database, F, {SKU: found})


def to_choose(database: Database) -> pickup_choices.Offers:
    with database.sessions() as tx:
        return pickup_choices.offers(tx, tx.get_one(Order, P), pickup_choices.lacking(tx, P))


def ships(database: Database, address: Mapping[str, str] | None = None) -> None:
    with database.sessions.begin() as tx:
        typed = Address.model_validate({**address, "country": "US"}) if address else None
        pickup_choices.shipped(tx, P, typed, TIMES, wall_clock())


def test_what_is_to_be_paid_at_the_store_is_not_shipped(database: Database) -> None:
    """It would leave unpaid: a carrier takes no money."""
    asked(database, 2, 1, payment={"method": "external", "reference": "at the store", "due": "at_hand_over"})
    assert not to_choose(database).shipping
    with pytest.raises(NothingLeft, match="paid at the store"):
        ships(database, HOME)
    with database.sessions() as tx:
        assert tx.scalars(select(Backorder.status)).all() == ["asked"]
        assert tx.get_one(Order, P).shipping_method == "pickup"
