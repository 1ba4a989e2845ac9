"""The sandbox's Stripe, and our calls, held against the vendor's contract."""

import uuid

import pytest

from activities.providers.stripe_payments import StripePayments
from infra.sandbox.stripe import ENDPOINTS
from tests.sandbox import SandboxControl
from tests.specs import load


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, *_ in ENDPOINTS])
def test_the_sandbox_declares_nothing_that_the_vendor_does_not_take(method: str, path: str) -> None:
    spec = load("stripe", prefix="/stripe")
    declared = next(fields for m, p, _, fields, _ in ENDPOINTS if (m, p) == (method, path))

    assert spec.beyond(method, path, declared) == []


def test_every_call_of_the_adapter_is_one_that_the_vendor_takes(sandbox: SandboxControl) -> None:
    spec = load("stripe", prefix="/stripe")
    sandbox.client.delete("/_sandbox/requests")
    run = uuid.uuid4().hex
    payments = StripePayments("sk_test_spec", sandbox.stripe_base, 10)

    customer = payments.create_customer("C-spec", key=f"{run}:customer")
    for off_session in (False, True):
        intent = payments.create_intent(
            amount=4410,
            currency="usd",
            customer=customer,
            payment_method="pm_card_visa",
            metadata={"order_id": f"W-{run}"},
            off_session=off_session,
            key=f"{run}:create:{off_session}",
        )
        payments.confirm(intent.intent_id, off_session=off_session, key=f"{run}:confirm:{off_session}")
        payments.capture(intent.intent_id, amount=1000, final=False, key=f"{run}:capture:{off_session}")
        payments.void(intent.intent_id, key=f"{run}:void:{off_session}")
    lonely = payments.create_intent(
        amount=500,
        currency="usd",
        customer=customer,
        payment_method="pm_card_visa",
        metadata={},
        off_session=False,
        key=f"{run}:lonely",
    )
    payments.void(lonely.intent_id, key=f"{run}:void")
    payments.intents(customer)
    refund = payments.refund(intent.intent_id, amount=200, metadata={"order_id": run}, key=f"{run}:refund")
    payments.refund_status(refund.refund_id)
    payments.refunds(intent.intent_id)

    calls = sandbox.requests("stripe")
    assert {call["operation"] for call in calls} >= {"create_customer", "create_intent", "confirm", "capture", "void"}
    assert {call["operation"] for call in calls} >= {"refund", "retrieve", "list"}
    assert [wrong for call in calls for wrong in spec.wrong(call)] == []
    assert all(call["headers"]["stripe-version"] == spec.document["info"]["version"] for call in calls)
    assert all("idempotency-key" in call["headers"] for call in calls if call["method"] == "POST")


def test_the_check_itself_finds_what_is_wrong() -> None:
    spec = load("stripe", prefix="/stripe")
    call = {"method": "POST", "path": "/stripe/v1/payment_intents", "query": "", "body": "amount=ten&colour=blue"}

    assert sorted(spec.wrong(call)) == [
        "body.amount: 'ten' is no integer",
        "body.colour: unknown",
        "body.currency: missing",
    ]
    assert spec.wrong({**call, "path": "/stripe/v1/nothing"}) == ["POST /v1/nothing: no such operation"]
