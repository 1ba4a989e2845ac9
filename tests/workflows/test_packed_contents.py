"""What is in the parcels: told to the warehouse with their labels; missing, planned anew; wrong, held."""

import json

import pytest

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop


def released(shop: Shop, order: str) -> list[object]:
    [call] = [r for r in shop.sandbox.requests("warehouse") if r["path"].endswith(f"{order}-1/release")]
    body = call["body"] if isinstance(call["body"], dict) else json.loads(call["body"])
    return [parcel.get("contents") for parcel in body["parcels"]]


@renewed_only
def test_the_release_says_what_is_in_each_of_several_parcels(shop: Shop) -> None:
    mug, pot = shop.product(OAK=2), shop.product(OAK=1)
    order = shop.place({mug: 2, pot: 1}, by_hand=True)
    shop.warehouse(order).packs_units({mug: 1}, {mug: 1, pot: 1})
    shop.happened(order, "released")
    both = sorted([{"sku": mug, "quantity": 1}, {"sku": pot, "quantity": 1}], key=lambda units: str(units["sku"]))
    assert released(shop, order) == [[{"sku": mug, "quantity": 1}], both]
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"


@renewed_only
def test_what_the_parcel_lacks_is_sent_from_elsewhere(shop: Shop) -> None:
    sku = shop.product(OAK=2, RNO=1)
    order = shop.place({sku: 2}, by_hand=True)
    shop.warehouse(order).packs_units({sku: 1})
    shop.happened(order, "short_picked")
    shop.happened(order, "requested", 2)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["captures"], books["captured"]) == (2, 2 * 1800 + 500)


@renewed_only
@opens(HoldKind.PACKED_OTHERWISE)
@pytest.mark.parametrize("way", ["anew", "skip", "cancel"])
def test_more_than_was_asked_for_waits_unlabelled_and_unpaid(shop: Shop, way: str) -> None:
    sku = shop.product(OAK=3)
    order = shop.place({sku: 2}, by_hand=True)
    shop.warehouse(order).packs_units({sku: 3})
    shop.until(lambda: shop.open_hold(order, HoldKind.PACKED_OTHERWISE), "a hold", order)
    shop.reaches(order, status="on_hold")
    assert shop.books(order).keys() & {"labels", "captures"} == set()
    if way == "anew":
        shop.warehouse(order).sends("packed", parcels=[box({sku: 2})])
    else:
        shop.resolve(order, way, HoldKind.PACKED_OTHERWISE)
    if way == "cancel":
        shop.happened(order, "recall_asked")
        shop.warehouse(order).stops()
    else:
        shop.goes_by_itself(order)
    assert shop.ends(order) == ("cancelled" if way == "cancel" else "completed")
    assert shop.open_hold(order) is None
    assert shop.books(order).get("captures", 0) == (0 if way == "cancel" else 1)


def box(units: dict[str, int]) -> dict[str, object]:
    contents = [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]
    return {"weight_g": 900, "length_mm": 200, "width_mm": 150, "height_mm": 100, "contents": contents}
