"""The card adapter, with the vendor's own SDK, against the sandbox: every way a payment can go."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from activities.failures import Refused
from activities.ports import IntentStatus, RefundStatus
from activities.providers.stripe import disputes
from infra.sandbox.client import SandboxControl
from tests.activities.providers.till import Till

DAY = 86400


@pytest.fixture
def till(sandbox: SandboxControl) -> Till:
    return Till.open(sandbox)


def test_a_good_card_is_held_for_a_week_and_saved_for_later(sandbox: SandboxControl, till: Till) -> None:
    made = till.intent()
    held = till.payments.confirm(made.intent_id, off_session=False, key=till.key("confirm"))

    assert made.status is IntentStatus.UNCONFIRMED
    assert (held.status, held.amount, held.capturable, held.captured) == (IntentStatus.AUTHORIZED, 4410, 4410, 0)
    assert held.multicapture
    assert held.metadata == {"order_id": till.order_id}
    assert held.capture_before is not None
    assert abs(held.capture_before - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)
    assert sandbox.books(till.order_id)["authorizations"] == 1

    assert held.payment_method is not None
    again = till.authorized(held.payment_method, off_session=True, n=2)
    assert again.status is IntentStatus.AUTHORIZED
    assert again.payment_method == held.payment_method
    assert again.capture_before is not None
    assert abs(again.capture_before - datetime.now(UTC) - timedelta(days=4, hours=18)) < timedelta(minutes=1)


@pytest.mark.parametrize("off_session", [False, True])
@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_chargeDeclinedStolenCard", "stolen_card"),
        ("pm_card_chargeDeclinedFraudulent", "fraudulent"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
    ],
)
def test_a_declined_card_is_an_answer_with_its_reason(
    sandbox: SandboxControl, till: Till, method: str, reason: str, off_session: bool
) -> None:
    declined = till.authorized(method, off_session=off_session)

    assert (declined.status, declined.decline_code) == (IntentStatus.DECLINED, reason)
    assert till.payments.intent(declined.intent_id) == declined
    assert sandbox.books(till.order_id)["authorizations"] == 0


def test_a_card_may_be_good_on_session_only(till: Till) -> None:
    assert till.authorized("pm_card_declinedOffSession").status is IntentStatus.AUTHORIZED
    assert till.authorized("pm_card_declinedOffSession", off_session=True, n=2).status is IntentStatus.DECLINED


def test_the_bank_asks_who_it_is_and_the_customer_answers_on_its_page(sandbox: SandboxControl, till: Till) -> None:
    asked = till.authorized("pm_card_authenticationRequired")
    assert asked.status is IntentStatus.ACTION_REQUIRED
    assert asked.action_url is not None
    assert till.payments.intent(asked.intent_id).action_url == asked.action_url

    assert "Your bank asks" in httpx.get(asked.action_url, trust_env=False).text
    httpx.post(asked.action_url, data={"outcome": "pass"}, trust_env=False).raise_for_status()

    assert till.payments.intent(asked.intent_id).status is IntentStatus.AUTHORIZED
    assert sandbox.books(till.order_id)["authorizations"] == 1


def test_a_failed_proof_is_a_decline(sandbox: SandboxControl, till: Till) -> None:
    asked = till.authorized("pm_card_authenticationRequired")

    sandbox.card(asked.intent_id, "fail_authentication")

    after = till.payments.intent(asked.intent_id)
    assert (after.status, after.decline_code) == (IntentStatus.DECLINED, "payment_intent_authentication_failure")


def test_off_session_nobody_is_there_to_prove_it(till: Till) -> None:
    asked = till.authorized("pm_card_authenticationRequired", off_session=True)

    assert (asked.status, asked.decline_code) == (IntentStatus.ACTION_REQUIRED, "authentication_required")
    assert asked.action_url is None


def test_a_card_proven_when_it_was_saved_is_good_off_session(sandbox: SandboxControl, till: Till) -> None:
    asked = till.authorized("pm_card_authenticationRequiredOnSetup")
    sandbox.card(asked.intent_id, "authenticate")
    assert asked.payment_method is not None

    assert till.authorized(asked.payment_method, off_session=True, n=2).status is IntentStatus.AUTHORIZED


def test_shipments_are_captured_one_by_one_and_the_rest_goes_back(sandbox: SandboxControl, till: Till) -> None:
    held = till.authorized()

    first = till.capture(held, 1000, final=False, n=1)
    last = till.capture(held, 2000, n=2)

    assert (first.status, first.captured, first.capturable) == (IntentStatus.AUTHORIZED, 1000, 3410)
    assert (last.status, last.captured, last.capturable) == (IntentStatus.CAPTURED, 3000, 0)
    books = sandbox.books(till.order_id)
    assert (books["captures"], books["captured"]) == (2, 3000)


@pytest.mark.parametrize("method", ["pm_card_discover", "pm_card_credit_disableEnterpriseCardFeatures"])
def test_a_card_without_multicapture_is_captured_once(till: Till, method: str) -> None:
    held = till.authorized(method)
    assert not held.multicapture

    with pytest.raises(Refused, match="invalid_final_capture"):
        till.capture(held, 1000, final=False, n=1)
    taken = till.capture(held, 1000, n=2)

    assert (taken.status, taken.captured) == (IntentStatus.CAPTURED, 1000)
    assert till.payments.refunds(taken.intent_id) == [], "what went back of the hold is no refund of ours"


def test_more_than_was_held_is_never_captured(sandbox: SandboxControl, till: Till) -> None:
    held = till.authorized()

    with pytest.raises(Refused, match="amount_too_large"):
        till.capture(held, 4411)
    till.capture(held, 4410, n=2)
    with pytest.raises(Refused, match="payment_intent_unexpected_state"):
        till.capture(held, 1, n=3)

    assert sandbox.books(till.order_id)["captured"] == 4410


@pytest.mark.parametrize("captured", [0, 1000])
def test_voiding_gives_back_what_is_held_and_again_changes_nothing(
    sandbox: SandboxControl, till: Till, captured: int
) -> None:
    held = till.authorized()
    if captured:
        till.capture(held, captured, final=False)

    ended = till.payments.void(held.intent_id, key=till.key("void"))
    again = till.payments.void(held.intent_id, key=till.key("void:2"))

    assert ended.status is (IntentStatus.CAPTURED if captured else IntentStatus.ENDED)
    assert (ended.captured, ended.capturable) == (captured, 0)
    assert again == ended
    books = sandbox.books(till.order_id)
    assert (books["voids"], books["captured"], books["refunds"]) == (1, captured, 0)


def test_an_unconfirmed_intent_is_voided_without_a_trace_in_the_books(sandbox: SandboxControl, till: Till) -> None:
    made = till.intent()

    assert till.payments.void(made.intent_id, key=till.key("void")).status is IntentStatus.ENDED
    assert sandbox.books(till.order_id)["entries"] == []


@pytest.mark.parametrize("captured", [0, 1000])
def test_a_hold_lapses_by_the_customers_clock(sandbox: SandboxControl, till: Till, captured: int) -> None:
    held = till.authorized()
    if captured:
        till.capture(held, captured, final=False)

    sandbox.advance(till.customer_id, 7 * DAY - 60)
    assert till.payments.intent(held.intent_id).status is IntentStatus.AUTHORIZED
    sandbox.advance(till.customer_id, 120)

    lapsed = till.payments.intent(held.intent_id)
    assert lapsed.status is (IntentStatus.CAPTURED if captured else IntentStatus.ENDED)
    assert (lapsed.captured, lapsed.capturable) == (captured, 0)
    assert sandbox.books(till.order_id)["expiries"] == 1


def test_refunds_never_exceed_what_was_captured(sandbox: SandboxControl, till: Till) -> None:
    taken = till.capture(till.authorized(), 4000)
    about = {"order_id": till.order_id, "part": "1"}

    refund = till.payments.refund(taken.intent_id, amount=1500, metadata=about, key=till.key("refund:1"))
    with pytest.raises(Refused, match="invalid_amount"):
        till.payments.refund(taken.intent_id, amount=2501, metadata=about, key=till.key("refund:2"))
    till.payments.refund(taken.intent_id, amount=2500, metadata=about, key=till.key("refund:3"))
    with pytest.raises(Refused, match="charge_already_refunded"):
        till.payments.refund(taken.intent_id, amount=1, metadata=about, key=till.key("refund:4"))

    assert (refund.status, refund.amount, refund.metadata) == (RefundStatus.SUCCEEDED, 1500, about)
    assert [each.amount for each in till.payments.refunds(taken.intent_id)] == [2500, 1500]
    assert sandbox.books(till.order_id)["refunded"] == 4000


@pytest.mark.parametrize(
    ("method", "at_first", "end", "at_last"),
    [
        ("pm_card_pendingRefund", RefundStatus.PENDING, "succeed", RefundStatus.SUCCEEDED),
        ("pm_card_pendingRefund", RefundStatus.PENDING, "fail", RefundStatus.FAILED),
        ("pm_card_refundFail", RefundStatus.SUCCEEDED, "fail", RefundStatus.FAILED),
    ],
)
def test_a_refunds_last_word_comes_later(
    sandbox: SandboxControl, till: Till, method: str, at_first: RefundStatus, end: str, at_last: RefundStatus
) -> None:
    taken = till.capture(till.authorized(method), 4410)
    refund = till.payments.refund(taken.intent_id, amount=4410, metadata={}, key=till.key("refund"))
    assert refund.status is at_first

    sandbox.tell(f"/stripe/refunds/{refund.refund_id}/{end}")

    assert till.payments.refund_status(refund.refund_id).status is at_last
    refunded = 4410 if at_last is RefundStatus.SUCCEEDED else 0
    assert sandbox.books(till.order_id)["refunded"] == refunded


def test_a_disputed_payment_cannot_be_refunded(till: Till) -> None:
    taken = till.capture(till.authorized("pm_card_createDispute"), 4410)

    with pytest.raises(Refused, match="charge_disputed"):
        till.payments.refund(taken.intent_id, amount=1, metadata={}, key=till.key("refund"))


def test_disputes_are_told_as_they_stand(till: Till, sandbox: SandboxControl) -> None:
    taken = till.capture(till.authorized("pm_card_createDispute"), 4410)

    [found] = till.payments.disputes(taken.intent_id)
    assert (found.intent_id, found.amount, found.reason, found.status) == (taken.intent_id, 4410, "fraudulent", "open")
    assert found.due_by
    assert [each.amount for each in found.moves] == [-4410]
    assert not found.answered
    sandbox.move_dispute(found.dispute_id, "respond")
    assert till.payments.disputes(taken.intent_id)[0].answered
    sandbox.move_dispute(found.dispute_id, "won", 1000)
    [found] = till.payments.disputes(taken.intent_id)
    assert (found.status, [each.amount for each in found.moves]) == ("won", [-4410, 1000])


@pytest.mark.parametrize(
    ("status", "taken", "ours"),
    [
        ("warning_needs_response", 0, "inquiry"),
        ("warning_under_review", 0, "inquiry"),
        ("warning_closed", 0, "won"),
        ("needs_response", -900, "open"),
        ("under_review", -900, "open"),
        ("appeal_under_review", -900, "open"),
        ("won", -900, "won"),
        ("lost", -900, "lost"),
        ("prevented", -900, "lost"),
        ("prevented", 0, "won"),
        ("a_new_one", 0, "open"),
    ],
)
def test_each_of_stripes_words_for_a_dispute_is_one_of_ours(status: str, taken: int, ours: str) -> None:
    moves = [{"id": "txn_1", "amount": taken, "currency": "usd"}] if taken else []
    about = {"id": "dp_1", "amount": 900, "currency": "usd", "reason": "general", "status": status}
    seen = disputes.DisputeObject.model_validate(about | {"balance_transactions": moves})
    assert disputes.read(seen).status == ours


def test_in_an_account_of_another_currency_a_disputes_moves_are_of_the_payments() -> None:
    booked = [("txn_1", -4000), ("txn_2", 1000)]
    moves = [{"id": id, "amount": amount, "currency": "eur"} for id, amount in booked]
    about = {"id": "dp_1", "amount": 4410, "currency": "usd", "reason": "general", "status": "lost"}
    seen = disputes.DisputeObject.model_validate(about | {"balance_transactions": moves})
    assert [each.amount for each in disputes.read(seen).moves] == [-4410, 1102]
