"""News from outside: who may send it, that it counts once, and never backwards."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from activities import facts
from infra.database.tables import Message, News, Order, Payment, Refund, Stock
from tests.starter import stages
from tests.starter.conftest import EAST_SECRET, Api
from tests.starter.senders import Senders, timestamped

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def senders(api: Api) -> Senders:
    await api.place()
    stages.read_by_the_order(api.database)
    return Senders(api.client)


async def order(api: Api) -> Any:
    return (await api.client.get("/v1/orders/W-1001")).json()


def recorded(api: Api) -> list[str]:
    with api.database.sessions() as tx:
        return list(tx.scalars(select(News.outcome).order_by(News.recorded_at)))


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
    told = {"fulfillment_id": fulfillment, "parcels": [BOX]}
    assert (await senders.warehouse("fulfillment.packed", told, secret="whsec_AAAA")).status_code == 401
    assert (await senders.warehouse("fulfillment.packed", told, age=301)).status_code == 401
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
    told = {"fulfillment_id": fulfillment, "parcels": [BOX]}
    for _ in range(2):
        answer = await senders.warehouse("fulfillment.packed", told, secret=EAST_SECRET, id="msg-1")
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
    assert (await senders.warehouse("fulfillment.packed", bad | {"parcels": [BOX]}, id="msg-1")).status_code == 200
    body = b"not json"
    answer = await senders.post("stripe", body, {"Stripe-Signature": timestamped("STRIPE_WEBHOOK_SECRET", body, 0)})
    assert answer.status_code == 400
    answer = await senders.warehouse("stock.received", {"reference": "P", "location": "?", "lines": []})
    assert {error["field"] for error in answer.json()["errors"]} == {"data.location", "data.lines"}


async def test_news_that_is_not_ours_is_taken_and_ignored(api: Api, senders: Senders) -> None:
    answers = [
        await senders.stripe("customer.created", {"id": "cus_1"}),
        await senders.stripe("payment_intent.canceled", {"id": "pi_other", "status": "canceled"}),
        await senders.shippo("transaction_created", {"object_id": "x"}),
        await senders.track("1Z999", "DELIVERED"),
        await senders.twilio("SM404", "delivered"),
        await senders.warehouse("fulfillment.weighed", {"fulfillment_id": "W-1001-1"}),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert set(recorded(api)) == {"ignored"}
    assert stages.nudges(api.database) == []


async def test_a_fulfillment_that_is_not_known_is_to_be_told_again(api: Api, senders: Senders) -> None:
    answer = await senders.warehouse("fulfillment.handed_over", {"fulfillment_id": "X-9-1"})
    assert (answer.status_code, recorded(api)) == (404, [])


# --- once, and never backwards ----------------------------------------------------------------------------------------


async def test_packed_counts_once_however_often_it_comes(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    told = {"fulfillment_id": fulfillment, "parcels": [BOX, BOX]}
    answers = await asyncio.gather(*(senders.warehouse("fulfillment.packed", told, id="msg-1") for _ in range(8)))
    assert sorted(answer.json()["outcome"] for answer in answers) == ["known"] * 7 + ["taken"]
    again = await senders.warehouse("fulfillment.packed", told, id="msg-2")
    assert again.json() == {"outcome": "unchanged"}
    found = (await order(api))["fulfillments"][0]
    assert (found["status"], len(found["parcels"])) == ("packed", 2)
    assert stages.nudges(api.database) == ["news"]


async def test_short_picked_gives_the_missing_units_back_once(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    told = {"fulfillment_id": fulfillment, "lines": [{"sku": "MUG-BLUE", "missing": 1}]}
    assert (await senders.warehouse("fulfillment.short_picked", told, id="m")).json() == {"outcome": "taken"}
    assert (await senders.warehouse("fulfillment.short_picked", told, id="m")).json() == {"outcome": "known"}
    with api.database.sessions() as tx:
        shelf = tx.get_one(Stock, ("MUG-BLUE", "OAK"))
        assert (shelf.on_hand, shelf.reserved) == (4, 1)


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
    fulfillment = stages.labelled(api.database)
    with api.database.sessions.begin() as tx:
        facts.goods.released(tx, fulfillment, stages.now())
    await senders.track("92W-1001", "DELIVERED")
    assert (await order(api))["fulfillments"][0]["status"] == "packed"
    await senders.warehouse("fulfillment.handed_over", {"fulfillment_id": fulfillment})
    assert (await order(api))["fulfillments"][0]["status"] == "delivered"


async def test_returned_to_sender_reaches_an_operator(api: Api, senders: Senders) -> None:
    stages.shipped(api.database)
    await senders.track("92W-1001", "RETURNED")
    (hold,) = (await order(api))["holds"]
    assert (hold["reason"], hold["actions"]) == ("delivery", ["skip"])


async def test_a_label_refund_that_is_refused_reaches_an_operator(api: Api, senders: Senders) -> None:
    stages.labelled(api.database)
    assert (
        await senders.shippo("transaction_updated", {"object_id": "label-W-1001", "status": "REFUNDPENDING"})
    ).json() == {"outcome": "ignored"}
    answer = await senders.shippo("transaction_updated", {"object_id": "label-W-1001", "status": "REFUNDREJECTED"})
    assert answer.json() == {"outcome": "taken"}
    assert (await order(api))["holds"][0]["reason"] == "label_refund"


async def test_stock_received_serves_the_oldest_backorder_first(api: Api, senders: Senders) -> None:
    await api.place(order_id="B-1", lines=[{"sku": "MUG-RED", "quantity": 2, "unit_price": 1800}])
    await api.place(order_id="B-2", lines=[{"sku": "MUG-RED", "quantity": 2, "unit_price": 1800}])
    with api.database.sessions.begin() as tx:
        for order_id in ("B-2", "B-1"):
            facts.stock.reserved(tx, order_id, stages.now())
    delivery = {"reference": "PO-17", "location": "OAK", "lines": [{"sku": "MUG-RED", "quantity": 2}], "dock": 4}
    assert (await senders.warehouse("stock.received", delivery)).json() == {"outcome": "taken"}
    assert (await senders.warehouse("stock.received", delivery)).json() == {"outcome": "unchanged"}
    waiting = {
        order_id: (await api.client.get(f"/v1/orders/{order_id}")).json()["lines"][0]["waiting"]
        for order_id in ("B-1", "B-2")
    }
    assert waiting == {"B-1": 0, "B-2": 2}
    assert "restocked" in stages.nudges(api.database)


# --- money ------------------------------------------------------------------------------------------------------------


def intent(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "pi_1", "object": "payment_intent", "status": status, "amount": 4410, "amount_received": 0} | more


async def test_the_customers_confirmation_makes_the_order_ask_the_bank(api: Api, senders: Senders) -> None:
    stages.action_required(api.database)
    told = intent("requires_capture", amount_capturable=4410)
    assert (await senders.stripe("payment_intent.amount_capturable_updated", told)).json() == {"outcome": "taken"}
    assert stages.nudges(api.database) == ["news"]
    with api.database.sessions() as tx:
        assert [p.status for p in tx.scalars(select(Payment))] == ["asked"]
    assert (await senders.stripe("payment_intent.amount_capturable_updated", told)).json() == {"outcome": "unchanged"}


async def test_echoes_of_our_own_calls_wake_nobody(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    await senders.stripe("payment_intent.amount_capturable_updated", intent("requires_capture"))
    await senders.stripe("payment_intent.payment_failed", intent("requires_payment_method"))
    await senders.stripe("payment_intent.succeeded", intent("succeeded", amount_received=4410))
    assert set(recorded(api)) == {"unchanged"}
    assert stages.nudges(api.database) == []
    assert (await order(api))["payment_status"] == "authorized"


async def test_a_confirmation_that_fails_is_a_decline(api: Api, senders: Senders) -> None:
    stages.action_required(api.database)
    error = {"code": "payment_intent_authentication_failure", "message": "Ada Park said no"}
    await senders.stripe("payment_intent.payment_failed", intent("requires_payment_method", last_payment_error=error))
    found = await order(api)
    assert (found["payment_status"], stages.nudges(api.database)) == ("declined", ["news"])
    assert found["payment"]["authorizations"][0]["decline_code"] == "payment_intent_authentication_failure"[:40]


async def test_an_authorization_that_expires_wakes_the_order(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    await senders.stripe("payment_intent.canceled", intent("canceled", cancellation_reason="automatic"))
    found = await order(api)
    assert (found["payment_status"], found["payment"]["voided"]) == ("voided", 4410)
    assert stages.nudges(api.database) == ["news"]
    late = await senders.stripe("payment_intent.amount_capturable_updated", intent("requires_capture"))
    assert late.json() == {"outcome": "unchanged"}


async def test_a_refund_that_fails_weeks_later_reaches_an_operator(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    with api.database.sessions.begin() as tx:
        payment = tx.scalars(select(Payment)).one()
        tx.add(
            Refund(
                order_id="W-1001",
                payment_id=payment.payment_id,
                amount=4410,
                reference="re_1",
                status="succeeded",
                recorded_at=stages.now(),
            )
        )
    refund = {"id": "re_1", "status": "failed", "metadata": {"order_id": "W-1001"}}
    assert (await senders.stripe("refund.failed", refund)).json() == {"outcome": "taken"}
    assert (await order(api))["holds"][0]["reason"] == "reconciliation"
    late = await senders.stripe("refund.updated", refund | {"status": "succeeded"})
    assert late.json() == {"outcome": "unchanged"}


async def test_news_of_a_refund_that_is_not_recorded_yet_is_to_come_again(api: Api, senders: Senders) -> None:
    refund = {"id": "re_2", "status": "succeeded", "metadata": {"order_id": "W-1001"}}
    assert (await senders.stripe("refund.updated", refund)).status_code == 409
    assert (await senders.stripe("refund.updated", refund | {"metadata": {}})).json() == {"outcome": "ignored"}


async def test_a_dispute_holds_the_order(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    for _ in range(2):
        await senders.stripe("charge.dispute.created", {"id": "dp_1", "payment_intent": "pi_1"}, id="evt_1")
    found = await order(api)
    assert [hold["reason"] for hold in found["holds"]] == ["dispute"]
    assert (found["status"], found["payment_status"]) == ("on_hold", "disputed")


# --- messages ---------------------------------------------------------------------------------------------------------


async def test_a_text_messages_last_word_stays(api: Api, senders: Senders) -> None:
    with api.database.sessions.begin() as tx:
        tx.add(
            Message(
                order_id="W-1001",
                kind="confirmed",
                subject="x",
                channel="sms",
                data={},
                status="sent",
                reference="SM1",
                recorded_at=stages.now(),
            )
        )
    version = (await order(api))["version"]
    await senders.twilio("SM1", "sent")
    assert (await senders.twilio("SM1", "undelivered", ErrorCode="30003")).json() == {"outcome": "taken"}
    await senders.twilio("SM1", "delivered")
    found = await order(api)
    assert [(m["status"], m["code"]) for m in found["messages"] if m["channel"] == "sms"] == [("undelivered", "30003")]
    assert found["version"] > version
    assert stages.nudges(api.database) == []


async def test_news_is_counted_by_what_became_of_it(api: Api, senders: Senders) -> None:
    await senders.stripe("customer.created", {"id": "cus_1"})
    text = (await api.client.get("/metrics")).text
    assert 'orders_webhooks_total{outcome="ignored",sender="stripe"} 1.0' in text
    with api.database.sessions() as tx:
        assert tx.scalar(select(func.count()).select_from(Order)) == 1
