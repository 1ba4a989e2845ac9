"""A label that nobody gives: what its hold advises can be done, and then the order goes on by itself."""

from typing import Any

import pytest

from activities.facts import catalogue
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.shop import Shop, unique

pytestmark = renewed_only

HEAVY = {"weight_g": 70_000, "length_mm": 500, "width_mm": 500, "height_mm": 500}
HALF = HEAVY | {"weight_g": 35_000}


def held(shop: Shop, order: str) -> dict[str, Any]:
    """The hold on its label, once it is open."""
    shop.until(lambda: shop.open_hold(order, HoldKind.BUY_LABEL_FAILED), "a hold", order)
    [hold] = [hold for hold in shop.view(order)["holds"] if hold["closed_at"] is None]
    assert (hold["kind"], hold["subject_kind"]) == ("buy_label_failed", "parcel")
    return dict(hold)


def ask(shop: Shop, order: str, what: str, body: Any) -> None:
    """As a person does: again, where it is being tried at that moment."""

    def taken() -> bool:
        answer = shop.api.post(f"/v1/orders/{order}/{what}", json=body)
        assert answer.status_code == 202 or "try again" in answer.text, answer.text
        return answer.status_code == 202

    shop.until(taken, "the wish to be taken", order)


def test_another_service_is_chosen(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    shipping = shop.order({sku: 1})["shipping"] | {"service": "dhl_express_worldwide"}
    order = shop.place({sku: 1}, shipping=shipping)
    hold = held(shop, order)
    assert (hold["code"], "choose another service" in hold["advice"]) == ("service_not_offered", True)
    ask(shop, order, "shipping-service", {"service": "fastest"})
    assert shop.ends(order) == "completed"
    assert shop.view(order)["fulfillments"][0]["parcels"][0]["service"] == "usps_priority_express"
    assert shop.books(order)["labels"] == 1


@pytest.mark.parametrize("anew", [[HALF, HALF], [HALF]])
def test_parcels_are_packed_anew(shop: Shop, anew: list[dict[str, int]]) -> None:
    shop.sandbox.pace(None)
    order = shop.place({shop.product(prefix="SILENT", OAK=2): 2})
    shop.happened(order, "requested")
    shop.sandbox.warehouse(f"{order}-1", "pack", {"parcels": [HALF, HEAVY]})
    hold = held(shop, order)
    assert (hold["code"], "packed anew" in hold["advice"]) == ("parcel_too_heavy", True)
    shop.sandbox.warehouse(f"{order}-1", "pack", {"parcels": [HALF, *anew]})
    shop.happened(order, "released")
    shop.sandbox.pace(0.02)
    shop.sandbox.warehouse(f"{order}-1", "hand_over")
    assert shop.ends(order) == "completed"
    assert [p["weight_g"] for p in shop.view(order)["fulfillments"][0]["parcels"]] == [35_000] * (1 + len(anew))
    assert shop.books(order)["labels"] == 1 + len(anew)


def test_fewer_parcels_than_before_are_labelled(shop: Shop) -> None:
    shop.sandbox.pace(None)
    order = shop.order({})["order_id"]
    sku = shop.product(prefix="SILENT", OAK=2)
    with shop.sandbox.failing("shippo", "rates", "error", match=f"{order}-1/1"):
        shop.place({sku: 2}, order_id=order)
        shop.happened(order, "requested")
        shop.sandbox.warehouse(f"{order}-1", "pack", {"parcels": [HALF, HALF]})
        held(shop, order)
        shop.sandbox.warehouse(f"{order}-1", "pack", {"parcels": [HALF | {"weight_g": 60_000}]})
        shop.happened(order, "packed", 2)
    shop.happened(order, "hold_closed")
    shop.until(lambda: "released" in shop.timeline(order) or shop.open_hold(order), "the next try", order)
    if shop.open_hold(order):
        shop.resolve(order, "retry", HoldKind.BUY_LABEL_FAILED)
    shop.happened(order, "released")
    shop.sandbox.pace(0.02)
    shop.sandbox.warehouse(f"{order}-1", "hand_over")
    assert shop.ends(order) == "completed"
    assert shop.books(order)["labels"] == 1


@pytest.mark.parametrize(("zip", "code"), [("00000", "address"), ("00008", "E-4711")])
def test_the_address_is_corrected(shop: Shop, zip: str, code: str) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, zip=zip)
    hold = held(shop, order)
    assert (hold["code"], "correct" in hold["advice"]) == (code, True)
    ask(shop, order, "shipping-address", shop.order({sku: 1})["shipping"]["address"])
    assert shop.ends(order) == "completed"
    assert shop.books(order)["labels"] == 1


def test_a_lines_own_address_is_corrected_and_no_other(shop: Shop) -> None:
    sku = shop.product(OAK=2)
    asked = shop.order({sku: 1})
    address = asked["shipping"]["address"]
    gift = address | {"name": "Gift", "street1": "9 Gift Rd"}
    lines = [{"sku": sku, "quantity": 1, "unit_price": 1800, "ship_to": to} for to in (None, gift | {"zip": "00000"})]
    asked |= {"lines": lines, "total": asked["total"] + 1800}
    order = asked["order_id"]
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    hold = held(shop, order)
    unnamed = shop.api.post(f"/v1/orders/{order}/shipping-address", json=gift)
    assert (unnamed.status_code, hold["fulfillment_id"] in unnamed.json()["detail"]) == (409, True)
    ask(shop, order, f"shipping-address?fulfillment={hold['fulfillment_id']}", gift)
    assert shop.ends(order) == "completed"
    view = shop.view(order)
    assert view["shipping"]["address"]["street1"] == address["street1"]
    assert [line["ship_to"] and line["ship_to"]["street1"] for line in view["lines"]] == [None, "9 Gift Rd"]
    assert shop.books(order)["labels"] == 2


def test_labels_that_nobody_pays_for_wait_for_a_person(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, zip="00001")
    hold = held(shop, order)
    assert (hold["code"], "fill it up" in hold["advice"]) == ("insufficient_funds", True)
    assert shop.books(order).get("labels") is None


def test_what_lies_abroad_alone_says_customs(shop: Shop) -> None:
    """A location there makes it no refusal at the door; the goods lie elsewhere."""
    sku, there = shop.product(OAK=1), unique("BER")
    address = shop.order({})["shipping"]["address"] | {"country": "DE", "state": "", "city": "Berlin", "zip": "10115"}
    with shop.database.sessions.begin() as tx:
        catalogue.location_put(
            tx, there, name="BER", kind="warehouse", priority=9, warehouse="default", address=address
        )
    order = shop.place({sku: 1}, shipping={"price": 500, "address": address})
    hold = held(shop, order)
    assert (hold["code"], "customs declaration" in hold["advice"]) == ("customs", True)
    assert shop.books(order).get("labels") is None
