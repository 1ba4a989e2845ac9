"""The Shippo adapter keeps the promises of `Labels`: against the sandbox, through the vendor's SDK."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import pytest

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.ports import Label, LabelStatus, Parcel, PostalAddress, Rate, TrackingStatus
from activities.providers.shippo_answers import minor_units
from activities.providers.shippo_labels import ShippoLabels
from tests.sandbox import Mode, SandboxControl, free_port
from tests.specs import load

TOKEN = "shippo_test_adapter"
OAKLAND = PostalAddress(name="Stock", street1="1 Dock Rd", city="Oakland", state="CA", zip="94607", country="US")
PARCEL = Parcel(weight_g=450, length_mm=200, width_mm=150, height_mm=100)


def to(zip: str = "94117", country: str = "US") -> PostalAddress:
    return PostalAddress(
        name="Ada Park", street1="215 Clayton St", city="San Francisco", state="CA", zip=zip, country=country
    )


@pytest.fixture
def labels(sandbox: SandboxControl) -> ShippoLabels:
    return ShippoLabels(TOKEN, sandbox.shippo_base, timeout=5)


@pytest.fixture
def order_id() -> str:
    return f"S-{uuid4().hex[:10]}"


def rates(labels: ShippoLabels, order_id: str, *, zip: str = "94117", parcel: Parcel = PARCEL) -> list[Rate]:
    return labels.rates(origin=OAKLAND, destination=to(zip), parcel=parcel, reference=f"{order_id} {order_id}-1/1")


def bought(labels: ShippoLabels, order_id: str, *, zip: str = "94117") -> Label:
    rate = rates(labels, order_id, zip=zip)[0]
    return labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")


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


def test_a_label_is_bought_at_once_and_found_by_its_rate(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str
) -> None:
    rate = rates(labels, order_id)[0]
    label = labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
    assert label.status is LabelStatus.BOUGHT
    assert label.tracking_number
    assert label.label_url
    assert label.tracking_url
    assert labels.labels_of(rate.rate_id) == [label] == [labels.label(label.label_id)]
    assert sandbox.books(order_id)["entries"] == [
        {"effect": "label", "order_id": order_id, "reference": label.label_id, "amount": rate.amount}
    ]
    assert sandbox.client.get(label.label_url).content.startswith(b"%PDF-")
    assert label.tracking_number in sandbox.client.get(label.tracking_url).text


@pytest.mark.parametrize("mode", ["lose_answer", "error_after"])
def test_a_lost_answer_is_an_unknown_outcome_and_the_look_up_finds_the_one_label(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str, mode: Mode
) -> None:
    rate = rates(labels, order_id)[0]
    sandbox.fail("shippo", "buy", mode, match=order_id)
    with pytest.raises(OutcomeUnknown):
        labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
    [found] = labels.labels_of(rate.rate_id)
    assert found.status is LabelStatus.BOUGHT
    assert sandbox.books(order_id)["labels"] == 1


@pytest.mark.parametrize("mode", ["error", "refuse_connection"])
def test_after_trouble_without_effect_the_look_up_finds_no_label(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str, mode: Mode
) -> None:
    rate = rates(labels, order_id)[0]
    sandbox.fail("shippo", "buy", mode, match=order_id)
    with pytest.raises(OutcomeUnknown):
        labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
    assert labels.labels_of(rate.rate_id) == []
    assert sandbox.books(order_id)["labels"] == 0


def test_an_answer_that_the_sdk_cannot_parse_is_an_unknown_outcome_and_the_label_is_adopted(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str
) -> None:
    rate = rates(labels, order_id, zip="00003")[0]
    with pytest.raises(OutcomeUnknown) as caught:
        labels.buy(rate.rate_id, reference=order_id)
    assert caught.value.code == "unreadable_answer"
    [found] = labels.labels_of(rate.rate_id)
    assert found.status is LabelStatus.BOUGHT
    assert found.tracking_number
    assert labels.label(found.label_id) == found
    assert labels.refund(found.label_id) is LabelStatus.REFUND_REQUESTED
    assert sandbox.books(order_id)["labels"] == 1


def test_a_slow_answer_is_not_waited_for_and_the_label_is_there(sandbox: SandboxControl, order_id: str) -> None:
    hasty = ShippoLabels(TOKEN, sandbox.shippo_base, timeout=0.3)
    rate = rates(hasty, order_id)[0]
    sandbox.fail("shippo", "buy", "delay", seconds=2, match=order_id)
    with pytest.raises(OutcomeUnknown):
        hasty.buy(rate.rate_id, reference=order_id)
    assert [label.status for label in hasty.labels_of(rate.rate_id)] == [LabelStatus.BOUGHT]


def test_a_busy_provider_has_done_nothing(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    rate = rates(labels, order_id)[0]
    sandbox.fail("shippo", "buy", "rate_limit", match=order_id)
    with pytest.raises(Unavailable) as caught:
        labels.buy(rate.rate_id, reference=order_id)
    assert caught.value.code == "busy"
    assert sandbox.books(order_id)["labels"] == 0


def test_an_unreachable_provider_has_done_nothing() -> None:
    nobody = ShippoLabels(TOKEN, f"http://127.0.0.1:{free_port()}/shippo", timeout=1)
    with pytest.raises(Unavailable) as caught:
        nobody.buy("rate", reference="S-1")
    assert caught.value.code == "unreachable"


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


def test_a_purchase_refused_for_good_is_an_answer(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    label = bought(labels, order_id, zip="00001")
    assert label.status is LabelStatus.FAILED
    assert label.error_code == "insufficient_funds"
    assert not label.retryable
    assert sandbox.books(order_id)["labels"] == 0


def test_a_purchase_that_failed_by_a_hiccup_may_be_tried_again(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str
) -> None:
    rate = rates(labels, order_id, zip="00002")[0]
    first = labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
    assert (first.status, first.error_code, first.retryable) == (LabelStatus.FAILED, "carrier_timeout", True)
    second = labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
    assert second.status is LabelStatus.BOUGHT
    assert {label.status for label in labels.labels_of(rate.rate_id)} == {LabelStatus.FAILED, LabelStatus.BOUGHT}
    assert sandbox.books(order_id)["labels"] == 1


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
    assert caught.value.code == "no_rates"
    with pytest.raises(Refused) as caught:
        labels.rates(origin=OAKLAND, destination=to("V6B 1A1", "CA"), parcel=PARCEL, reference=order_id)
    assert caught.value.code == "no_rates"


def test_an_old_rate_is_refused(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    rate = rates(labels, order_id)[0]
    sandbox.advance("shippo", 7 * 86_400 + 60)
    with pytest.raises(Refused) as caught:
        labels.buy(rate.rate_id, reference=order_id)
    assert caught.value.code == "rate"
    assert sandbox.books(order_id)["labels"] == 0


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


def test_a_refund_is_asked_once_and_answered_later(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str
) -> None:
    label = bought(labels, order_id)
    assert labels.refund(label.label_id) is LabelStatus.REFUND_REQUESTED
    assert labels.label(label.label_id).status is LabelStatus.REFUND_REQUESTED
    with pytest.raises(Refused):
        labels.refund(label.label_id)
    sandbox.label(label.label_id, "refund")
    assert labels.label(label.label_id).status is LabelStatus.REFUNDED
    assert sandbox.books(order_id)["label_refunds"] == 1


def test_a_rejected_refund_stays_visible(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    label = bought(labels, order_id)
    labels.refund(label.label_id)
    sandbox.label(label.label_id, "reject_refund")
    assert labels.label(label.label_id).status is LabelStatus.REFUND_REJECTED


def test_a_lost_refund_shows_in_the_label(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    label = bought(labels, order_id)
    sandbox.fail("shippo", "refund", "lose_answer", match=order_id)
    with pytest.raises(OutcomeUnknown):
        labels.refund(label.label_id)
    assert labels.label(label.label_id).status is LabelStatus.REFUND_REQUESTED
    assert sandbox.books(order_id)["label_refunds"] == 1


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


def test_a_long_reference_keeps_the_order(sandbox: SandboxControl, labels: ShippoLabels) -> None:
    order_id = "L" + uuid4().hex + "." * 30
    bought(labels, order_id)
    assert sandbox.books(order_id)["labels"] == 1


def test_labels_are_bought_side_by_side(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: bought(labels, order_id), range(16)))
    assert len({label.tracking_number for label in made}) == 16
    assert sandbox.books(order_id)["labels"] == 16


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
    ("status", "headers", "body"),
    [
        (200, {"content-type": "text/html"}, b"<html>a proxy's page</html>"),
        (201, {"content-type": "application/json"}, b"{cut"),
        (201, {"content-type": "application/json"}, b"null"),
        (302, {"location": "/elsewhere"}, b""),
        (408, {}, b""),
    ],
)
def test_an_answer_that_is_none_leaves_the_outcome_open(status: int, headers: dict[str, str], body: bytes) -> None:
    class Odd(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.handle_request).start()
        with pytest.raises(OutcomeUnknown):
            ShippoLabels(TOKEN, f"http://127.0.0.1:{server.server_port}", timeout=5).buy("rate", reference="S-1")


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


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("7.58", "USD", 758), ("7.581", "usd", 759), ("920", "JPY", 920), ("1.5", "KWD", 1500)],
)
def test_prices_become_minor_units(amount: str, currency: str, minor: int) -> None:
    assert minor_units(Decimal(amount), currency) == minor
