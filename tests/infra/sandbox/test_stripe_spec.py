"""The sandbox's Stripe, and our calls, held against the vendor's contract."""

import uuid

import pytest
import stripe

from activities.providers.stripe.payments import StripePayments
from infra.sandbox.client import SandboxControl
from infra.sandbox.stripe import ENDPOINTS
from tests.activities.providers.till import Till
from tests.specs import load, read


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
    payments.intents_of(customer)
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


def test_objects_have_the_fields_that_the_vendors_have(sandbox: SandboxControl) -> None:
    examples: dict[str, dict[str, object]] = read("stripe_fixtures")
    till = Till.open(sandbox)
    api = stripe.StripeClient("sk_test_spec", base_addresses={"api": sandbox.stripe_base}, max_network_retries=0)
    paid = till.capture(till.authorized("pm_card_createDispute"), 4410)
    other = till.capture(till.authorized(n=2), 4410, n=2)
    till.payments.refund(other.intent_id, amount=1, metadata={}, key=till.key("refund"))
    intent = api.v1.payment_intents.retrieve(
        paid.intent_id, {"expand": ["latest_charge", "payment_method", "customer"]}
    )
    found = intent.to_dict()
    made = {
        "payment_intent": found,
        "charge": found["latest_charge"],
        "payment_method": found["payment_method"],
        "customer": found["customer"],
        "refund": api.v1.refunds.list({"payment_intent": other.intent_id}).data[0].to_dict(),
        "event": api.v1.events.list({"type": "charge.dispute.created"}).data[0].to_dict(),
    }
    made["dispute"] = made["event"]["data"]["object"]

    # Of a charge, refunds come only when asked for, and sources are gone.
    expected = {kind: set(examples[kind]) - {"refunds", "source"} for kind in made}
    assert {kind: expected[kind] - set(made[kind]) for kind in made} == {kind: set() for kind in made}
