"""What is asked through the Shippo adapter: rates, tracking; and what its failures say."""

from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from uuid import uuid4

import pytest

from activities.failures import ProviderFailure, Refused, Unavailable
from activities.ports import TrackingStatus
from activities.providers.shippo import answers
from activities.providers.shippo.answers import ShipmentAnswer, minor_units
from activities.providers.shippo.labels import ShippoLabels
from infra.sandbox.client import Mode, SandboxControl
from tests.shipping import OAKLAND, PARCEL, TOKEN, bought, rates, to
from tests.specs import load


@pytest.fixture
def labels(sandbox: SandboxControl) -> ShippoLabels:
    return ShippoLabels(TOKEN, sandbox.shippo_base, timeout=5)


@pytest.fixture
def order_id() -> str:
    return f"S-{uuid4().hex[:10]}"


def test_three_carriers_offer_services_with_prices_and_days(labels: ShippoLabels, order_id: str) -> None:
    offers = rates(labels, order_id)
    assert {offer.carrier for offer in offers} == {"usps", "ups", "fedex"}
    assert all(offer.amount > 0 and offer.currency == "usd" and (offer.days or 0) >= 1 for offer in offers)
    assert "usps_priority" in {offer.service for offer in offers}


def test_the_same_parcel_has_the_same_price_and_a_heavier_or_farther_one_a_higher(
    labels: ShippoLabels, order_id: str
) -> None:
    prices = [offer.amount for offer in rates(labels, order_id)]
    assert prices == [offer.amount for offer in rates(labels, order_id)]
    heavy = rates(labels, order_id, parcel=PARCEL.model_copy(update={"weight_g": 5000}))
    far = rates(labels, order_id, zip="10001")
    assert all(offer.amount > price for offer, price in zip(heavy, prices, strict=True))
    assert all(offer.amount > price for offer, price in zip(far, prices, strict=True))


@pytest.mark.parametrize("mode", ["error", "error_after", "lose_answer", "refuse_connection", "rate_limit"])
def test_trouble_with_a_question_is_only_unavailability(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str, mode: Mode
) -> None:
    rate = rates(labels, order_id)[0]
    for operation in ("rates", "list", "retrieve", "track"):
        sandbox.fail("shippo", operation, mode)
    questions: list[Callable[[], object]] = [
        lambda: rates(labels, order_id),
        lambda: labels.labels_of(rate.rate_id),
        lambda: labels.label("some-label"),
        lambda: labels.tracking("usps", "9205"),
    ]
    for question in questions:
        with pytest.raises(Unavailable):
            question()


def test_an_address_that_cannot_be_found_is_refused_as_such(labels: ShippoLabels, order_id: str) -> None:
    with pytest.raises(Refused) as caught:
        rates(labels, order_id, zip="00000")
    assert caught.value.code == "address"


def test_an_address_that_shippo_rejects_is_refused_as_such(labels: ShippoLabels, order_id: str) -> None:
    with pytest.raises(Refused) as caught:
        labels.rates(origin=OAKLAND, destination=to(country="USA"), parcel=PARCEL, reference=order_id)
    assert caught.value.code == "address"


def test_a_parcel_no_carrier_takes_has_no_rates(labels: ShippoLabels, order_id: str) -> None:
    with pytest.raises(Refused) as caught:
        rates(labels, order_id, parcel=PARCEL.model_copy(update={"weight_g": 90_000}))
    assert caught.value.code == "parcel_too_heavy"
    assert "packed anew" in caught.value.advice


def test_another_country_needs_what_is_not_supported_yet_and_says_so(labels: ShippoLabels, order_id: str) -> None:
    with pytest.raises(Refused) as caught:
        labels.rates(origin=OAKLAND, destination=to("V6B 1A1", "CA"), parcel=PARCEL, reference=order_id)
    assert caught.value.code == "customs"
    assert "customs declaration" in caught.value.advice


def test_no_rates_while_a_carrier_is_silent_are_asked_for_again(labels: ShippoLabels, order_id: str) -> None:
    with pytest.raises(Unavailable) as caught:
        rates(labels, order_id, zip="00009")
    assert caught.value.code == "no_rates"
    assert rates(labels, order_id, zip="00009")


@pytest.mark.parametrize(
    ("codes", "why"),
    [
        (["parcel_too_heavy"], ("parcel_too_heavy", answers.PARCEL)),
        (["parcel_too_heavy", ""], ("no_rates", None)),
        (["parcel_too_heavy", "E-1"], ("E-1", None)),
        (["Ada Park lives there no more"], ("no_rates", None)),
        ([], ("no_rates", None)),
    ],
)
def test_no_rates_are_final_where_every_carrier_says_so(codes: list[str], why: tuple[str, str | None]) -> None:
    messages = [{"code": code, "text": "Ada Park"} for code in codes]
    answer = ShipmentAnswer.model_validate({"address_to": {}, "rates": [], "messages": messages})
    assert answer.why_none() == why


def test_an_unknown_id_is_refused(labels: ShippoLabels) -> None:
    with pytest.raises(Refused) as caught:
        labels.label("nothing")
    assert caught.value.code == "not_found"


def test_a_wrong_token_is_refused_and_says_which_setting(sandbox: SandboxControl, order_id: str) -> None:
    stranger = ShippoLabels("shippo_test_invalid", sandbox.shippo_base, timeout=5)
    with pytest.raises(Refused) as caught:
        rates(stranger, order_id)
    assert caught.value.code == "credentials"
    assert "SHIPPO_API_TOKEN" in caught.value.advice


def test_a_token_without_the_usual_beginning_works_too(sandbox: SandboxControl, order_id: str) -> None:
    assert rates(ShippoLabels("old-token", sandbox.shippo_base, timeout=5), order_id)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("SHIPPO_PRE_TRANSIT", TrackingStatus.PRE_TRANSIT),
        ("SHIPPO_TRANSIT", TrackingStatus.IN_TRANSIT),
        ("SHIPPO_DELIVERED", TrackingStatus.DELIVERED),
        ("SHIPPO_RETURNED", TrackingStatus.RETURN_TO_SENDER),
        ("SHIPPO_FAILURE", TrackingStatus.FAILURE),
        ("SHIPPO_UNKNOWN", TrackingStatus.UNKNOWN),
        ("NEVER_HEARD_OF", TrackingStatus.UNKNOWN),
    ],
)
def test_the_vendors_test_numbers_are_tracked(labels: ShippoLabels, number: str, status: TrackingStatus) -> None:
    assert labels.tracking("shippo", number).status is status


def test_a_new_label_is_tracked_with_its_expected_day(labels: ShippoLabels, order_id: str) -> None:
    tracking = labels.tracking("usps", bought(labels, order_id).tracking_number)
    assert tracking.status is TrackingStatus.PRE_TRANSIT
    assert tracking.occurred_at
    assert tracking.eta
    assert tracking.eta.tzinfo is UTC
    assert tracking.eta > tracking.occurred_at


def test_no_words_of_the_vendor_escape(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    rate = rates(labels, order_id, zip="00003")[0]
    secretive: list[Callable[[], object]] = [
        lambda: labels.buy(rate.rate_id, reference=order_id),
        lambda: labels.buy("Ada Park", reference=order_id),
        lambda: labels.label("Ada Park"),
        lambda: labels.rates(origin=OAKLAND, destination=to(country="Ada Park"), parcel=PARCEL, reference=order_id),
    ]
    for call in secretive:
        with pytest.raises(ProviderFailure) as caught:
            call()
        assert "Ada Park" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("7.58", "USD", 758), ("7.581", "usd", 759), ("920", "JPY", 920), ("1.5", "KWD", 1500)],
)
def test_prices_become_minor_units(amount: str, currency: str, minor: int) -> None:
    assert minor_units(Decimal(amount), currency) == minor


def test_every_call_is_one_that_the_vendor_takes(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    contract = load("shippo", prefix="/shippo")
    label = bought(labels, order_id)
    labels.labels_of(label.rate_id)
    labels.label(label.label_id)
    labels.tracking("usps", label.tracking_number)
    labels.refund(label.label_id)
    made = sandbox.requests("shippo")[-6:]
    assert [call["operation"] for call in made] == ["rates", "buy", "list", "retrieve", "track", "refund"]
    assert [contract.wrong(call) for call in made] == [[]] * 6
