"""Each kind of hold is opened by its real cause: here, or in the test that is named."""

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from infra.database.tables import Parcel
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import AS_IT_IS
from tests.shop import Shop
from tests.workflows import (
    stories,
    test_cancelled_in_doubt,
    test_deadlines,
    test_held,
    test_paid,
    test_repeats,
    test_warehouse_astray,
)
from workflows.calls import CALLS


def opened(shop: Shop, order: str, kind: HoldKind) -> None:
    shop.until(lambda: shop.open_hold(order, kind), f"a hold {kind}", order, 60)


def asked_to_pack(shop: Shop) -> str:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested", 1, 60)
    return order


def request_fails(shop: Shop) -> None:
    asked = shop.order({shop.product(OAK=1): 1})
    with shop.sandbox.failing("warehouse", "request", "error", match=asked["order_id"]):
        shop.api.post("/v1/orders", json=asked).raise_for_status()
        opened(shop, asked["order_id"], HoldKind.REQUEST_FAILED)


def second_authorization_fails(shop: Shop) -> None:
    """A card that allows one capture an authorization; two locations."""
    units = {shop.product(OAK=1): 1, shop.product(RNO=1): 1}
    order = shop.place(units, card="pm_card_discover", by_hand=True)
    shop.happened(order, "requested", 2, 60)
    with shop.sandbox.failing("stripe", "create_intent", "error", match=order):
        for n in (1, 2):
            shop.warehouse(order, n).packs()
        opened(shop, order, HoldKind.REAUTHORIZE_FAILED)


def capture_fails(shop: Shop) -> None:
    order = asked_to_pack(shop)
    with shop.sandbox.failing("stripe", "capture", "error", match=order):
        shop.warehouse(order).packs()
        opened(shop, order, HoldKind.CAPTURE_FAILED)


def release_fails(shop: Shop) -> None:
    order = asked_to_pack(shop)
    with shop.sandbox.failing("warehouse", "release", "error", match=order):
        shop.warehouse(order).packs()
        opened(shop, order, HoldKind.RELEASE_FAILED)


def void_fails(shop: Shop) -> None:
    order = asked_to_pack(shop)
    with shop.sandbox.failing("stripe", "void", "error", match=order):
        shop.cancel(order)
        shop.happened(order, "recall_asked", 1, 60)
        shop.warehouse(order).stops()
        opened(shop, order, HoldKind.VOID_FAILED)
        shop.resolve(order, "skip", HoldKind.VOID_FAILED)
        assert shop.ends(order, 60) == "cancelled"


def pending_refund_fails(shop: Shop) -> None:
    """The bank has not answered yet, and cannot be asked. Given up, the order can still be read; paid after all, a
    person hears of it."""
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_pendingRefund", by_hand=True)
    shop.happened(order, "requested", 1, 60)
    stories.pack(shop, order)
    shop.cancel(order)
    shop.happened(order, "recall_asked", 1, 60)
    shop.warehouse(order).stops()
    shop.happened(order, "refund_asked", 1, 60)
    with shop.sandbox.failing("stripe", "retrieve", "error", match=order):
        shop.pass_time(order, timedelta(days=5, minutes=10))
        opened(shop, order, HoldKind.REFUND_PAYMENT_FAILED)
        shop.resolve(order, "skip", HoldKind.REFUND_PAYMENT_FAILED)
        shop.happened(order, "refund_given_up", 1, 60)
    assert [refund["status"] for refund in shop.view(order)["payment"]["refunds"]] == ["given_up"]
    refund = next(e["reference"] for e in shop.sandbox.books(order)["entries"] if e["effect"] == "refund")
    shop.sandbox.card_refund(refund, "succeed")
    opened(shop, order, HoldKind.REFUNDED_AFTER_ALL)
    shop.resolve(order, "skip", HoldKind.REFUNDED_AFTER_ALL)


def label_refund_fails(shop: Shop) -> None:
    """Of two parcels: each is a hold of its own, and its skip is about it alone."""
    order = shop.place({shop.product(prefix="TWOBOX", OAK=2): 2}, by_hand=True)
    shop.happened(order, "requested", 1, 60)
    stories.pack(shop, order)
    with shop.sandbox.failing("shippo", "refund", "error", match=order):
        shop.cancel(order)
        shop.happened(order, "recall_asked", 1, 60)
        shop.warehouse(order).stops()
        for n in (1, 2):
            opened(shop, order, HoldKind.REFUND_LABEL_FAILED)
            [hold] = [hold for hold in shop.view(order)["holds"] if not hold["closed_at"]]
            assert (hold["subject_kind"], hold["subject_id"]) == ("parcel", f"{order}-1/{n}")
            shop.resolve(order, "skip", HoldKind.REFUND_LABEL_FAILED)
            shop.happened(order, "label_written_off", n, 60)
        shop.goes_by_itself(order)
        assert shop.ends(order, 60) == "cancelled"


def label_is_given_back_elsewhere(shop: Shop) -> None:
    """At the shipping provider, while the warehouse has it."""
    order = asked_to_pack(shop)
    stories.pack(shop, order)
    with shop.database.sessions() as tx:
        label = str(tx.scalars(select(Parcel.label_id).where(Parcel.fulfillment_id == f"{order}-1")).one())
    shop.outside.labels.refund(label)
    shop.sandbox.label(label, "refund")
    opened(shop, order, HoldKind.LABEL_REFUNDED_ELSEWHERE)


def poll_fails(shop: Shop) -> None:
    order = asked_to_pack(shop)
    stories.pack(shop, order)
    shop.warehouse(order).hands_over()
    shop.happened(order, "shipped", 1, 60)
    with shop.sandbox.failing("shippo", "track", "error", match=stories.tracking_number(shop, f"{order}-1")):
        shop.pass_time(order, timedelta(days=5, minutes=10))
        opened(shop, order, HoldKind.POLL_FAILED)
        shop.resolve(order, "skip", HoldKind.POLL_FAILED)
    shop.sandbox.track(stories.tracking_number(shop, f"{order}-1"), "delivered")
    assert shop.ends(order, 60) == "completed"


def recall_is_not_answered(shop: Shop) -> None:
    order = asked_to_pack(shop)
    shop.cancel(order)
    shop.happened(order, "recall_asked", 1, 60)
    shop.until(lambda: shop.books(order).get("recalls", 0), "the recall", order, 60)
    shop.pass_time(order, timedelta(days=6))
    opened(shop, order, HoldKind.RECALL_UNANSWERED)
    shop.resolve(order, "retry", HoldKind.RECALL_UNANSWERED)
    shop.warehouse(order).stops()
    assert shop.ends(order, 60) == "cancelled"


Cause = Callable[[Shop], None]
HERE: dict[HoldKind, Cause] = {
    HoldKind.REQUEST_FAILED: request_fails,
    HoldKind.REAUTHORIZE_FAILED: second_authorization_fails,
    HoldKind.CAPTURE_FAILED: capture_fails,
    HoldKind.RELEASE_FAILED: release_fails,
    HoldKind.VOID_FAILED: void_fails,
    HoldKind.REFUND_PAYMENT_FAILED: pending_refund_fails,
    HoldKind.REFUND_LABEL_FAILED: label_refund_fails,
    HoldKind.POLL_FAILED: poll_fails,
    HoldKind.LABEL_REFUNDED_ELSEWHERE: label_is_given_back_elsewhere,
    HoldKind.RECALL_UNANSWERED: recall_is_not_answered,
}
ELSEWHERE: dict[HoldKind, Callable[..., object]] = {
    HoldKind.AUTHORIZE_FAILED: test_paid.test_a_payment_that_is_held_ends_with_its_deadline,
    HoldKind.BUY_LABEL_FAILED: test_held.test_an_operators_retry_goes_on_at_once,
    HoldKind.RECALL_FAILED: test_cancelled_in_doubt.test_a_warehouse_that_forgot_what_it_was_asked_for_may_be_skipped,
    HoldKind.TELL_FAILED: test_held.skipped,
    HoldKind.NO_PROGRESS: test_repeats.test_a_step_that_changes_nothing_is_repeated_ever_less_often_and_then_held,
    HoldKind.PAYMENT_NEEDS_CUSTOMER: (
        test_paid.test_an_off_session_decline_holds_the_payment_until_the_customer_gives_another_card
    ),
    HoldKind.REST_TOO_SMALL: test_paid.test_a_rest_that_is_too_small_to_charge_may_be_given_up,
    HoldKind.CAPTURED_UNKNOWN: test_repeats.test_money_that_somebody_took_before_the_order_heard_of_it_is_for_a_person,
    HoldKind.REFUND_FAILED: (
        test_paid.test_a_refund_that_the_bank_gives_back_reaches_an_operator_after_the_order_has_ended
    ),
    HoldKind.REFUNDED_AFTER_ALL: pending_refund_fails,
    HoldKind.DISPUTE: test_paid.test_a_dispute_after_the_end_wakes_the_order,
    HoldKind.FULFILLMENT_REFUSED: test_held.test_a_warehouse_that_stops_by_itself_is_a_refusal,
    HoldKind.REQUEST_UNANSWERED: test_held.test_a_silent_warehouse_is_held_and_its_answer_goes_on,
    HoldKind.RELEASE_UNANSWERED: test_warehouse_astray.test_goods_that_do_not_leave_are_asked_after,
    HoldKind.NOT_RELEASED: test_warehouse_astray.test_what_leaves_before_it_was_packed_is_paid_and_closed_by_a_person,
    HoldKind.LEFT_THOUGH_CANCELLED: test_warehouse_astray.test_what_leaves_though_it_was_cancelled_reaches_a_person,
    HoldKind.SHORT_AFTER_CAPTURE: (test_held.test_missing_units_that_are_told_of_after_the_capture_reach_a_person),
    HoldKind.DELIVERY_FAILED: test_held.test_a_parcel_that_comes_back_waits_for_a_person,
    HoldKind.LABEL_REFUND_REJECTED: test_cancelled_in_doubt.test_cancelled_when_only_a_label_is_left_to_settle,
    HoldKind.BACKORDER_OVERDUE: test_deadlines.test_a_backorder_far_overdue_is_a_hold_and_retry_waits_on,
    HoldKind.STOPPED: test_held.test_an_operators_hold_stops_before_the_next_step,
}


@pytest.fixture(scope="module")
def begun(shops: Callable[[str], Shop]) -> Iterator[dict[HoldKind, Future[None]]]:
    """All side by side: each waits for a patience to end."""
    shop = shops(AS_IT_IS)
    shop.sandbox.pace(None)
    shop.sandbox.webhooks_to(shop.settings.public_url)
    with ThreadPoolExecutor(len(HERE)) as pool:
        yield {kind: pool.submit(cause, shop) for kind, cause in HERE.items()}


@pytest.fixture(autouse=True)
def calm_sandbox() -> None:
    """Not between the causes: they run side by side."""


@pytest.mark.parametrize("kind", HoldKind, ids=str)
def test_its_real_cause_opens_it(kind: HoldKind, request: pytest.FixtureRequest) -> None:
    if kind in HERE:
        request.getfixturevalue("begun")[kind].result(180)
    else:
        assert f"HoldKind.{kind.name})" in inspect.getsource(ELSEWHERE[kind]), "awaited, or decided, by that test"


def test_every_call_outside_has_its_kind() -> None:
    """Steps in our own database are tried until they go well; the others say what they wait for."""
    assert {call.name: call.fails_as for call in CALLS if not call.local} == {
        kind.removesuffix("_failed"): kind for kind in HoldKind if kind.reason == "step_failed"
    }
    assert not [call for call in CALLS if call.local and call.fails_as]
