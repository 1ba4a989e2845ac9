"""The sandbox as a world: told to fail it really fails, and killed it forgets nothing that it answered."""

import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import httpx
import pytest
import stripe

from infra.sandbox.client import Mode, SandboxControl
from tests.receiver import Received, Receiver
from tests.sandbox import SANDBOX_TOKEN, SECRETS, SandboxProcess


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A sandbox of this test's own, which it may kill."""
    process = SandboxProcess(tmp_path / "state").start()
    yield process
    if process.running is not None:
        process.stop()


def bank(control: SandboxControl) -> httpx.Client:
    return httpx.Client(base_url=control.stripe_base, headers={"Authorization": "Bearer sk_test_core"}, trust_env=False)


def pay(client: httpx.Client, order_id: str, key: str | None = None) -> httpx.Response:
    """A payment taken at once."""
    return client.post(
        "/v1/payment_intents",
        headers={"Idempotency-Key": key or uuid.uuid4().hex},
        data={
            "amount": "4410",
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": "true",
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
            "metadata[order_id]": order_id,
        },
    )


@pytest.mark.parametrize(
    ("mode", "done", "status"),
    [("error", 0, 503), ("rate_limit", 0, 429), ("error_after", 1, 500), ("delay", 1, 200)],
)
def test_a_fault_answers_as_told_before_or_after_the_effect(
    sandbox: SandboxControl, mode: Mode, done: int, status: int
) -> None:
    order_id = f"W-{uuid.uuid4().hex}"
    fault = sandbox.fail("stripe", "create_intent", mode, seconds=0.05)

    with bank(sandbox) as client:
        assert pay(client, order_id).status_code == status

    assert sandbox.books(order_id)["captures"] == done
    assert sandbox.struck(fault) == 1


@pytest.mark.parametrize(("mode", "done"), [("lose_answer", 1), ("refuse_connection", 0)])
def test_a_lost_connection_is_a_connection_error_for_the_caller(sandbox: SandboxControl, mode: Mode, done: int) -> None:
    order_id = f"W-{uuid.uuid4().hex}"
    sandbox.fail("stripe", "create_intent", mode)

    with bank(sandbox) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            pay(client, order_id)
        assert sandbox.books(order_id)["captures"] == done
        assert pay(client, order_id).status_code == 200


def test_a_fault_strikes_only_the_order_it_is_about(sandbox: SandboxControl) -> None:
    order_id = f"W-{uuid.uuid4().hex}"
    with bank(sandbox) as client, sandbox.failing("stripe", "refund", "error", match=order_id) as fault:
        mine, other = pay(client, order_id).json()["id"], pay(client, f"{order_id}7").json()["id"]
        assert client.post("/v1/refunds", data={"payment_intent": other}).status_code == 200
        assert client.post("/v1/refunds", data={"payment_intent": mine}).status_code == 503
        assert sandbox.struck(fault) == 1


def test_a_killed_sandbox_remembers_what_it_answered(world: SandboxProcess) -> None:
    control = SandboxControl(world.url, SANDBOX_TOKEN)
    control.fail("stripe", "refund", "error", times=None)
    control.advance("C-7", 86400)
    with bank(control) as client:
        paid = [pay(client, "W-1001").json()["id"] for _ in range(20)]
        world.kill()
        world.start()
        for intent in paid:
            assert client.get(f"/v1/payment_intents/{intent}").json()["status"] == "succeeded"
        assert client.post("/v1/refunds", data={"payment_intent": paid[0]}).status_code == 503

    assert control.books("W-1001")["captured"] == 20 * 4410
    assert control.ask("/clock", customer="C-7")["now"] > control.ask("/clock")["now"]
    assert control.webhooks()["pending"] > 0
    control.close()


def test_killed_in_the_middle_of_its_work_it_has_done_all_that_it_answered(world: SandboxProcess) -> None:
    control = SandboxControl(world.url, SANDBOX_TOKEN)
    answered: list[str] = []

    def shop() -> None:
        with bank(control) as client, suppress(httpx.HTTPError):
            while True:
                answered.append(pay(client, "W-1002").json()["id"])

    shoppers = [Thread(target=shop) for _ in range(4)]
    for shopper in shoppers:
        shopper.start()
    while len(answered) < 100 and any(shopper.is_alive() for shopper in shoppers):
        shoppers[0].join(0.01)
    world.kill()
    for shopper in shoppers:
        shopper.join()
    world.start()

    taken = [entry["reference"] for entry in control.books("W-1002")["entries"] if entry["effect"] == "capture"]
    assert len(answered) >= 100
    assert set(answered) <= set(taken)
    assert len(taken) == len(set(taken))
    control.close()


def test_told_to_end_it_ends_with_zero(world: SandboxProcess) -> None:
    assert world.stop() == 0


def was_taken(received: Received) -> bool:
    return received.taken


def test_webhooks_wait_for_an_address_then_are_sent_signed_until_they_are_taken(world: SandboxProcess) -> None:
    control = SandboxControl(world.url, SANDBOX_TOKEN)
    with bank(control) as client:
        pay(client, "W-1001")
    world.kill()
    world.start()

    with closing(Receiver()) as receiver:
        receiver.refuse = 2
        control.webhooks_to(receiver.url)
        taken = receiver.wait(was_taken, count=2)
        control.webhooks_taken()

    assert len(receiver.received) == 4
    events = [
        stripe.Webhook.construct_event(each.raw, each.headers["stripe-signature"], SECRETS["STRIPE_WEBHOOK_SECRET"])
        for each in taken
    ]
    assert {each.path for each in taken} == {"/webhooks/stripe"}
    assert {event.type for event in events} == {"charge.succeeded", "payment_intent.succeeded"}
    control.close()


def test_webhooks_come_twice_when_told_so(world: SandboxProcess) -> None:
    control = SandboxControl(world.url, SANDBOX_TOKEN)
    control.webhooks(duplicate=True, shuffle=True)
    with closing(Receiver()) as receiver, bank(control) as client:
        control.webhooks_to(receiver.url)
        pay(client, "W-1001")
        receiver.wait(was_taken, count=4)
        control.webhooks_taken()

    ids = [each.body["id"] for each in receiver.received]
    assert len(ids) == 4
    assert len(set(ids)) == 2
    control.close()


def test_a_wrong_control_is_refused_with_its_reason(sandbox: SandboxControl) -> None:
    answer = sandbox.client.post("/_sandbox/faults", json={"provider": "stripe", "mode": "explode"})

    assert answer.status_code == 400
    assert "mode" in answer.text
    assert sandbox.client.delete("/_sandbox/faults/nothing").status_code == 404


def test_the_front_page_documents_the_triggers(sandbox: SandboxControl) -> None:
    page = sandbox.client.get("/").text

    assert "pm_card_authenticationRequired" in page
    assert "/_sandbox/faults" in page
