"""Picked up at a store: whole, in part, by code, by staff; and what is not there, or not right."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from activities.facts.requests import NothingLeft, WrongFields
from infra.database.tables import HandOver
from infra.hold_kinds import HoldKind
from tests import pickups
from tests.fixtures_shop import renewed_only
from tests.shop import Shop


def test_an_order_is_picked_up_with_its_code(shop: Shop) -> None:
    """Captured when ready, without label or carrier; the code comes by mail alone."""
    sku = shop.product(OAK=2)
    order = pickups.place(shop, {sku: 2})
    code = pickups.readied(shop, order)
    assert shop.books(order)["captured"] == 3600
    shop.until(lambda: pickups.codes_read(shop, order), "a mail with the code", order)
    assert pickups.codes_read(shop, order) == [code]
    assert shop.view(order)["fulfillments"][0]["status"] == "ready_for_pickup"
    assert pickups.at_counter(shop, f"{order}-1", code=code)
    assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (0, 0)}
    view, books = shop.view(order), shop.books(order)
    [f] = view["fulfillments"]
    assert (f["status"], f["method"], f["parcels"]) == ("picked_up", "pickup", [])
    [handed] = f["hand_overs"]
    assert (handed["proof"], handed["by"], handed["quantity"]) == ("code", "kim", 2)
    assert view["fulfillment_status"] == "delivered"
    assert not books.keys() & {"labels", "releases"}


@renewed_only
def test_it_waits_where_the_customer_chose_and_nowhere_else(shop: Shop) -> None:
    sku = shop.product(RNO=2)
    order = pickups.place(shop, {sku: 1}, backorder="cancel_unavailable")
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"RNO": (2, 0)}


@renewed_only
def test_a_part_of_it_is_picked_up_and_the_rest_stays_ready(shop: Shop) -> None:
    sku = shop.product(OAK=3)
    order = pickups.place(shop, {sku: 3})
    code = pickups.readied(shop, order)
    assert pickups.at_counter(shop, f"{order}-1", code=code, units={sku: 2}, request_id="a")
    assert pickups.at_counter(shop, f"{order}-1", code=code, units={sku: 2}, request_id="a"), "the same again"
    assert shop.stock(sku) == {"OAK": (1, 1)}
    assert pickups.fulfillment(shop, f"{order}-1").status == "ready_for_pickup"
    assert shop.view(order)["fulfillment_status"] == "partial"
    with pytest.raises(WrongFields, match="1 of it"):
        pickups.at_counter(shop, f"{order}-1", code=code, units={sku: 2})
    assert pickups.at_counter(shop, f"{order}-1", note="passport")
    assert shop.ends(order) == "completed"
    with shop.database.sessions() as tx:
        rows = tx.scalars(select(HandOver).where(HandOver.order_id == order).order_by(HandOver.n)).all()
        assert [(row.quantity, row.proof, row.note) for row in rows] == [(2, "code", ""), (1, "staff", "passport")]
    with pytest.raises(NothingLeft, match="was picked up"):
        pickups.at_counter(shop, f"{order}-1", code=code)


@renewed_only
def test_five_wrong_codes_make_a_new_one_and_the_old_opens_nothing(shop: Shop) -> None:
    order = pickups.place(shop, {shop.product(OAK=1): 1})
    code = pickups.readied(shop, order)
    wrong = f"{(int(code) + 1) % 10**8:08}"
    with pytest.raises(WrongFields, match="code"):
        pickups.at_counter(shop, f"{order}-1")
    for _ in range(5):
        assert not pickups.at_counter(shop, f"{order}-1", code=wrong)
    new = pickups.code_of(shop, f"{order}-1")
    assert new != code
    shop.until(lambda: pickups.codes_read(shop, order)[-1:] == [new], "a mail with the new code", order)
    assert not pickups.at_counter(shop, f"{order}-1", code=code)
    assert pickups.at_counter(shop, f"{order}-1", code=new)
    assert shop.ends(order) == "completed"
    assert shop.timeline(order).count("pickup_code_wrong") == 6


@renewed_only
def test_a_stores_own_system_tells_that_it_was_picked_up(shop: Shop) -> None:
    sku = shop.product(OAK=3)
    order = pickups.place(shop, {sku: 3})
    pickups.readied(shop, order)
    shop.sandbox.pick_up(f"{order}-1", {sku: 1}, by="till-2")
    shop.happened(order, "picked_up")
    shop.sandbox.pick_up(f"{order}-1")
    assert shop.ends(order) == "completed"
    assert [handed["quantity"] for handed in shop.view(order)["fulfillments"][0]["hand_overs"]] == [1, 2]


@renewed_only
def test_the_store_refuses_and_no_other_is_asked(shop: Shop) -> None:
    """Whatever lies elsewhere: what nobody has said yes to is given back."""
    sku = shop.product(OAK=1, RNO=5)
    order = pickups.place(shop, {sku: 1}, backorder="cancel_unavailable")
    shop.warehouse(order).refuses("not_found")
    assert shop.ends(order) == "cancelled"
    assert shop.stock(sku) == {"OAK": (1, 0), "RNO": (5, 0)}
    assert shop.books(order).get("captured", 0) == 0
    assert len(shop.view(order)["fulfillments"]) == 1


@renewed_only
def test_handed_over_though_it_was_cancelled_is_for_a_person(shop: Shop) -> None:
    order = pickups.place(shop, {shop.product(OAK=1): 1})
    pickups.readied(shop, order)
    shop.cancel(order)
    shop.until(lambda: shop.books(order).get("recalls", 0), "the recall", order, 60)
    shop.warehouse(order).stops()
    shop.happened(order, "fulfillment_cancelled")
    shop.warehouse(order).sends("picked_up")
    shop.resolve(order, "skip", HoldKind.LEFT_THOUGH_CANCELLED)
    assert shop.ends(order) == "cancelled"
    assert shop.books(order)["captured"] == shop.books(order)["refunded"]


@renewed_only
def test_nobody_comes_for_the_rest_and_it_is_given_back_once_it_is_shelved(shop: Shop) -> None:
    sku = shop.product(OAK=3)
    order = pickups.place(shop, {sku: 3})
    pickups.readied(shop, order)
    shop.sandbox.pick_up(f"{order}-1", {sku: 2})
    shop.happened(order, "picked_up")
    shop.pass_time(order, timedelta(days=6))
    shop.happened(order, "pickup_reminded")
    shop.pass_time(order, timedelta(days=1, minutes=1))
    shop.until(lambda: shop.books(order).get("recalls", 0), "the recall", order, 60)
    assert "refunded" not in shop.books(order)
    shop.warehouse(order).stops()
    assert shop.ends(order, 60) == "completed"
    books = shop.books(order)
    assert (books["captured"], books["refunded"]) == (5400, 1800)
    assert shop.stock(sku) == {"OAK": (1, 0)}


@renewed_only
def test_a_pickup_is_extended_told_again_and_listed_over_the_api(shop: Shop) -> None:
    order = pickups.place(shop, {shop.product(OAK=1): 1})
    pickups.readied(shop, order)
    listed = shop.api.get("/v1/pickups", params={"location": "OAK", "limit": 200}).json()["pickups"]
    assert f"{order}-1" in [one["fulfillment_id"] for one in listed]
    extended = shop.api.post(f"/v1/fulfillments/{order}-1/extension")
    assert extended.status_code == 202, extended.text
    assert shop.api.post(f"/v1/fulfillments/{order}-1/extension").status_code == 409
    assert shop.api.post(f"/v1/fulfillments/{order}-9/extension").status_code == 404
    shop.api.post(f"/v1/fulfillments/{order}-1/notice").raise_for_status()
    shop.api.post(f"/v1/orders/{order}/pickup-person", json={"name": "Bo"}).raise_for_status()
    assert shop.view(order)["shipping"]["person"] == "Bo"
    shop.sandbox.pick_up(f"{order}-1")
    assert shop.ends(order) == "completed"
    assert shop.api.post(f"/v1/orders/{order}/pickup-person", json={"name": "Cy"}).status_code == 409


@renewed_only
def test_what_is_paid_at_the_store_is_not_handed_over_before(shop: Shop) -> None:
    """Over the API, as a counter does it."""
    later = {"method": "external", "reference": "at the store", "due": "at_hand_over"}
    order = pickups.place(shop, {shop.product(OAK=1): 1}, payment=later)
    code = pickups.readied(shop, order)

    def asked(**body: object) -> tuple[int, list[str]]:
        answer = shop.api.post(f"/v1/fulfillments/{order}-1/pick-up", json={"by": "kim", **body})
        return answer.status_code, [error["field"] for error in answer.json().get("errors", [])]

    paid = {"reference": "till 4/17", "amount": 1800}
    assert asked(paid=paid) == (422, ["code"])
    assert asked(code=code) == (422, ["paid"])
    assert asked(code=code, paid=paid | {"amount": 1}) == (422, ["paid.amount"])
    assert asked(code="00000000" if code != "00000000" else "1", paid=paid) == (422, ["code"])
    assert pickups.fulfillment(shop, f"{order}-1").code_tries == 1
    assert asked(code=code, paid=paid, request_id="a") == (200, [])
    assert asked(code=code, paid=paid, request_id="a") == (200, [])
    assert asked(code=code, paid=paid) == (409, [])
    assert shop.ends(order) == "completed"
    view = shop.view(order)
    assert view["payment_status"] == "captured"
    assert [handed["paid_as"] for handed in view["fulfillments"][0]["hand_overs"]] == ["till 4/17"]
    assert "authorizations" not in shop.books(order)
