"""Labels through the Shippo adapter: bought once, looked up, given back, whatever becomes of the answers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import pytest

from activities.failures import OutcomeUnknown, Refused, Unavailable
from activities.ports import LabelStatus
from activities.providers.shippo.labels import ShippoLabels
from infra.processes import free_ports
from infra.sandbox.client import Mode, SandboxControl
from tests.shipping import TOKEN, bought, rates


@pytest.fixture
def labels(sandbox: SandboxControl) -> ShippoLabels:
    return ShippoLabels(TOKEN, sandbox.shippo_base, timeout=5)


@pytest.fixture
def order_id() -> str:
    return f"S-{uuid4().hex[:10]}"


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
        {
            "effect": "label",
            "order_id": order_id,
            "reference": label.label_id,
            "amount": rate.amount,
            "elsewhere": False,
        }
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
    nobody = ShippoLabels(TOKEN, f"http://127.0.0.1:{free_ports(1)[0]}/shippo", timeout=1)
    with pytest.raises(Unavailable) as caught:
        nobody.buy("rate", reference="S-1")
    assert caught.value.code == "unreachable"


def test_a_purchase_refused_for_good_is_an_answer(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    label = bought(labels, order_id, zip="00001")
    assert label.status is LabelStatus.FAILED
    assert label.error_code == "insufficient_funds"
    assert label.final
    assert "fill it up" in label.advice
    assert sandbox.books(order_id)["labels"] == 0


def test_a_purchase_that_failed_by_a_hiccup_may_be_tried_again(
    sandbox: SandboxControl, labels: ShippoLabels, order_id: str
) -> None:
    rate = rates(labels, order_id, zip="00002")[0]
    first = labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
    assert (first.status, first.error_code, first.final) == (LabelStatus.FAILED, "carrier_timeout", False)
    second = labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
    assert second.status is LabelStatus.BOUGHT
    assert {label.status for label in labels.labels_of(rate.rate_id)} == {LabelStatus.FAILED, LabelStatus.BOUGHT}
    assert sandbox.books(order_id)["labels"] == 1


def test_a_code_that_nobody_knows_may_be_a_hiccup_too(labels: ShippoLabels, order_id: str) -> None:
    label = bought(labels, order_id, zip="00008")
    assert (label.status, label.error_code, label.final) == (LabelStatus.FAILED, "E-4711", False)


def test_an_old_rate_is_refused(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    rate = rates(labels, order_id)[0]
    sandbox.advance("shippo", 7 * 86_400 + 60)
    with pytest.raises(Unavailable) as caught:  # the next try has a price of its own
        labels.buy(rate.rate_id, reference=order_id)
    assert caught.value.code == "rate"
    assert sandbox.books(order_id)["labels"] == 0


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


def test_a_long_reference_keeps_the_order(sandbox: SandboxControl, labels: ShippoLabels) -> None:
    order_id = "L" + uuid4().hex + "." * 30
    bought(labels, order_id)
    assert sandbox.books(order_id)["labels"] == 1


def test_labels_are_bought_side_by_side(sandbox: SandboxControl, labels: ShippoLabels, order_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: bought(labels, order_id), range(16)))
    assert len({label.tracking_number for label in made}) == 16
    assert sandbox.books(order_id)["labels"] == 16


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
