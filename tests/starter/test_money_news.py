"""News of money and messages: what a bank says later, and whether a text arrived."""

from typing import Any

import pytest
from sqlalchemy import func, select

from activities import facts
from infra.database.tables import Message, Order, Payment, Refund
from tests.starter import stages
from tests.starter.door import Api
from tests.starter.senders import Senders, order, recorded

pytestmark = pytest.mark.both_databases


def intent(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "pi_1", "object": "payment_intent", "status": status, "amount": 4410, "amount_received": 0} | more


def disputed(status: str, intent: str = "pi_1", **more: Any) -> dict[str, Any]:
    about = {"id": "dp_1", "object": "dispute", "payment_intent": intent, "currency": "usd", "reason": "fraudulent"}
    return about | {"amount": 4410, "status": status, "evidence_details": {"due_by": 1_900_000_000}} | more


async def test_the_customers_confirmation_makes_the_order_ask_the_bank(api: Api, senders: Senders) -> None:
    stages.action_required(api.database)
    content = intent("requires_capture", amount_capturable=4410)
    assert (await senders.stripe("payment_intent.amount_capturable_updated", content)).json() == {"outcome": "taken"}
    assert stages.nudges(api.database) == ["news"]
    with api.database.sessions() as tx:
        assert [p.status for p in tx.scalars(select(Payment))] == ["asked"]
    assert (await senders.stripe("payment_intent.amount_capturable_updated", content)).json() == {
        "outcome": "unchanged"
    }


async def test_echoes_of_our_own_calls_wake_nobody(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    await senders.stripe("payment_intent.amount_capturable_updated", intent("requires_capture"))
    await senders.stripe("payment_intent.payment_failed", intent("requires_payment_method"))
    assert set(recorded(api)) == {"unchanged"}
    assert stages.nudges(api.database) == []
    assert (await order(api))["payment_status"] == "authorized"


async def test_what_somebody_captured_at_the_provider_is_booked(api: Api, senders: Senders) -> None:
    """In part, and the rest released: whoever did that had a reason."""
    stages.authorized(api.database)
    content = intent("succeeded", amount_received=1000)
    assert (await senders.stripe("payment_intent.succeeded", content)).json() == {"outcome": "taken"}
    assert (await senders.stripe("payment_intent.succeeded", content)).json() == {"outcome": "unchanged"}
    found = await order(api)
    figures = {name: found["payment"][name] for name in ("authorized", "captured", "voided")}
    assert figures == {"authorized": 4410, "captured": 1000, "voided": 3410}
    assert [hold["kind"] for hold in found["holds"]] == ["ended_elsewhere"]
    assert stages.nudges(api.database) == ["news"]


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


def refunded(payment: Payment, status: str) -> Refund:
    return Refund(
        refund_id="W-1001-r1",
        order_id="W-1001",
        n=1,
        payment_id=payment.payment_id,
        amount=4410,
        credited=0,
        reference="re_1",
        status=status,
        recorded_at=stages.now(),
    )


async def test_a_refund_that_fails_weeks_later_reaches_an_operator(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    with api.database.sessions.begin() as tx:
        payment = tx.scalars(select(Payment)).one()
        tx.add(refunded(payment, "succeeded"))
    refund = {"id": "re_1", "status": "failed", "metadata": {"order_id": "W-1001"}}
    assert (await senders.stripe("refund.failed", refund)).json() == {"outcome": "taken"}
    assert (await order(api))["holds"][0]["reason"] == "reconciliation"
    late = await senders.stripe("refund.updated", refund | {"status": "succeeded"})
    assert late.json() == {"outcome": "unchanged"}


@pytest.mark.parametrize(("end", "held"), [("succeeded", ["refunded_after_all"]), ("failed", [])])
async def test_a_refund_that_was_given_up_and_is_paid_after_all_reaches_an_operator(
    api: Api, senders: Senders, end: str, held: list[str]
) -> None:
    """Who gave it up has paid the customer another way."""
    stages.authorized(api.database)
    with api.database.sessions.begin() as tx:
        payment = tx.scalars(select(Payment)).one()
        tx.add(refunded(payment, "given_up"))
    content = {"id": "re_1", "status": end, "metadata": {"order_id": "W-1001"}}
    assert (await senders.stripe(f"refund.{'failed' if end == 'failed' else 'updated'}", content)).status_code == 200
    assert [hold["kind"] for hold in (await order(api))["holds"]] == held


async def test_one_that_was_given_up_before_it_was_known_at_the_provider_is_found(api: Api, senders: Senders) -> None:
    """The answer to our call was lost, and nobody looks for it any more."""
    stages.refunding(api.database)
    with api.database.sessions.begin() as tx:
        facts.refunds.given_up(tx, "W-1001-r1", stages.now())
    made = {"id": "re_1", "status": "succeeded", "amount": 4410, "balance_transaction": "txn_1"}
    made["metadata"] = {"order_id": "W-1001", "refund": "W-1001-r1"}
    assert (await senders.stripe("refund.created", made)).json() == {"outcome": "taken"}
    assert [hold["kind"] for hold in (await order(api))["holds"]] == ["refunded_after_all"]


async def test_news_of_money_that_is_of_no_order_is_for_a_person(api: Api, senders: Senders) -> None:
    with api.database.sessions.begin() as tx:
        tx.add(
            Payment(
                n=1,
                method="pm_1",
                off_session=True,
                reusable=True,
                amount=4410,
                status="captured",
                intent="pi_9",
                multicapture=False,
                recorded_at=stages.now(),
            )
        )
    answer = await senders.stripe("charge.dispute.created", disputed("needs_response", "pi_9"))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "waiting"})


async def test_a_dispute_holds_the_order_until_the_bank_decides(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    for _ in range(2):
        await senders.stripe("charge.dispute.created", disputed("needs_response"), id="evt_1")
    found = await order(api)
    assert [hold["reason"] for hold in found["holds"]] == ["dispute"]
    assert (found["status"], found["payment_status"]) == ("on_hold", "disputed")
    [dispute] = found["payment"]["disputes"]
    due = "2030-03-17T17:46:40Z"
    about = {"dispute_id": "dp_1", "payment": 1, "amount": 4410, "reason": "fraudulent", "due_by": due}
    assert dispute == about | {"answered": False, "status": "open"}
    stages.read_by_the_order(api.database)
    assert (await senders.stripe("charge.dispute.closed", disputed("won"))).json() == {"outcome": "taken"}
    late = await senders.stripe("charge.dispute.updated", disputed("under_review"))
    assert late.json() == {"outcome": "unchanged"}
    found = await order(api)
    assert [hold["closed_by"] for hold in found["holds"]] == ["bank"]
    assert (found["payment"]["disputes"][0]["status"], found["payment_status"]) == ("won", "authorized")
    assert stages.nudges(api.database) == ["news"]


async def test_a_dispute_that_cannot_be_read_changes_nothing(api: Api, senders: Senders) -> None:
    stages.authorized(api.database)
    for name, value in (("amount", -1), ("amount", None), ("status", ""), ("balance_transactions", [{"id": "txn_1"}])):
        answer = await senders.stripe("charge.dispute.created", disputed("needs_response") | {name: value})
        assert answer.status_code == 422
        assert name in answer.text
    assert (await order(api))["payment"]["disputes"] == []


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
