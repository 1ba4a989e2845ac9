"""News about what is not known here waits for it; what never comes to be, or contradicts itself, is a person's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, update

from activities import facts
from activities.facts.news import matching
from activities.ports import IntentStatus, Refund
from infra.clock import wall_clock
from infra.database import counting
from infra.database.tables import Message, News, Payment
from infra.words import Channel, MessageKind, MessageStatus
from starter.http.metrics import source
from starter.webhooks.revisiting import AFTER, revisit
from tests.starter import stages
from tests.starter.door import EAST_SECRET, Api
from tests.starter.senders import Senders, order

pytestmark = pytest.mark.both_databases

BOX = {"weight_g": 800, "length_mm": 200, "width_mm": 150, "height_mm": 100}


async def listed(api: Api, status: str | None = None) -> list[tuple[str, str]]:
    query = {"status": status} if status else {}
    page = (await api.client.get("/v1/news", params=query)).raise_for_status().json()
    return [(one["status"], one["about"]) for one in page["news"]]


def comes_to_be(api: Api, *about: str) -> None:
    with api.database.sessions.begin() as tx:
        matching.matched(tx, about)


# --- waits, and is matched --------------------------------------------------------------------------------------------


async def test_tracking_before_its_label_is_applied_with_it(api: Api, senders: Senders) -> None:
    fulfillment = stages.packed(api.database)
    answer = await senders.track("92W-1001", "TRANSIT", metadata=f"W-1001 {fulfillment}/1")
    assert answer.json() == {"outcome": "waiting"}
    assert await listed(api, "unmatched") == [("unmatched", "tracking 92W-1001")]
    stages.bought(api.database)
    comes_to_be(api, "label label-W-1001", "tracking 92W-1001")
    parcel = (await order(api))["fulfillments"][0]["parcels"][0]
    assert parcel["tracking"] == "in_transit"
    assert await listed(api) == []
    again = await senders.track("92W-1001", "TRANSIT", "x", metadata=f"W-1001 {fulfillment}/1")
    assert again.json() == {"outcome": "unchanged"}


async def test_a_texts_status_before_its_record_is_applied_with_it(api: Api, senders: Senders) -> None:
    assert (await senders.twilio("SM1", "sent")).json() == {"outcome": "ignored"}
    assert (await senders.twilio("SM1", "undelivered", ErrorCode="30003")).json() == {"outcome": "waiting"}
    texted(api, "SM1")
    comes_to_be(api, "message SM1")
    found = await order(api)
    assert [(m["status"], m["code"]) for m in found["messages"] if m["channel"] == "sms"] == [("undelivered", "30003")]


async def test_a_refund_of_ours_before_its_record_is_applied_with_it(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    mine = {"order_id": "W-1001", "refund": "W-1001-r1"}
    content = {"id": "re_1", "status": "failed", "payment_intent": "pi_1", "metadata": mine}
    assert (await senders.stripe("refund.failed", content)).json() == {"outcome": "waiting"}
    stages.refunding(api.database)
    refund = Refund(refund_id="re_1", amount=4410, status="pending")
    with api.database.sessions.begin() as tx:
        facts.refunds.pending(tx, "W-1001-r1", refund, stages.now())
        matching.matched(tx, ["refund re_1"])
    assert [hold["code"] for hold in (await order(api))["holds"]] == ["refund_failed"]


async def test_a_refund_made_at_the_provider_is_booked_and_told(api: Api, senders: Senders) -> None:
    stages.refunding(api.database)
    content = {"id": "re_7", "status": "pending", "payment_intent": "pi_1", "amount": 900}
    assert (await senders.stripe("refund.created", content)).json() == {"outcome": "taken"}
    ends = content | {"status": "succeeded", "balance_transaction": "txn_1"}
    assert (await senders.stripe("refund.updated", ends)).json() == {"outcome": "taken"}
    found = await order(api)
    made = {"refund_id": "W-1001-r2", "amount": 900, "credited": 0, "status": "succeeded", "lines": [], "cause": None}
    assert (found["payment"]["refunded"], found["payment"]["refunds"][1]) == (900, made)
    assert [m["kind"] for m in found["messages"] if m["subject"] == "refund 2"] == ["refunded"]
    assert found["payment_status"] == "partially_refunded"


async def test_what_the_provider_releases_of_an_authorization_is_no_refund(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    content = {"id": "re_7", "status": "succeeded", "payment_intent": "pi_1", "amount": 900}
    assert (await senders.stripe("refund.created", content)).json() == {"outcome": "unchanged"}
    assert (await order(api))["payment"]["refunds"] == []


async def test_a_confirmation_before_the_intents_record_is_applied_with_it(api: Api, senders: Senders) -> None:
    content = {"id": "pi_9", "cancellation_reason": "automatic", "metadata": {"order_id": "W-1001"}}
    assert (await senders.stripe("payment_intent.canceled", content)).json() == {"outcome": "waiting"}
    with api.database.sessions.begin() as tx:
        payment = tx.scalars(select(Payment)).one()
        payment.intent = "pi_9"
        matching.matched(tx, ["intent pi_9"])
    assert (await order(api))["payment_status"] == "voided"
    assert "news" in stages.nudges(api.database)


async def test_a_dispute_before_the_intents_record_is_applied_with_it(api: Api, senders: Senders) -> None:
    """It names no order: whether it is one of ours is known once the payment is."""
    about = {"id": "dp_1", "payment_intent": "pi_9", "amount": 900, "currency": "usd", "reason": "general"}
    lost = about | {"status": "lost", "balance_transactions": [{"id": "txn_1", "amount": -900, "currency": "usd"}]}
    for status in (about | {"status": "needs_response"}, lost):
        assert (await senders.stripe("charge.dispute.updated", status)).json() == {"outcome": "waiting"}
    stages.answered(api.database, IntentStatus.AUTHORIZED, intent="pi_9")
    comes_to_be(api, "intent pi_9")
    found = (await order(api))["payment"]
    assert (found["disputed"], found["disputes"][0]["status"]) == (900, "lost")
    assert await listed(api) == []


async def test_a_warehouses_word_before_the_fulfillment_is_planned_is_applied_with_it(
    api: Api, senders: Senders
) -> None:
    """As after the restore of an older database."""
    content = {"fulfillment_id": "W-1001-1", "parcels": [BOX]}
    assert (await senders.warehouse("fulfillment.packed", content)).json() == {"outcome": "waiting"}
    with api.database.sessions.begin() as tx:
        assert facts.reserving.reserved(tx, "W-1001", stages.now())
        matching.matched(tx, ["fulfillment W-1001-1"])
    assert (await order(api))["fulfillments"][0]["status"] == "packed"


async def test_another_warehouse_may_not_speak_of_it_later_either(api: Api, senders: Senders) -> None:
    content = {"fulfillment_id": "W-1001-1", "parcels": [BOX]}
    answer = await senders.warehouse("fulfillment.packed", content, secret=EAST_SECRET)
    assert answer.json() == {"outcome": "waiting"}
    stages.requested(api.database)
    comes_to_be(api, "fulfillment W-1001-1")
    assert (await order(api))["fulfillments"][0]["status"] == "requested"
    assert outcomes(api) == ["forbidden"]


async def test_what_was_written_beside_it_is_found_a_minute_later(api: Api, senders: Senders) -> None:
    """The record and the news were two transactions, and neither saw the other."""
    await senders.twilio("SM1", "delivered")
    await senders.twilio("SM2", "delivered")
    texted(api, "SM1")
    here = api.app.state.dependencies
    with api.database.sessions.begin() as tx:
        tx.execute(update(News).values(open_since=wall_clock() - AFTER / 2))
    revisit(here)
    assert outcomes(api) == ["taken", "waiting"]
    with api.database.sessions.begin() as tx:
        tx.execute(update(News).where(News.open_since.is_not(None)).values(open_since=wall_clock() - 2 * AFTER))
    revisit(here)
    assert outcomes(api) == ["taken", "unmatched"]
    assert await listed(api) == [("unmatched", "message SM2")]
    texted(api, "SM2")
    comes_to_be(api, "message SM2")
    assert outcomes(api) == ["taken", "taken"]


# --- contradictions ---------------------------------------------------------------------------------------------------


async def test_other_content_under_the_same_id_changes_nothing_and_is_a_finding(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    one: dict[str, Any] = {"fulfillment_id": fulfillment, "parcels": [BOX]}
    two = one | {"parcels": [BOX, BOX]}
    deliveries = [(one, "taken"), (two, "finding"), (one, "known"), (two, "known"), (one | {"dock": 4}, "known")]
    for data, outcome in deliveries:
        answer = await senders.warehouse("fulfillment.packed", data, id="msg-1")
        assert (answer.status_code, answer.json()) == (200, {"outcome": outcome})
    assert len((await order(api))["fulfillments"][0]["parcels"]) == 1
    (found,) = (await api.client.get("/v1/news", params={"status": "finding"})).json()["news"]
    assert (found["sender"], found["id"], len(found["content"]["parcels"])) == ("warehouse", "default:msg-1", 2)
    assert len(found["content_before"]["parcels"]) == 1
    text = (await api.client.get("/metrics")).text
    assert 'orders_webhooks_total{outcome="finding",sender="warehouse"} 1.0' in text
    assert "orders_news_findings 1.0" in text


# --- resolved ---------------------------------------------------------------------------------------------------------


async def test_a_person_resolves_what_is_never_matched(api: Api, senders: Senders) -> None:
    await senders.twilio("SM1", "delivered")
    assert "orders_unmatched_news 1.0" in (await api.client.get("/metrics")).text
    where = "/v1/news/twilio/SM1%20delivered/resolution"
    for body in ({"why": "not ours", "by": "Ada"}, {"why": "again"}):
        answer = await api.client.post(where, json=body)
        (one,) = answer.json()["news"]
        assert (answer.status_code, one["status"], one["resolved_by"], one["why"]) == (
            200,
            "resolved",
            "Ada (tests)",
            "not ours",
        )
    assert await listed(api) == []
    assert "orders_unmatched_news 0.0" in (await api.client.get("/metrics")).text
    texted(api, "SM1")
    comes_to_be(api, "message SM1")
    assert outcomes(api) == ["resolved"]


async def test_who_may_see_and_resolve_it(api: Api, senders: Senders) -> None:
    await senders.twilio("SM1", "delivered")
    await senders.stripe("payment_intent.canceled", {"id": "pi_other", "status": "canceled"}, id="evt_1")
    where = "/v1/news/twilio/SM1%20delivered/resolution"
    for key in (api.key("orders:read", "orders:write"), api.key("orders:operate", channel="web")):
        assert (await api.client.get("/v1/news", headers=key)).status_code == 403
        assert (await api.client.post(where, json={"why": "x"}, headers=key)).status_code == 403
    operator = api.key("orders:operate")
    assert (await api.client.post(where, json={"why": "x"}, headers=operator)).status_code == 200
    assert (await api.client.post("/v1/news/twilio/a%2Fb/resolution", json={"why": "x"})).status_code == 404
    assert (await api.client.post("/v1/news/stripe/evt_1/resolution", json={"why": "x"})).status_code == 409


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["stripe", "shippo", "twilio", "warehouse", "goods"])
async def test_news_that_changes_nothing_takes_four_statements_at_most(api: Api, senders: Senders, sender: str) -> None:
    stages.authorized(api.database)
    fulfillment = stages.shipped(api.database)
    stages.captured(api.database)
    texted(api, "SM1")
    delivery = {"reference": "PO-17", "location": "OAK", "lines": [{"sku": "MUG-BLUE", "quantity": 2}]}
    await senders.warehouse("stock.received", delivery)
    await senders.twilio("SM1", "delivered")
    await senders.track("92W-1001", "TRANSIT", "out_for_delivery")
    about = {"fulfillment_id": fulfillment}
    intent = {"id": "pi_1", "amount_received": 4410, "metadata": {"order_id": "W-1001"}}
    echoes: dict[str, list[Any]] = {
        "stripe": [
            senders.stripe("payment_intent.amount_capturable_updated", intent),
            senders.stripe("payment_intent.payment_failed", intent),
            senders.stripe("payment_intent.succeeded", intent),
            senders.stripe("customer.created", {"id": "cus_1"}),
        ],
        "shippo": [
            senders.track("92W-1001", "TRANSIT"),
            senders.shippo("transaction_updated", {"object_id": "label-W-1001", "status": "SUCCESS"}),
            senders.shippo("transaction_updated", {"object_id": "label-W-1001", "status": "REFUNDED"}),
        ],
        "twilio": [senders.twilio("SM1", "sent"), senders.twilio("SM1", "read")],
        "warehouse": [
            senders.warehouse("fulfillment.accepted", about),
            senders.warehouse("fulfillment.packed", about | {"parcels": [BOX]}),
            senders.warehouse("fulfillment.handed_over", about),
            senders.warehouse("fulfillment.cancelled", about),
            senders.warehouse("fulfillment.cancel_refused", about),
        ],
        "goods": [senders.warehouse("stock.received", delivery)],
    }
    for name, several in echoes.items():
        for one in several:
            with asked(api) as transactions:
                if name == sender:
                    assert (await one).json()["outcome"] in ("unchanged", "ignored")
                else:
                    one.close()
            assert len(transactions) <= 1
            assert sum(transactions) <= 4, transactions


@contextmanager
def asked(api: Api) -> Iterator[list[int]]:
    """Statements of each transaction of a webhook while the block runs."""
    found: list[int] = []
    counting.count(api.database.engine, lambda statements: found.append(statements) if "webhooks" in source() else None)
    yield found


# --- how it is arranged -----------------------------------------------------------------------------------------------


def texted(api: Api, reference: str) -> None:
    with api.database.sessions.begin() as tx:
        tx.add(
            Message(
                order_id="W-1001",
                kind=MessageKind.CONFIRMED,
                subject=reference,
                channel=Channel.SMS,
                data={},
                status=MessageStatus.SENT,
                reference=reference,
                recorded_at=stages.now(),
            )
        )


def outcomes(api: Api) -> list[str]:
    with api.database.sessions() as tx:
        return [str(one) for one in tx.scalars(select(News.outcome).order_by(News.recorded_at))]
