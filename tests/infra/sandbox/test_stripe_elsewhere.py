"""What others do at the sandbox's Stripe: a person at the dashboard, a shop's own page, a bank that changes its mind;
and where the vendor's limits are."""

from typing import Any

import httpx
import pytest
import stripe

from activities.failures import Refused
from infra.sandbox.client import SandboxControl
from tests.activities.providers.till import Till


@pytest.fixture
def till(sandbox: SandboxControl) -> Till:
    return Till.open(sandbox)


@pytest.fixture
def api(sandbox: SandboxControl) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.stripe_base}, max_network_retries=0)


def types(sandbox: SandboxControl, intent: str) -> list[str]:
    return [event["type"] for event in sandbox.events(intent)]


def moved(sandbox: SandboxControl, till: Till) -> dict[str, int]:
    found = sandbox.books(till.order_id)
    names = ("captured", "captured_elsewhere", "voided_elsewhere", "refunded", "refunded_elsewhere")
    return {name: found[name] for name in names if found[name]}


def refusal(refused: pytest.ExceptionInfo[httpx.HTTPStatusError]) -> str:
    return str(refused.value.response.json()["error"])


def test_the_dashboard_captures_in_part_and_we_take_the_rest(sandbox: SandboxControl, till: Till) -> None:
    held = till.authorized()
    intent = sandbox.capture_elsewhere(held.intent_id, 1000, final=False)
    assert (intent["status"], intent["amount_received"]) == ("requires_capture", 1000)
    assert intent["amount_capturable"] == 3410
    till.capture(held, 3410)

    assert moved(sandbox, till) == {"captured": 4410, "captured_elsewhere": 1000}
    assert [entry["elsewhere"] for entry in sandbox.books(till.order_id)["entries"]] == [False, True, False]


@pytest.mark.parametrize("amount", [None, 1000])
def test_the_dashboard_captures_once_and_for_all(sandbox: SandboxControl, till: Till, amount: int | None) -> None:
    held = till.authorized()
    intent = sandbox.capture_elsewhere(held.intent_id, amount)

    assert (intent["status"], intent["amount_received"]) == ("succeeded", amount or 4410)
    assert types(sandbox, held.intent_id)[-2:] == ["charge.captured", "payment_intent.succeeded"]
    with pytest.raises(Refused, match="payment_intent_unexpected_state"):
        till.capture(held, 100)
    assert moved(sandbox, till) == {"captured": amount or 4410, "captured_elsewhere": amount or 4410}


def test_the_dashboard_cancels_as_fraudulent(sandbox: SandboxControl, till: Till, api: stripe.StripeClient) -> None:
    held = till.authorized()
    sandbox.cancel_elsewhere(held.intent_id)

    intent = api.v1.payment_intents.retrieve(held.intent_id)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "fraudulent")
    assert types(sandbox, held.intent_id)[-1] == "payment_intent.canceled"
    assert moved(sandbox, till) == {"voided_elsewhere": 4410}


def test_the_dashboard_refunds_in_part_and_then_the_rest(sandbox: SandboxControl, till: Till) -> None:
    held = till.authorized()
    till.capture(held, 4410)
    ours = till.payments.refund(held.intent_id, amount=410, metadata={}, key=till.key("refund"))
    first, rest = sandbox.refund_elsewhere(held.intent_id, 1000), sandbox.refund_elsewhere(held.intent_id)

    assert (first["amount"], rest["amount"]) == (1000, 3000)
    assert types(sandbox, held.intent_id)[-4:] == ["refund.created", "charge.refunded"] * 2
    assert sandbox.books(till.order_id)["refunds_by_id"] == {ours.refund_id: 410, first["id"]: 1000, rest["id"]: 3000}
    assert moved(sandbox, till) == {"captured": 4410, "refunded": 4410, "refunded_elsewhere": 4000}
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.refund_elsewhere(held.intent_id)
    assert refusal(refused).startswith("charge_already_refunded")


def test_a_refund_of_the_dashboard_that_fails_is_taken_from_the_books(sandbox: SandboxControl, till: Till) -> None:
    held = till.authorized()
    till.capture(held, 4410)
    sandbox.card_refund(sandbox.refund_elsewhere(held.intent_id, 1000)["id"], "fail")

    assert moved(sandbox, till) == {"captured": 4410}
    assert sandbox.books(till.order_id)["refunds_by_id"] == {}


def test_no_fault_strikes_the_dashboard(sandbox: SandboxControl, till: Till) -> None:
    held = till.authorized()
    with sandbox.failing("stripe", "*", "error", match=till.order_id) as fault:
        sandbox.capture_elsewhere(held.intent_id)
        assert sandbox.struck(fault) == 0


def test_the_fifty_first_capture_is_refused(sandbox: SandboxControl, till: Till) -> None:
    held = till.authorized()
    for _ in range(50):
        sandbox.capture_elsewhere(held.intent_id, 1, final=False)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.capture_elsewhere(held.intent_id, 1, final=False)
    assert "at most 50 times" in refusal(refused)
    assert moved(sandbox, till)["captured"] == 50


def test_amounts_have_limits(sandbox: SandboxControl, till: Till, api: stripe.StripeClient) -> None:
    made = till.intent()
    for amount, code in ((49, "amount_too_small"), (100_000_000, "amount_too_large")):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            api.v1.payment_intents.create({"amount": amount, "currency": "usd"})
        assert (refused.value.code, refused.value.param) == (code, "amount")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        api.v1.payment_intents.update(made.intent_id, {"amount": 49})
    assert refused.value.code == "amount_too_small"

    held = till.authorized(n=2)
    for move, amount, wrong in (
        (sandbox.capture_elsewhere, 4411, "amount_too_large"),
        (sandbox.capture_elsewhere, 0, "parameter_invalid_integer"),
        (sandbox.refund_elsewhere, 1, "charge_not_refundable"),
    ):
        with pytest.raises(httpx.HTTPStatusError) as no:
            move(held.intent_id, amount)
        assert refusal(no).startswith(wrong)
    sandbox.capture_elsewhere(held.intent_id, 1000)
    with pytest.raises(httpx.HTTPStatusError) as no:
        sandbox.refund_elsewhere(held.intent_id, 1001)
    assert "greater than unrefunded amount on charge (1000)" in refusal(no)


@pytest.mark.parametrize(
    ("wanted", "received", "capturable"),
    [
        ({"status": "requires_payment_method"}, 0, 0),
        ({"status": "requires_payment_method", "payment_method": "pm_card_chargeDeclined"}, 0, 0),
        ({"status": "requires_confirmation"}, 0, 0),
        ({"status": "requires_action"}, 0, 0),
        ({"status": "requires_capture"}, 0, 2500),
        ({"status": "requires_capture", "multicapture": True}, 0, 2500),
        ({"status": "succeeded"}, 2500, 0),
        ({"status": "succeeded", "capture_method": "automatic"}, 2500, 0),
        ({"status": "canceled"}, 0, 0),
    ],
)
def test_a_shops_page_makes_an_intent(
    sandbox: SandboxControl,
    api: stripe.StripeClient,
    till: Till,
    wanted: dict[str, Any],
    received: int,
    capturable: int,
) -> None:
    made = sandbox.check_out(2500, currency="eur", metadata={"order_id": till.order_id}, **wanted)

    found = api.v1.payment_intents.retrieve(made["id"], {"expand": ["latest_charge"]}).to_dict()
    assert (found["amount"], found["currency"], found["status"]) == (2500, "eur", wanted["status"])
    assert found["capture_method"] == wanted.get("capture_method", "manual")
    assert (found["amount_received"], found["amount_capturable"]) == (received, capturable)
    assert found["client_secret"].startswith(f"{made['id']}_secret_")
    if capturable:
        multicapture = found["latest_charge"]["payment_method_details"]["card"]["multicapture"]["status"]
        assert multicapture == ("available" if wanted.get("multicapture") else "unavailable")
    books = sandbox.books(till.order_id)
    assert (books["captured"], books["captured_elsewhere"]) == (received, received)


def test_a_shops_page_saves_the_card_or_not(sandbox: SandboxControl, api: stripe.StripeClient, till: Till) -> None:
    saved = sandbox.check_out(2500, customer=till.customer, setup_future_usage="off_session")
    lost = sandbox.check_out(2500, customer="new")
    alone = sandbox.check_out(2500)

    methods = api.v1.customers.payment_methods.list(till.customer).data
    assert [method.id for method in methods] == [saved["payment_method"]]
    assert api.v1.customers.payment_methods.list(lost["customer"]).data == []
    assert alone["customer"] is None
    again = till.intent(saved["payment_method"])
    assert till.payments.confirm(again.intent_id, off_session=True, key=till.key("again")).status == "authorized"


@pytest.mark.parametrize("kind", ["use_stripe_sdk", "redirect_to_url"])
def test_what_a_shops_page_left_to_authenticate_is_done_later(
    sandbox: SandboxControl, api: stripe.StripeClient, kind: str
) -> None:
    made = sandbox.check_out(2500, status="requires_action", next_action=kind)
    assert made["next_action"]["type"] == kind
    sandbox.card(made["id"], "authenticate")
    assert api.v1.payment_intents.retrieve(made["id"]).status == "requires_capture"


def test_an_intent_of_another_account_is_unknown_here(
    sandbox: SandboxControl, api: stripe.StripeClient, till: Till
) -> None:
    made = sandbox.check_out(2500, account="other", customer=till.customer)

    for call in (api.v1.payment_intents.retrieve, api.v1.payment_intents.capture, api.v1.payment_intents.cancel):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            call(made["id"])
        assert (refused.value.code, refused.value.http_status) == ("resource_missing", 404)
    assert api.v1.payment_intents.list({"customer": till.customer}).data == []
    assert sandbox.events(made["id"]) == []


def test_what_a_shops_page_cannot_make_is_refused_and_leaves_nothing(sandbox: SandboxControl, till: Till) -> None:
    about = {"metadata": {"order_id": till.order_id}}
    for wanted in (
        {"status": "requires_capture", "capture_method": "automatic"},
        {"status": "succeeded", "payment_method": "pm_card_chargeDeclined"},
        {"status": "requires_capture", "customer": "cus_unknown"},
        {"currency": "eur", "color": "blue"},
    ):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            sandbox.check_out(2500, **about, **wanted)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.check_out(49, **about)
    assert sandbox.books(till.order_id)["entries"] == []
    assert sandbox.events(till.order_id) == []


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "message"),
    [
        ("InsufficientFunds", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ("Fraudulent", "card_declined", "fraudulent", "Your card was declined."),
        ("LostCard", "card_declined", "lost_card", "Your card was declined."),
        ("StolenCard", "card_declined", "stolen_card", "Your card was declined."),
        ("ExpiredCard", "expired_card", "expired_card", "Your card has expired."),
        ("IncorrectCvc", "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
        ("ProcessingError", "processing_error", "processing_error", "An error occurred while processing your card."),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_a_card_is_declined_by_kind_at_once_or_later(
    sandbox: SandboxControl,
    api: stripe.StripeClient,
    till: Till,
    card: str,
    code: str,
    decline_code: str,
    message: str,
    later: bool,
) -> None:
    name = f"pm_card_chargeDeclined{card}"
    if later:
        first = till.authorized()
        assert first.payment_method is not None
        sandbox.card_becomes(first.intent_id, name)
        made = till.intent(first.payment_method, n=2)
    else:
        made = till.intent(name)
    with pytest.raises(stripe.CardError) as declined:
        api.v1.payment_intents.confirm(made.intent_id, {"off_session": later, "return_url": "https://shop.example"})

    error = declined.value.error
    assert error is not None
    assert (declined.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    assert str(error.message).startswith(message)
    charge = api.v1.payment_intents.retrieve(made.intent_id, {"expand": ["latest_charge"]}).latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.outcome is not None
    assert (charge.failure_code, charge.outcome.type, charge.outcome.reason) == (code, "issuer_declined", decline_code)
    if later:
        till.capture(first, 4410)
        refund = till.payments.refund(first.intent_id, amount=1, metadata={}, key=till.key("refund"))
        assert refund.status == "succeeded"
