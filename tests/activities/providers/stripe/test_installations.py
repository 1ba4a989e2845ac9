"""Two installations use one Stripe account, and ids alike: neither takes what is the other's."""

import json
from dataclasses import replace

import pytest

from activities.given_intents import taken_over
from activities.news import Delivery, PaymentEnded
from activities.ports import IntentStatus, PaymentIntent
from activities.providers.stripe.events import StripeEvents
from activities.providers.stripe.payments import StripePayments
from infra.sandbox.client import SandboxControl
from tests.activities.providers.till import Till
from tests.sandbox import SECRETS
from tests.starter.senders import timestamped

SECRET = "STRIPE_WEBHOOK_SECRET"


@pytest.fixture
def till(sandbox: SandboxControl) -> Till:
    return Till.open(sandbox)


@pytest.fixture
def other(sandbox: SandboxControl, till: Till) -> Till:
    """With the same order, and the same customer at the provider."""
    return replace(till, payments=StripePayments("sk_test_sandbox", sandbox.stripe_base, 5.0, "other"))


def test_the_same_key_of_both_is_two_effects(sandbox: SandboxControl, till: Till, other: Till) -> None:
    mine, theirs = till.authorized(), other.authorized()
    assert mine.intent_id != theirs.intent_id
    assert sandbox.books(till.order_id)["authorizations"] == 2
    assert other.payments.create_customer(till.customer_id, key=f"customer:{till.customer_id}") != till.customer


def test_what_is_looked_up_is_ones_own(till: Till, other: Till) -> None:
    mine, theirs = till.authorized(), other.authorized()
    for one, intent in ((till, mine), (other, theirs)):
        assert [found.intent_id for found in one.payments.intents_of(till.customer)] == [intent.intent_id]
    taken = till.capture(mine, mine.amount)
    about = {"order_id": till.order_id, "refund": f"{till.order_id}-r1"}
    refund = till.payments.refund(taken.intent_id, amount=10, metadata=about, key=till.key("refund"))
    assert [found.refund_id for found in till.payments.refunds(taken.intent_id)] == [refund.refund_id]
    assert other.payments.refunds(taken.intent_id) == []


def test_an_intent_that_one_has_taken_over_fits_the_other_no_more(
    sandbox: SandboxControl, till: Till, other: Till
) -> None:
    given, marks = sandbox.check_out(4410)["id"], {"order_id": till.order_id, "payment": "1"}

    def taken_by(one: Till) -> PaymentIntent:
        return taken_over(one.payments, given, amount=4410, currency="usd", marks=marks, key=till.key("mark"))

    assert taken_by(till).status is IntentStatus.AUTHORIZED
    refused = taken_by(other)
    assert (refused.status, refused.decline_code) == (IntentStatus.DECLINED, "intent_of_another_order")
    assert taken_by(till).status is IntentStatus.AUTHORIZED


@pytest.mark.parametrize(("installation", "order"), [("orders", "W-1001"), ("other", "")])
def test_news_of_what_the_other_made_names_no_order(installation: str, order: str) -> None:
    about = {"id": "pi_9", "metadata": {"order_id": "W-1001", "installation": installation}}
    event = {"id": "evt_1", "type": "payment_intent.canceled", "created": 1_900_000_000, "data": {"object": about}}
    body = json.dumps(event).encode()
    delivery = Delivery(body, {"stripe-signature": timestamped(SECRET, body, 0)}, "")
    content = StripeEvents([SECRETS[SECRET]]).read(delivery).content
    assert isinstance(content, PaymentEnded)
    assert content.order == order
