"""Disputes at the sandbox's Stripe: what the bank takes and gives back, and the events of it in any order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stripe

from infra.sandbox.client import SandboxControl
from tests.activities.providers.till import Till
from tests.receiver import Receiver


@pytest.fixture
def till(sandbox: SandboxControl) -> Till:
    return Till.open(sandbox)


@pytest.fixture
def api(sandbox: SandboxControl) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.stripe_base}, max_network_retries=0)


@pytest.fixture
def paid(till: Till) -> str:
    held = till.authorized()
    till.capture(held, 4410)
    return held.intent_id


def dispute_events(sandbox: SandboxControl, intent: str) -> list[str]:
    """The kinds of an intent's disputes' events, oldest first."""
    prefix = "charge.dispute."
    types = [event["type"] for event in sandbox.events(intent)]
    return [type.removeprefix(prefix) for type in types if type.startswith(prefix)]


def books(sandbox: SandboxControl, till: Till) -> tuple[int, int, int]:
    found = sandbox.books(till.order_id)
    return found["disputes"], found["disputed"], found["dispute_returned"]


def moved(dispute: dict[str, Any]) -> list[tuple[int, int]]:
    return [(each["amount"], each["net"]) for each in dispute["balance_transactions"]]


def test_a_chargeback_takes_amount_and_fee_at_once(
    sandbox: SandboxControl, till: Till, api: stripe.StripeClient, paid: str
) -> None:
    made = sandbox.dispute(paid, 1000, reason="product_not_received", due_in_days=7)

    found = api.v1.disputes.retrieve(made["id"]).to_dict()
    assert found == made
    assert (found["amount"], found["reason"], found["status"]) == (1000, "product_not_received", "needs_response")
    assert (moved(found), found["is_charge_refundable"]) == ([(-1000, -2500)], False)
    due = datetime.fromtimestamp(found["evidence_details"]["due_by"], UTC)
    assert due.date() == (datetime.now(UTC) + timedelta(days=7)).date()
    charge = api.v1.charges.retrieve(found["charge"])
    assert charge.disputed
    for query in ({"charge": charge.id}, {"payment_intent": paid}):
        assert [each.id for each in api.v1.disputes.list(query).data] == [made["id"]]  # type: ignore[arg-type]
    assert dispute_events(sandbox, paid) == ["created", "funds_withdrawn"]
    assert books(sandbox, till) == (1, 1000, 0)


@pytest.mark.parametrize(
    ("moves", "status", "events", "balance", "refundable"),
    [
        (["won"], "won", ["closed", "funds_reinstated"], [(-4410, -5910), (4410, 4410)], True),
        (["respond", "won"], "won", ["updated", "closed", "funds_reinstated"], [(-4410, -5910), (4410, 4410)], True),
        (["respond", "lost"], "lost", ["updated", "closed"], [(-4410, -5910)], False),
    ],
)
def test_a_chargeback_is_won_or_lost(
    sandbox: SandboxControl,
    till: Till,
    paid: str,
    moves: list[Any],
    status: str,
    events: list[str],
    balance: list[tuple[int, int]],
    refundable: bool,
) -> None:
    dispute = sandbox.dispute(paid)
    for move in moves:
        dispute = sandbox.move_dispute(dispute["id"], move)

    assert (dispute["status"], moved(dispute)) == (status, balance)
    assert dispute_events(sandbox, paid)[2:] == events
    assert books(sandbox, till) == (1, 4410, 4410 if status == "won" else 0)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.move_dispute(dispute["id"], "lost")
    if refundable:
        assert sandbox.refund_elsewhere(paid)["amount"] == 4410
    else:
        with pytest.raises(httpx.HTTPStatusError) as refused:
            sandbox.refund_elsewhere(paid)
        assert refused.value.response.json()["error"].startswith("charge_disputed")


def test_an_inquiry_asks_and_takes_nothing_until_it_becomes_a_chargeback(
    sandbox: SandboxControl, till: Till, paid: str
) -> None:
    first = sandbox.dispute(paid, 2000, inquiry=True)
    assert (first["status"], first["is_charge_refundable"], moved(first)) == ("warning_needs_response", True, [])
    assert first["payment_method_details"]["card"]["case_type"] == "inquiry"
    assert sandbox.move_dispute(first["id"], "respond")["status"] == "warning_under_review"
    assert sandbox.move_dispute(first["id"], "warning_closed")["status"] == "warning_closed"
    assert books(sandbox, till) == (1, 0, 0)
    assert sandbox.refund_elsewhere(paid, 410)["status"] == "succeeded"

    second = sandbox.dispute(paid, inquiry=True)
    assert second["amount"] == 4000, "what was not given back"
    grown = sandbox.move_dispute(second["id"], "escalate")
    assert (grown["status"], grown["is_charge_refundable"]) == ("needs_response", False)
    assert (grown["payment_method_details"]["card"]["case_type"], moved(grown)) == ("chargeback", [(-4000, -5500)])
    assert books(sandbox, till) == (2, 4000, 0)
    assert dispute_events(sandbox, paid) == ["created", "updated", "closed", "created", "updated", "funds_withdrawn"]


def test_a_bank_may_award_a_part(sandbox: SandboxControl, till: Till, paid: str) -> None:
    dispute = sandbox.dispute(paid)["id"]
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.move_dispute(dispute, "won", 4411)
    assert moved(sandbox.move_dispute(dispute, "won", 1000)) == [(-4410, -5910), (1000, 1000)]
    assert books(sandbox, till) == (1, 4410, 1000)


def test_of_one_that_was_lost_some_may_come_back(sandbox: SandboxControl, till: Till, paid: str) -> None:
    dispute = sandbox.dispute(paid)["id"]
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.move_dispute(dispute, "returned", 1000)
    sandbox.move_dispute(dispute, "lost")
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.move_dispute(dispute, "returned", 4411)
    back = sandbox.move_dispute(dispute, "returned", 1000)
    assert (back["status"], moved(back)) == ("lost", [(-4410, -5910), (1000, 1000)])
    assert dispute_events(sandbox, paid)[2:] == ["closed", "funds_reinstated"]
    assert books(sandbox, till) == (1, 4410, 1000)


def test_what_was_refunded_whole_cannot_be_disputed(sandbox: SandboxControl, till: Till, paid: str) -> None:
    sandbox.refund_elsewhere(paid)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.dispute(paid, 100)


def test_only_what_was_taken_can_be_disputed(sandbox: SandboxControl, till: Till, paid: str) -> None:
    for intent, amount in ((till.authorized(n=2).intent_id, None), (paid, 4411), (paid, 0)):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            sandbox.dispute(intent, amount)
    assert books(sandbox, till) == (0, 0, 0)


@pytest.mark.parametrize(
    ("card", "reason", "status", "taken"),
    [
        ("pm_card_createDispute", "fraudulent", "needs_response", 4410),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "needs_response", 4410),
        ("pm_card_createDisputeInquiry", "general", "warning_needs_response", 0),
    ],
)
def test_some_cards_are_disputed_as_soon_as_money_was_taken(
    sandbox: SandboxControl, till: Till, api: stripe.StripeClient, card: str, reason: str, status: str, taken: int
) -> None:
    held = till.authorized(card)
    till.capture(held, 4410)

    [dispute] = api.v1.disputes.list({"payment_intent": held.intent_id}).data
    assert (dispute.reason, dispute.status) == (reason, status)
    assert sandbox.books(till.order_id)["disputed"] == taken


@pytest.fixture
def receiver(sandbox: SandboxControl) -> Iterator[Receiver]:
    receiver = Receiver()
    sandbox.webhooks_to(receiver.url)
    yield receiver
    sandbox.webhooks_to(None)
    receiver.close()


def received(receiver: Receiver, intent: str, count: int) -> list[tuple[str, str]]:
    """(type, id) of what was told of this intent's disputes, as it came in."""
    about = receiver.wait(
        lambda hook: hook.taken and intent.encode() in hook.raw and b"charge.dispute" in hook.raw, count=count
    )
    return [(hook.body["type"].removeprefix("charge.dispute."), hook.body["id"]) for hook in about]


@pytest.mark.parametrize("by_order", [False, True])
def test_events_come_late_in_another_order_and_twice(
    sandbox: SandboxControl, till: Till, receiver: Receiver, paid: str, by_order: bool
) -> None:
    about = till.order_id if by_order else paid
    sandbox.keep_events(about)
    sandbox.move_dispute(sandbox.dispute(paid)["id"], "won")
    assert [event["sent"] for event in sandbox.events(paid)][-4:] == [0, 0, 0, 0]

    sandbox.send_events(
        about, "charge.dispute.closed", "charge.dispute.created", "charge.dispute.created", "charge.dispute.closed"
    )
    early = received(receiver, paid, 4)
    sandbox.release_events(about)
    late = received(receiver, paid, 6)[4:]

    assert [type for type, _ in early] == ["closed", "created", "created", "closed"]
    assert early[0] == early[3], "the same event"
    assert early[1] == early[2]
    assert [type for type, _ in late] == ["funds_withdrawn", "funds_reinstated"]
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.send_events(about, "charge.dispute.updated")
    sandbox.dispute(paid)
    assert [type for type, _ in received(receiver, paid, 8)[6:]], "nothing is kept any more"
