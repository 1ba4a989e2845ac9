"""What a transaction has read under an order's lock it does not read again: what it changes itself, it knows."""

import pytest
from sqlalchemy import select

from activities.facts import effects, fulfillments, holds, packing, placing
from activities.facts.holds import MENDED_BY_ADDRESS
from activities.facts.statuses import derive, in_doubt
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from activities.models import Subject
from activities.ports import Parcel as Packed
from infra.clock import wall_clock
from infra.database.tables import Fulfillment, Order, Parcel
from infra.hold_kinds import HoldKind
from tests.activities.orders import BOX, SKU, packed, placed
from tests.fixtures_database import Database

SMALL = Packed(weight_g=300, length_mm=100, width_mm=100, height_mm=100)


def test_parcels_that_are_packed_anew_are_known_at_once(database: Database) -> None:
    placed(database, "L-1", in_stock=5)
    fulfillment_id = packed(database, "L-1")
    with database.sessions.begin() as tx:
        fulfillments.locked(tx, fulfillment_id)
        assert packing.packed(tx, fulfillment_id, [SMALL, BOX], wall_clock())
        known = [(parcel.n, parcel.weight_g) for parcel in fulfillments.parcels_of(tx, fulfillment_id)]
        tx.flush()
        rows = tx.execute(select(Parcel.n, Parcel.weight_g).order_by(Parcel.n)).all()
        assert known == [tuple(row) for row in rows] == [(1, 300), (2, 800)]
    with database.sessions.begin() as tx:
        assert len(fulfillments.parcels_of(tx, fulfillment_id)) == 2


def test_a_hold_is_found_by_the_transaction_that_opened_it(database: Database) -> None:
    placed(database, "L-1", in_stock=5)
    fulfillment_id, now = packed(database, "L-1"), wall_clock()
    about = Subject.fulfillment(fulfillment_id)
    with database.sessions.begin() as tx:
        fulfillments.locked(tx, fulfillment_id)
        assert not holds.close_mended(tx, "L-1", MENDED_BY_ADDRESS, now, by="test", why="none is open")
        holds.opened(tx, "L-1", HoldKind.REQUEST_FAILED, about, now)
        tx.flush()
        assert holds.close_mended(tx, "L-1", MENDED_BY_ADDRESS, now, by="test", why="it is mended")


@pytest.mark.parametrize("before", [False, True])
def test_a_call_whose_outcome_is_out_is_found(database: Database, before: bool) -> None:
    placed(database, "L-1", in_stock=5)
    fulfillment_id = packed(database, "L-1")
    step = f"capture:{fulfillment_id}"
    if before:
        with database.sessions.begin() as tx:
            effects.begin(tx, "L-1", step)
    with database.sessions.begin() as tx:
        fulfillments.locked(tx, fulfillment_id)
        assert in_doubt(tx, "L-1", "capture") == ({fulfillment_id} if before else set())
        effect = effects.begin(tx, "L-1", step)
        assert effect.fresh is not before
        assert in_doubt(tx, "L-1", "capture") == {fulfillment_id}
        effects.finish(tx, effect)
        assert in_doubt(tx, "L-1", "capture") == set()


def test_what_was_rolled_back_is_forgotten(database: Database) -> None:
    placed(database, "L-1", in_stock=5)
    fulfillment_id = packed(database, "L-1")
    with database.sessions() as tx:
        packing.packed(tx, fulfillment_id, [SMALL, BOX], wall_clock())
        tx.rollback()
        _, f = fulfillments.locked(tx, fulfillment_id)
        assert [parcel.weight_g for parcel in fulfillments.parcels_of(tx, fulfillment_id)] == [800]
        assert f is tx.get_one(Fulfillment, fulfillment_id)


CARD = {"method": "card", "payment_method": "pm_card_visa"}
VOUCHER = {"method": "external", "reference": "voucher", "amount": 1000}


@pytest.mark.parametrize(
    "paid",
    [
        {"payment": CARD},
        {"payment": {"method": "external", "reference": "shop-1"}},
        {"payment": None, "payments": [VOUCHER, CARD]},
        {"payment": None, "payments": [VOUCHER | {"amount": 2300}, CARD]},
    ],
    ids=["card", "external", "both", "both, and a rest of nothing"],
)
def test_first_statuses_are_those_that_would_be_derived(database: Database, paid: dict[str, object]) -> None:
    placed(database, "L-0")  # and with it the product
    asked = AskedOrder.model_validate(example_order("L-1", {SKU: 1}) | paid)
    with database.sessions.begin() as tx:
        order = placing.placed(tx, asked, order_id="L-1", idempotency_key=None)
        first = (order.status, order.payment_status, order.fulfillment_status)
    with database.sessions.begin() as tx:
        order = tx.get_one(Order, "L-1")
        derive(tx, order)
    with database.sessions() as tx:
        order = tx.get_one(Order, "L-1")
        assert (order.status, order.payment_status, order.fulfillment_status) == first
        assert order.version == 2
