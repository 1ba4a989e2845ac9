"""Orders that go well: from the front door to the customer's hands."""

import json
from datetime import timedelta

from temporalio.api.enums.v1 import EventType

from tests.fixtures_shop import renewed_only
from tests.shop import Shop, unique
from tests.workflows import stories
from tests.workflows.recording import histories

MESSAGES = {"emails": 4, "sms": 4}


def test_a_card_order_is_charged_once_packed_and_delivered(shop: Shop) -> None:
    order = unique("W")
    stories.delivered(shop, order)
    shop.reaches(order, payment_status="captured", fulfillment_status="delivered")
    [sku] = [line["sku"] for line in shop.view(order)["lines"]]
    assert shop.books(order) == MESSAGES | {
        "authorizations": 1,
        "captures": 1,
        "captured": 4100,
        "labels": 1,
        "warehouse_requests": 1,
        "releases": 1,
        "hand_overs": 1,
    }
    assert shop.stock(sku) == {"OAK": (0, 0)}
    story = shop.timeline(order)
    assert story.index("packed") < story.index("label_bought") < story.index("captured") < story.index("released")


def test_two_locations_make_two_fulfillments_two_labels_two_captures(shop: Shop) -> None:
    here, there = shop.product(OAK=5), shop.product(RNO=5)
    order = shop.place({here: 1, there: 2})
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["labels"]) == (1, 2, 2)
    assert books["captured"] == 3 * 1800 + 500
    view = shop.view(order)
    assert [f["location"] for f in view["fulfillments"]] == ["OAK", "RNO"]
    assert all(f["status"] == "delivered" for f in view["fulfillments"])
    assert steps_of(shop, order) >= {
        ("authorize_payment", ""),
        *(("capture_payment", n) for n in ("1", "2")),
        *(("buy_label", parcel) for parcel in ("1/1", "2/1")),
    }, "the web UI shows which part a step is about"


def steps_of(shop: Shop, order: str) -> set[tuple[str, str]]:
    """Each, with what the web UI shows beside it."""
    return {
        (event.activity_task_scheduled_event_attributes.activity_type.name, json.loads(shown) if shown else "")
        for run in shop.call(histories(shop, order))
        for event in run.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        for shown in [event.user_metadata.summary.data]
    }


@renewed_only
def test_one_location_that_has_everything_is_preferred_to_two(shop: Shop) -> None:
    both, rno_only = shop.product(OAK=5, RNO=5), shop.product(RNO=5)
    order = shop.place({both: 1, rno_only: 1})
    assert shop.ends(order) == "completed"
    assert [f["location"] for f in shop.view(order)["fulfillments"]] == ["RNO"]


def test_a_card_without_multicapture_is_authorized_again_for_the_second_parcel(shop: Shop) -> None:
    here, there = shop.product(OAK=5), shop.product(RNO=5)
    order = shop.place({here: 1, there: 2}, card="pm_card_discover")
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["captured"]) == (2, 2, 3 * 1800 + 500)


def test_a_backorder_ships_in_part_and_three_weeks_later_the_rest_on_a_second_authorization(shop: Shop) -> None:
    here, missing = shop.product(OAK=5), shop.product()
    order = shop.place({here: 1, missing: 1})
    shop.reaches(order, fulfillment_status="partial", payment_status="partially_captured")
    shop.until(lambda: "delivered" in shop.timeline(order), "the first parcel's delivery", order)
    shop.pass_time(order, timedelta(days=21))
    shop.receive("OAK", {missing: 3})
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["labels"]) == (2, 2, 2)
    assert books["captured"] == 2 * 1800 + 500
    assert shop.stock(missing) == {"OAK": (2, 0)}
    assert "backordered" in shop.timeline(order)


@renewed_only
def test_an_order_that_ships_complete_waits_for_its_last_unit(shop: Shop) -> None:
    here, missing = shop.product(OAK=5), shop.product()
    order = shop.place({here: 1, missing: 2}, backorder="ship_complete")
    shop.happened(order, "backordered")
    shop.receive("OAK", {missing: 1})
    shop.until(lambda: shop.stock(missing) == {"OAK": (1, 1)}, "the first unit to be set aside", order)
    assert shop.view(order)["fulfillments"] == []
    shop.receive("OAK", {missing: 1})
    assert shop.ends(order) == "completed"
    assert shop.books(order)["captures"] == 1


@renewed_only
def test_what_nobody_has_is_dropped_when_the_customer_wants_no_backorder(shop: Shop) -> None:
    here, missing = shop.product(OAK=5), shop.product()
    order = shop.place({here: 1, missing: 1}, backorder="cancel_unavailable")
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert books["captures"] == 1
    assert books["captured"] == 1800 + 250


@renewed_only
def test_units_short_picked_are_found_elsewhere(shop: Shop) -> None:
    sku = shop.product(prefix="SHORT", OAK=2, RNO=2)
    order = shop.place({sku: 2})
    assert shop.ends(order) == "completed"
    assert [f["location"] for f in shop.view(order)["fulfillments"]] == ["OAK", "RNO"]
    assert shop.books(order)["captured"] == 2 * 1800 + 500
    assert shop.stock(sku) == {"OAK": (0, 0), "RNO": (1, 0)}


@renewed_only
def test_a_parcel_that_no_webhook_tells_of_is_asked_after(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, by_hand=True)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    shop.warehouse(order).hands_over()
    shop.happened(order, "shipped")
    shop.sandbox.webhooks_to(None)
    number = shop.view(order)["fulfillments"][0]["parcels"][0]["tracking_number"]
    shop.sandbox.track(number, "delivered")
    shop.pass_time(order, timedelta(days=6))
    assert shop.ends(order) == "completed"


@renewed_only
def test_two_parcels_are_two_labels_and_one_capture(shop: Shop) -> None:
    sku = shop.product(prefix="TWOBOX", OAK=2)
    order = shop.place({sku: 2})
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["labels"], books["captures"]) == (2, 1)


@renewed_only
def test_an_order_paid_elsewhere_is_not_charged(shop: Shop) -> None:
    sku = shop.product(OAK=1)
    order = shop.place({sku: 1}, payment={"method": "external", "reference": "till 4"})
    assert shop.ends(order) == "completed"
    assert "authorizations" not in shop.books(order)
    shop.reaches(order, payment_status="captured")
    assert "confirmed" in {message["kind"] for message in shop.view(order)["messages"]}
