"""News from outside: who may send it, that it counts once, and never backwards."""

import asyncio

import pytest

from activities import facts
from activities.ports import TrackingStatus
from infra.database.tables import Parcel, Stock
from tests.starter import stages
from tests.starter.door import EAST_SECRET, Api
from tests.starter.senders import Senders, order, recorded, timestamped

pytestmark = pytest.mark.both_databases


BOX = {"weight_g": 800, "length_mm": 200, "width_mm": 150, "height_mm": 100}


# --- who may send -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["stripe", "shippo", "twilio", "warehouse"])
async def test_unsigned_news_changes_nothing(api: Api, senders: Senders, sender: str) -> None:
    headers = [b"Stripe-Signature", b"Shippo-Auth-Signature", b"X-Twilio-Signature", b"webhook-signature"]
    for signature in (None, "", "t=1,v1=00", "v1,AAAA", "é", "t=9999999999999,v1=" + "0" * 64):
        signed = [] if signature is None else [(name, signature.encode("latin-1")) for name in headers]
        answer = await api.client.post(f"/webhooks/{sender}", content=b'{"id": "x"}\xff', headers=signed)
        assert answer.status_code == 401, signature
        assert answer.headers["content-type"] == "application/problem+json"
    assert recorded(api) == []


async def test_forged_or_stale_news_changes_nothing(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    packed = {"fulfillment_id": fulfillment, "parcels": [BOX]}
    assert (await senders.warehouse("fulfillment.packed", packed, secret="whsec_AAAA")).status_code == 401
    assert (await senders.warehouse("fulfillment.packed", packed, age=301)).status_code == 401
    assert (await senders.stripe("payment_intent.canceled", {"id": "pi_1"}, age=301)).status_code == 401
    assert (await senders.track("92W-1001", "DELIVERED", age=301)).status_code == 401
    body = b'{"event": "track_updated", "data": {}}'
    signature = timestamped("SHIPPO_WEBHOOK_SECRET", body, 0)
    tampered = await senders.post("shippo", body + b" ", {"Shippo-Auth-Signature": signature})
    assert tampered.status_code == 401
    assert recorded(api) == []
    assert (await order(api))["fulfillments"][0]["status"] == "requested"


async def test_news_about_another_warehouses_location_is_refused_and_on_record(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    body = {"fulfillment_id": fulfillment, "parcels": [BOX]}
    for _ in range(2):
        answer = await senders.warehouse("fulfillment.packed", body, secret=EAST_SECRET, id="msg-1")
        assert answer.status_code == 403
    delivery = {"reference": "PO-1", "location": "OAK", "lines": [{"sku": "MUG-BLUE", "quantity": 1}]}
    assert (await senders.warehouse("stock.received", delivery, secret=EAST_SECRET)).status_code == 403
    assert recorded(api) == ["forbidden", "forbidden"]
    assert (await order(api))["fulfillments"][0]["status"] == "requested"


async def test_unreadable_or_wrong_news_is_a_problem_and_may_come_again(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    bad = {"fulfillment_id": fulfillment, "parcels": [BOX | {"weight_g": 0}]}
    answer = await senders.warehouse("fulfillment.packed", bad, id="msg-1")
    assert answer.json()["errors"][0]["field"] == "data.parcels[0].weight_g"
    bad["parcels"] = [BOX | {"contents": [{"sku": "MUG-BLUE", "quantity": 1}]}, BOX]
    answer = await senders.warehouse("fulfillment.packed", bad, id="msg-1")
    assert answer.json()["errors"][0]["field"] == "data.parcels[1].contents"
    assert (await senders.warehouse("fulfillment.packed", bad | {"parcels": [BOX]}, id="msg-1")).status_code == 200
    body = b"not json"
    answer = await senders.post("stripe", body, {"Stripe-Signature": timestamped("STRIPE_WEBHOOK_SECRET", body, 0)})
    assert answer.status_code == 400
    answer = await senders.warehouse("stock.received", {"reference": "P", "location": "?", "lines": []})
    assert {error["field"] for error in answer.json()["errors"]} == {"data.location", "data.lines"}


async def test_characters_that_no_table_holds_are_refused_or_left_out(api: Api, senders: Senders) -> None:
    nul = "\x00"
    stages.action_required(api.database)
    failed = {"id": "pi_1", "status": "requires_payment_method", "last_payment_error": {"decline_code": nul}}
    refused = [
        await senders.stripe("payment_intent.payment_failed", failed),
        await senders.stripe("payment_intent.canceled", {"id": nul, "status": "canceled"}),
        await senders.track("1Z999", "TRANSIT", nul),
        await senders.warehouse("fulfillment.packed", {"fulfillment_id": nul, "parcels": [BOX]}),
    ]
    assert [answer.status_code for answer in refused] == [422] * 4
    taken = [
        await senders.stripe("customer.created", {"id": nul}),
        await senders.stripe("refund.failed", {"id": "re_9", "status": "failed", "metadata": {"order_id": nul}}),
        await senders.warehouse("fulfillment.weighed", {"reference": nul}),
    ]
    assert [answer.json() for answer in taken] == [{"outcome": "ignored"}] * 3


async def test_news_that_is_not_ours_is_taken_and_ignored(api: Api, senders: Senders) -> None:
    answers = [
        await senders.stripe("customer.created", {"id": "cus_1"}),
        await senders.stripe("payment_intent.canceled", {"id": "pi_other", "status": "canceled"}),
        await senders.stripe("refund.failed", {"id": "re_9", "status": "failed", "payment_intent": "pi_other"}),
        await senders.shippo("transaction_created", {"object_id": "x"}),
        await senders.shippo("transaction_updated", {"object_id": "x", "status": "REFUNDED", "metadata": "by hand"}),
        await senders.track("1Z999", "DELIVERED", metadata="by hand"),
        await senders.warehouse("fulfillment.weighed", {"fulfillment_id": "W-1001-1"}),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert set(recorded(api)) == {"ignored"}
    assert stages.nudges(api.database) == []


# --- once, and never backwards ----------------------------------------------------------------------------------------


async def test_a_warehouse_that_has_accepted_was_asked(api: Api, senders: Senders) -> None:
    """Though our own record of the asking never came."""
    fulfillment = stages.asking(api.database)
    answer = await senders.warehouse("fulfillment.accepted", {"fulfillment_id": fulfillment})
    assert answer.json() == {"outcome": "taken"}
    assert (await order(api))["fulfillments"][0]["status"] == "requested"
    again = await senders.warehouse("fulfillment.picking", {"fulfillment_id": fulfillment})
    assert again.json() == {"outcome": "unchanged"}
    assert stages.nudges(api.database) == []


async def test_packed_counts_once_however_often_it_comes(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    body = {"fulfillment_id": fulfillment, "parcels": [BOX, BOX]}
    answers = await asyncio.gather(*(senders.warehouse("fulfillment.packed", body, id="msg-1") for _ in range(8)))
    assert sorted(answer.json()["outcome"] for answer in answers) == ["known"] * 7 + ["taken"]
    again = await senders.warehouse("fulfillment.packed", body, id="msg-2")
    assert again.json() == {"outcome": "unchanged"}
    found = (await order(api))["fulfillments"][0]
    assert (found["status"], len(found["parcels"])) == ("packed", 2)
    assert stages.nudges(api.database) == ["news"]


async def test_short_picked_gives_the_missing_units_back_once(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    body = {"fulfillment_id": fulfillment, "lines": [{"sku": "MUG-BLUE", "missing": 1}]}
    assert (await senders.warehouse("fulfillment.short_picked", body, id="m")).json() == {"outcome": "taken"}
    assert (await senders.warehouse("fulfillment.short_picked", body, id="m")).json() == {"outcome": "known"}
    with api.database.sessions() as tx:
        shelf = tx.get_one(Stock, ("MUG-BLUE", "OAK"))
        assert (shelf.on_hand, shelf.reserved) == (4, 1)


async def test_a_warehouse_may_name_products_by_their_references(api: Api, senders: Senders) -> None:
    mug = {"name": "Mug", "weight_g": 350, "references": ["Becher blau/350"]}
    assert (await api.client.put("/v1/products/MUG-BLUE", json=mug)).status_code == 200
    fulfillment = stages.requested(api.database)
    body = {"fulfillment_id": fulfillment, "lines": [{"sku": "Becher blau/350", "missing": 1}]}
    assert (await senders.warehouse("fulfillment.short_picked", body)).json() == {"outcome": "taken"}
    delivery = {"reference": "LS #7/26", "location": "OAK", "lines": [{"sku": "Becher blau/350", "quantity": 3}]}
    assert (await senders.warehouse("stock.received", delivery)).json() == {"outcome": "taken"}
    by_sku = delivery | {"lines": [{"sku": "MUG-BLUE", "quantity": 3}]}
    assert (await senders.warehouse("stock.received", by_sku)).json() == {"outcome": "unchanged"}
    with api.database.sessions() as tx:
        assert tx.get_one(Stock, ("MUG-BLUE", "OAK")).on_hand == 5 - 1 + 3


async def test_what_the_carrier_saw_never_goes_back(api: Api, senders: Senders) -> None:
    stages.shipped(api.database)
    stages.read_by_the_order(api.database)
    number = "92W-1001"
    assert (await senders.track(number, "TRANSIT")).json() == {"outcome": "taken"}
    assert stages.nudges(api.database) == []
    assert (await senders.track(number, "DELIVERED", at="2026-11-25T10:00:00Z")).json() == {"outcome": "taken"}
    assert stages.nudges(api.database) == ["news"]
    assert (await senders.track(number, "DELIVERED", at="2026-11-25T10:00:00Z")).json() == {"outcome": "known"}
    for late in (("TRANSIT", "out_for_delivery"), ("PRE_TRANSIT", ""), ("FAILURE", "")):
        assert (await senders.track(number, *late)).json() == {"outcome": "unchanged"}
    found = await order(api)
    assert found["fulfillments"][0]["status"] == "delivered"
    assert found["fulfillments"][0]["parcels"][0]["tracking"] == "delivered"


async def test_delivered_before_handed_over_ends_delivered(api: Api, senders: Senders) -> None:
    """What we had not released, the carrier's word alone does not let go."""
    fulfillment = stages.labelled(api.database)
    await senders.track("92W-1001", "DELIVERED")
    assert (await order(api))["fulfillments"][0]["status"] == "packed"
    await senders.warehouse("fulfillment.handed_over", {"fulfillment_id": fulfillment})
    assert (await order(api))["fulfillments"][0]["status"] == "delivered"


async def test_what_the_carrier_has_was_handed_over(api: Api, senders: Senders) -> None:
    """Though the warehouse's own word is late, or lost."""
    fulfillment = stages.labelled(api.database)
    with api.database.sessions.begin() as tx:
        facts.handing_over.released(tx, fulfillment, stages.now())
    stages.read_by_the_order(api.database)
    assert (await senders.track("92W-1001", "TRANSIT")).json() == {"outcome": "taken"}
    assert (await order(api))["fulfillments"][0]["status"] == "shipped"
    assert stages.nudges(api.database) == ["news"]
    with api.database.sessions() as tx:
        shelf = tx.get_one(Stock, ("MUG-BLUE", "OAK"))
        assert (shelf.on_hand, shelf.reserved) == (3, 0)
    late = await senders.warehouse("fulfillment.handed_over", {"fulfillment_id": fulfillment})
    assert late.json() == {"outcome": "unchanged"}


async def test_a_number_used_again_is_about_the_parcel_on_its_way(api: Api, senders: Senders) -> None:
    await api.place(order_id="W-0999")
    old, new = stages.shipped(api.database, "W-0999"), stages.shipped(api.database)
    with api.database.sessions.begin() as tx:
        tx.get_one(Parcel, (new, 1)).tracking_number = "92W-0999"
        facts.tracking.tracked(tx, tx.get_one(Parcel, (old, 1)), TrackingStatus.DELIVERED, stages.now())
    assert (await senders.track("92W-0999", "DELIVERED")).json() == {"outcome": "taken"}
    assert (await order(api))["fulfillments"][0]["status"] == "delivered"


async def test_returned_to_sender_reaches_an_operator(api: Api, senders: Senders) -> None:
    stages.shipped(api.database)
    await senders.track("92W-1001", "RETURNED")
    (hold,) = (await order(api))["holds"]
    assert (hold["reason"], hold["actions"]) == ("delivery", ["reship", "refund", "skip"])


async def test_a_label_refund_that_is_refused_reaches_an_operator(api: Api, senders: Senders) -> None:
    stages.labelled(api.database)
    assert (
        await senders.shippo("transaction_updated", {"object_id": "label-W-1001", "status": "REFUNDPENDING"})
    ).json() == {"outcome": "unchanged"}
    answer = await senders.shippo("transaction_updated", {"object_id": "label-W-1001", "status": "REFUNDREJECTED"})
    assert answer.json() == {"outcome": "taken"}
    assert (await order(api))["holds"][0]["reason"] == "label_refund"


async def test_stock_received_serves_the_oldest_backorder_first(api: Api, senders: Senders) -> None:
    await api.place(order_id="B-1", lines=[{"sku": "MUG-RED", "quantity": 2, "unit_price": 1800}])
    await api.place(order_id="B-2", lines=[{"sku": "MUG-RED", "quantity": 2, "unit_price": 1800}])
    with api.database.sessions.begin() as tx:
        for order_id in ("B-2", "B-1"):
            facts.reserving.reserved(tx, order_id, stages.now())
    delivery = {"reference": "PO-17", "location": "OAK", "lines": [{"sku": "MUG-RED", "quantity": 2}], "dock": 4}
    assert (await senders.warehouse("stock.received", delivery)).json() == {"outcome": "taken"}
    assert (await senders.warehouse("stock.received", delivery)).json() == {"outcome": "unchanged"}
    waiting = {
        order_id: (await api.client.get(f"/v1/orders/{order_id}")).json()["lines"][0]["waiting"]
        for order_id in ("B-1", "B-2")
    }
    assert waiting == {"B-1": 0, "B-2": 2}
    assert "restocked" in stages.nudges(api.database)


async def test_a_reference_used_before_for_other_goods_is_refused(api: Api, senders: Senders) -> None:
    delivery = {"reference": "PO-17", "location": "OAK", "lines": [{"sku": "MUG-RED", "quantity": 2}]}
    await senders.warehouse("stock.received", delivery)
    more = delivery | {"lines": [{"sku": "MUG-RED", "quantity": 9}]}
    answer = await senders.warehouse("stock.received", more)
    assert answer.status_code == 409
    assert "give this one a reference of its own" in answer.json()["detail"]
    assert recorded(api) == ["taken"]
    assert (await senders.warehouse("stock.received", more | {"reference": "PO-18"})).json() == {"outcome": "taken"}
