"""What the sandbox's Stripe does on its own account: events, keys, pages, what a hold's end looks like."""

import uuid
from typing import Any

import pytest
import stripe

from activities.ports import IntentStatus
from infra.sandbox.client import SandboxControl
from tests.activities.providers.till import Till
from tests.receiver import Receiver
from tests.sandbox import SECRETS


@pytest.fixture
def till(sandbox: SandboxControl) -> Till:
    return Till.open(sandbox)


@pytest.fixture
def api(sandbox: SandboxControl) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.stripe_base}, max_network_retries=0)


def events(api: stripe.StripeClient, intent_id: str) -> list[str]:
    """The types of an intent's events, oldest first."""
    every = [event.to_dict() for event in api.v1.events.list({"limit": 100}).data]
    about = [event for event in every if intent_id in _subjects(event["data"]["object"])]
    return [event["type"] for event in about][::-1]


def _subjects(subject: dict[str, Any]) -> tuple[str, str | None]:
    return subject["id"], subject.get("payment_intent")


def test_every_step_of_a_payment_is_announced(till: Till, api: stripe.StripeClient) -> None:
    held = till.authorized()
    till.capture(held, 1000, final=False, n=1)
    till.capture(held, 3410, n=2)
    till.payments.refund(held.intent_id, amount=100, metadata={}, key=till.key("refund"))

    assert events(api, held.intent_id) == [
        "payment_intent.amount_capturable_updated",
        "payment_intent.amount_capturable_updated",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
    ]


@pytest.mark.parametrize(
    ("method", "announced"),
    [
        ("pm_card_chargeDeclined", ["payment_intent.payment_failed"]),
        ("pm_card_authenticationRequired", ["payment_intent.requires_action"]),
    ],
)
def test_a_payment_that_does_not_come_about_is_announced(
    till: Till, api: stripe.StripeClient, method: str, announced: list[str]
) -> None:
    assert events(api, till.authorized(method).intent_id) == announced


def test_a_hold_that_lapses_says_that_nobody_asked_for_it(
    sandbox: SandboxControl, till: Till, api: stripe.StripeClient
) -> None:
    held = till.authorized()
    sandbox.advance(till.customer_id, 8 * 86400)

    intent = api.v1.payment_intents.retrieve(held.intent_id)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "automatic")
    assert events(api, held.intent_id)[-1] == "payment_intent.canceled"


def test_a_partial_capture_is_booked_with_a_refund_of_the_rest(till: Till, api: stripe.StripeClient) -> None:
    held = till.authorized("pm_card_discover")
    till.capture(held, 1000)

    charge = api.v1.payment_intents.retrieve(held.intent_id, {"expand": ["latest_charge"]}).latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.amount_captured, charge.amount_refunded) == (1000, 3410)
    assert [refund.amount for refund in api.v1.refunds.list({"payment_intent": held.intent_id}).data] == [3410]


def test_several_captures_release_the_rest_without_a_refund(till: Till, api: stripe.StripeClient) -> None:
    held = till.authorized()
    till.capture(held, 1000, final=False)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.payment_intents.cancel(held.intent_id)
    till.payments.void(held.intent_id, key=till.key("void"))

    assert refused.value.code == "payment_intent_unexpected_state"
    assert api.v1.refunds.list({"payment_intent": held.intent_id}).data == []


def test_a_dispute_is_announced_as_soon_as_money_was_taken(
    sandbox: SandboxControl, till: Till, api: stripe.StripeClient
) -> None:
    by_card, by_control = till.authorized("pm_card_createDispute", n=1), till.authorized(n=2)
    till.capture(by_card, 4410, n=1)
    till.capture(by_control, 4410, n=2)
    sandbox.dispute(by_control.intent_id)

    assert "charge.dispute.created" in events(api, by_card.intent_id)
    assert "charge.dispute.created" in events(api, by_control.intent_id)


def test_the_same_key_is_answered_the_same_even_a_decline(sandbox: SandboxControl, till: Till) -> None:
    made = till.intent("pm_card_chargeDeclined")
    path = f"/stripe/v1/payment_intents/{made.intent_id}/confirm"
    headers = {"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": uuid.uuid4().hex}
    first, again = (sandbox.client.post(path, data={"off_session": "false"}, headers=headers) for _ in range(2))

    assert (first.status_code, again.status_code) == (402, 402)
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_call_that_was_not_valid_leaves_its_key_free(sandbox: SandboxControl) -> None:
    headers = {"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": uuid.uuid4().hex}
    wrong = sandbox.client.post("/stripe/v1/customers", data={"colour": "blue"}, headers=headers)
    right = sandbox.client.post("/stripe/v1/customers", data={"name": "Ada"}, headers=headers)

    assert (wrong.status_code, right.status_code) == (400, 200)


def test_a_used_card_is_good_again_only_when_it_was_saved(till: Till) -> None:
    once = till.authorized(off_session=True).payment_method
    assert once is not None

    again = till.intent(once, n=2)
    assert (again.status, again.decline_code) == (IntentStatus.DECLINED, "payment_method_unknown")


def test_webhooks_can_be_verified_with_the_vendors_sdk(sandbox: SandboxControl, till: Till) -> None:
    receiver = Receiver()
    sandbox.webhooks_to(receiver.url)
    held = till.authorized()
    [taken] = receiver.wait(lambda each: each.taken and held.intent_id.encode() in each.raw)
    sandbox.webhooks_to(None)
    receiver.close()

    secret = SECRETS["STRIPE_WEBHOOK_SECRET"]
    event = stripe.Webhook.construct_event(taken.raw, taken.headers["stripe-signature"], secret)
    assert event.type == "payment_intent.amount_capturable_updated"
    assert event.data.object["metadata"]["order_id"] == till.order_id
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(taken.raw + b" ", taken.headers["stripe-signature"], secret)
