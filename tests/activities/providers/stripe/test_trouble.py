"""The card adapter when calls fail: nothing is done twice, and only codes get through."""

import pytest
import stripe

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.intake import charge_limits
from activities.ports import IntentStatus, PaymentIntent
from activities.providers.stripe.errors import ADVICE, translated
from activities.providers.stripe.payments import StripePayments
from infra.processes import free_ports
from infra.sandbox.client import Mode, SandboxControl
from infra.sandbox.stripe import limits
from tests.activities.providers.till import Till

DAY = 86400


@pytest.fixture
def till(sandbox: SandboxControl) -> Till:
    return Till.open(sandbox)


@pytest.fixture
def raw(sandbox: SandboxControl) -> stripe.StripeClient:
    """The SDK itself, for what the adapter does not do."""
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.stripe_base}, max_network_retries=0)


@pytest.mark.parametrize("mode", ["lose_answer", "error_after", "delay"])
def test_an_effect_without_an_answer_is_found_and_never_done_twice(
    sandbox: SandboxControl, till: Till, mode: Mode
) -> None:
    held = till.authorized()
    hasty = StripePayments("sk_test_sandbox", sandbox.stripe_base, 0.2)
    sandbox.fail("stripe", "capture", mode, seconds=1.0, match=till.order_id)

    with pytest.raises(OutcomeUnknown):
        hasty.capture(held.intent_id, amount=1000, final=False, key=till.key("capture"))
    with_same_key: PaymentIntent | ProviderFailure
    try:
        with_same_key = hasty.capture(held.intent_id, amount=1000, final=False, key=till.key("capture"))
    except OutcomeUnknown as unknown:
        with_same_key = unknown

    if mode == "lose_answer":
        assert isinstance(with_same_key, PaymentIntent)
        assert with_same_key.captured == 1000
    else:
        assert isinstance(with_same_key, OutcomeUnknown)
        assert with_same_key.code == {"error_after": "http_500", "delay": "idempotency_key_in_use"}[mode]
    assert till.payments.intent(held.intent_id).captured == 1000
    assert sandbox.books(till.order_id)["captures"] == 1


@pytest.mark.parametrize("operation", ["create_intent", "confirm", "capture", "refund", "void"])
def test_a_lost_answer_and_the_same_key_are_one_effect(sandbox: SandboxControl, till: Till, operation: str) -> None:
    sandbox.fail("stripe", operation, "lose_answer", match=till.order_id)
    lost = 0

    def sure(step: str) -> PaymentIntent:
        nonlocal lost
        steps = {
            "create": lambda: till.intent(),
            "confirm": lambda: till.payments.confirm(intent_id, off_session=False, key=till.key("confirm")),
            "capture": lambda: till.payments.capture(intent_id, amount=500, final=False, key=till.key("capture")),
            "void": lambda: till.payments.void(intent_id, key=till.key("void")),
        }
        try:
            return steps[step]()
        except OutcomeUnknown:
            lost += 1
            return steps[step]()

    def sure_refund() -> None:
        nonlocal lost
        for _ in range(2):
            try:
                till.payments.refund(intent_id, amount=200, metadata={}, key=till.key("refund"))
            except OutcomeUnknown:
                lost += 1

    intent_id = sure("create").intent_id
    sure("confirm")
    if operation == "void":
        sure("void")
    else:
        sure("capture")
        sure_refund()

    books = sandbox.books(till.order_id)
    assert lost == 1
    assert books["authorizations"] == 1
    assert (books["voids"], books["captures"], books["refunds"]) == ((1, 0, 0) if operation == "void" else (0, 1, 1))
    assert len(till.payments.intents_of(till.customer)) == 1


def test_a_confirmation_done_already_is_told_as_it_went(till: Till) -> None:
    held = till.authorized()

    assert till.payments.confirm(held.intent_id, off_session=False, key=till.key("confirm:again")) == held


@pytest.mark.parametrize(
    ("mode", "failure", "code"),
    [
        ("error", OutcomeUnknown, "http_503"),
        ("rate_limit", Unavailable, "rate_limit"),
        ("refuse_connection", OutcomeUnknown, "connection"),
    ],
)
def test_trouble_before_the_effect(
    sandbox: SandboxControl, till: Till, mode: Mode, failure: type[ProviderFailure], code: str
) -> None:
    held = till.authorized()
    sandbox.fail("stripe", "capture", mode, match=till.order_id)

    with pytest.raises(failure) as caught:
        till.capture(held, 4410)

    assert caught.value.code == code
    assert sandbox.books(till.order_id)["captures"] == 0
    assert till.capture(held, 4410).captured == 4410


@pytest.mark.parametrize("mode", ["error", "lose_answer", "rate_limit"])
def test_a_look_up_that_fails_did_nothing(sandbox: SandboxControl, till: Till, mode: Mode) -> None:
    made = till.intent()
    sandbox.fail("stripe", "retrieve", mode, match=till.order_id)

    with pytest.raises(Unavailable):
        till.payments.intent(made.intent_id)


def test_nobody_listening_means_nothing_was_done() -> None:
    with pytest.raises(Unavailable, match="unreachable"):
        StripePayments("sk_test_x", f"http://127.0.0.1:{free_ports(1)[0]}", 1.0).create_customer("C-1", key="k")


def test_refusals_carry_codes_and_no_text_of_the_vendor(sandbox: SandboxControl, till: Till) -> None:
    with pytest.raises(Refused) as unknown:
        till.payments.intent("pi_nothing")
    till.intent(amount=4410)
    with pytest.raises(Refused) as key_misused:
        till.intent(amount=4411)
    with pytest.raises(Refused) as too_small:
        till.intent(amount=1, n=2)
    with pytest.raises(Refused) as stranger:
        StripePayments("pk_wrong", sandbox.stripe_base, 5.0).intents_of(till.customer)

    codes = [caught.value.code for caught in (unknown, key_misused, too_small, stranger)]
    assert codes == ["resource_missing", "idempotency_error", "amount_too_small", "credentials"]
    assert all("No such" not in str(caught.value) for caught in (unknown, key_misused, too_small, stranger))


def test_a_key_is_forgotten_after_a_day(sandbox: SandboxControl, till: Till) -> None:
    first = till.intent()
    assert till.intent() == first

    sandbox.advance(till.customer_id, DAY + 60)

    assert till.intent().intent_id != first.intent_id


def test_every_intent_of_a_customer_is_listed_newest_first(till: Till) -> None:
    made = [till.intent(n=n).intent_id for n in range(103)]

    assert [each.intent_id for each in till.payments.intents_of(till.customer)] == made[::-1]


def test_the_vendor_takes_no_old_habits(raw: stripe.StripeClient) -> None:
    old: dict[str, object] = {"amount": 1000, "currency": "usd"}
    for params, code in [
        (old | {"payment_method_types": ["card"]}, "payment_method_types_no_longer_supported"),
        (old | {"colour": "blue"}, "parameter_unknown"),
        (old | {"amount": "ten"}, "parameter_invalid_integer"),
        ({"currency": "usd"}, "parameter_missing"),
    ]:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            raw.v1.payment_intents.create(params)  # type: ignore[arg-type]
        assert caught.value.code == code
    with pytest.raises(stripe.InvalidRequestError) as redirects:
        raw.v1.payment_intents.create(
            {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
        )
    assert redirects.value.param == "return_url"


def test_an_unknown_payment_method_is_a_decline(till: Till) -> None:
    answer = till.intent("pm_1NotThere")

    assert (answer.status, answer.decline_code) == (IntentStatus.DECLINED, "payment_method_unknown")
    assert till.payments.intents_of(till.customer) == []


def refusal(param: str | None = None, code: str | None = None) -> stripe.StripeError:
    return stripe.InvalidRequestError("x", param, code=code)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize(
    "trouble",
    [
        stripe.APIConnectionError("x"),  # type: ignore[no-untyped-call]
        stripe.RateLimitError("x"),
        stripe.IdempotencyError("x"),
        stripe.AuthenticationError("x"),
        stripe.PermissionError("x"),
        stripe.APIError("x", http_status=500),
        stripe.APIError("x", http_status=409, json_body={"error": {"code": "idempotency_key_in_use"}}),
        ValueError("an answer that cannot be read"),
        *(refusal(code=code) for code in ADVICE),
        *(refusal(param) for param in ("amount", "currency", "metadata[order_id]", None)),
        refusal(code="never_heard_of"),
    ],
    ids=lambda trouble: f"{type(trouble).__name__}-{getattr(trouble, 'code', None)}",
)
def test_no_code_is_without_advice(trouble: Exception, effect: bool) -> None:
    failure = translated(trouble, effect=effect)

    assert failure.code
    assert 20 <= len(failure.advice) <= 200 or failure.advice.startswith("check ")


def test_the_door_and_the_vendor_know_the_same_limits(till: Till) -> None:
    assert (charge_limits.SMALLEST, charge_limits.LARGEST) == (limits.SMALLEST, limits.LARGEST)
    cases = [
        ("huf", 17_499, "amount_too_small"),
        ("usd", 100_000_000, "amount_too_large"),
        ("kwd", 1_005, "parameter_invalid_integer"),
        ("isk", 550, "parameter_invalid_integer"),
    ]
    for n, (currency, amount, code) in enumerate(cases):
        with pytest.raises(Refused) as refused:
            till.intent(amount=amount, currency=currency, n=n)
        assert refused.value.code == code
