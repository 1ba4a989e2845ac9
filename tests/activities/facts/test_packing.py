"""What a warehouse says is in its parcels is held against what it was asked for."""

from collections import Counter

import pytest
from sqlalchemy import select

from activities import facts
from activities.facts import holds, packing, short_pick
from activities.facts.set_aside import units_in
from activities.views import order as views
from infra.clock import wall_clock
from infra.database.tables import Fulfillment, Hold, Message, Order, ParcelContent, Reservation, Stock
from infra.hold_kinds import HoldKind
from tests.activities.orders import BOX, SKU, placed
from tests.fixtures_database import Database

ID = "P-1"
F = f"{ID}-1"
FIVE = [{"sku": SKU, "quantity": 5}]


@pytest.fixture
def asked(database: Database) -> Database:
    """Five mugs, all there, asked of the warehouse."""
    placed(database, ID, 5, in_stock=5)
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, ID, wall_clock())
        facts.fulfillments.requested(tx, F, wall_clock())
    return database


def pack(database: Database, *contents: dict[str, int], boxes: int = 0) -> bool:
    with database.sessions.begin() as tx:
        inside = [Counter(units) for units in contents]
        return packing.packed(tx, F, [BOX] * (boxes or len(contents)), wall_clock(), inside)


def shown(database: Database) -> list[list[dict[str, object]] | None]:
    with database.sessions.begin() as tx:
        [fulfillment] = views.read(tx, tx.get_one(Order, ID)).fulfillments
        return [parcel.model_dump()["contents"] for parcel in fulfillment.parcels]


def held(database: Database) -> int:
    with database.sessions.begin() as tx:
        return sum(r.quantity for r in tx.scalars(select(Reservation).where(Reservation.status == "held")))


def open_kinds(database: Database) -> list[HoldKind]:
    with database.sessions.begin() as tx:
        return list(tx.scalars(select(Hold.kind).where(Hold.closed_at.is_(None))))


def count(database: Database) -> int:
    with database.sessions.begin() as tx:
        return tx.scalars(select(Stock.on_hand)).one()


def short(database: Database, units: int) -> bool:
    with database.sessions.begin() as tx:
        return short_pick.short_picked(tx, F, [(SKU, units)], wall_clock())


def test_of_one_parcel_nothing_needs_to_be_said(asked: Database) -> None:
    assert pack(asked, boxes=1)
    assert (shown(asked), held(asked), open_kinds(asked)) == ([FIVE], 5, [])


def test_one_parcel_with_all_takes_no_row(asked: Database) -> None:
    assert pack(asked, {SKU: 5})
    assert (shown(asked), held(asked)) == ([FIVE], 5)
    with asked.sessions.begin() as tx:
        assert tx.scalars(select(ParcelContent)).all() == []


def test_what_is_in_which_of_several_parcels_is_kept(asked: Database) -> None:
    assert pack(asked, {SKU: 3}, {SKU: 2})
    assert shown(asked) == [[{"sku": SKU, "quantity": 3}], [{"sku": SKU, "quantity": 2}]]
    assert not pack(asked, {SKU: 3}, {SKU: 2})


def test_of_several_parcels_of_which_nobody_says_it_nothing_is_known(asked: Database) -> None:
    assert pack(asked, boxes=2)
    assert shown(asked) == [None, None]


@pytest.mark.parametrize("parcels", [({SKU: 3},), ({SKU: 2}, {SKU: 1})])
def test_less_than_was_asked_for_is_a_short_pick(asked: Database, parcels: tuple[dict[str, int], ...]) -> None:
    assert pack(asked, *parcels)
    assert (held(asked), count(asked), open_kinds(asked)) == (3, 3, [])
    assert [units for parcel in shown(asked) for units in parcel or []] == [
        {"sku": SKU, "quantity": quantity} for parcel in parcels for quantity in parcel.values()
    ]
    assert not pack(asked, *parcels), "the same again"
    assert held(asked) == 3


def test_a_short_pick_that_is_told_after_the_parcels_lacked_it_counts_once(asked: Database) -> None:
    assert pack(asked, {SKU: 3})
    assert not short(asked, 2)
    assert (held(asked), count(asked)) == (3, 3)
    assert short(asked, 3), "one more than the parcels lacked"
    assert (held(asked), count(asked)) == (2, 2)


def test_a_short_pick_that_is_told_first_is_not_missing_again(asked: Database) -> None:
    assert short(asked, 2)
    assert pack(asked, {SKU: 3})
    assert (held(asked), count(asked), open_kinds(asked)) == (3, 3, [])


def test_units_missed_after_the_packing_are_in_no_parcel(asked: Database) -> None:
    assert pack(asked, {SKU: 3}, {SKU: 2})
    assert short(asked, 3)
    assert shown(asked) == [[{"sku": SKU, "quantity": 2}], None]


@pytest.mark.parametrize("wrong", [{SKU: 6}, {SKU: 5, "POT": 1}, {"POT": 5}, {SKU: 4, "POT": 1}])
def test_more_or_another_product_waits_for_a_person_or_the_warehouse(asked: Database, wrong: dict[str, int]) -> None:
    assert pack(asked, wrong)
    assert (open_kinds(asked), held(asked)) == ([HoldKind.PACKED_OTHERWISE], 5)
    assert {units["sku"]: units["quantity"] for units in shown(asked)[0] or []} == wrong
    assert not pack(asked, wrong)
    assert pack(asked, {SKU: 5})
    assert (open_kinds(asked), shown(asked)) == ([], [FIVE])


def test_packed_anew_otherwise_it_waits_too(asked: Database) -> None:
    assert pack(asked, {SKU: 5})
    assert pack(asked, {SKU: 3}, {SKU: 3})
    assert open_kinds(asked) == [HoldKind.PACKED_OTHERWISE]
    assert pack(asked, {SKU: 3}, {SKU: 1})
    assert (open_kinds(asked), held(asked)) == ([], 4)


def test_a_product_may_be_named_by_a_reference(asked: Database) -> None:
    with asked.sessions.begin() as tx:
        facts.catalogue.product_put(tx, SKU, references=["4006381"], name="Mug", weight_g=400, lead_time_days=7)
    assert pack(asked, {"4006381": 2, SKU: 1}, {"4006381": 2})
    assert (held(asked), open_kinds(asked)) == (5, [])
    assert shown(asked) == [[{"sku": SKU, "quantity": 3}], [{"sku": SKU, "quantity": 2}]]


@pytest.mark.parametrize(("parcels", "items"), [(({SKU: 5},), "5 × Mug"), (({SKU: 3}, {SKU: 2}), "3 × Mug; 2 × Mug")])
def test_the_customer_hears_what_is_in_the_parcels(
    asked: Database, parcels: tuple[dict[str, int], ...], items: str
) -> None:
    assert pack(asked, *parcels)
    with asked.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, F, wall_clock())
        tx.flush()
        [data] = tx.scalars(select(Message.data).where(Message.kind == "shipped"))
    assert data["items"] == items


def test_late_parcels_change_nothing(asked: Database) -> None:
    assert pack(asked, {SKU: 5})
    with asked.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, F, wall_clock())
    assert not pack(asked, {SKU: 9})
    assert HoldKind.PACKED_OTHERWISE not in open_kinds(asked)
    with asked.sessions.begin() as tx:
        assert tx.get_one(Fulfillment, F).status == "shipped"
        assert units_in(tx, F) == []
        assert not holds.open_holds(tx, ID, [HoldKind.PACKED_OTHERWISE])
