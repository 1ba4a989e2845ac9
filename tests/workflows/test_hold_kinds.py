"""Each kind of hold is opened by its real cause: here, or in the test that is named."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from types import FunctionType

import pytest
from sqlalchemy import select

from infra.database.tables import Parcel
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import AS_IT_IS
from tests.opening import ever_opened
from tests.shop import Shop
from tests.workflows import (
    stories,
    test_cancelled,
    test_cancelled_in_doubt,
    test_deadlines,
    test_disputes,
    test_given_intents,
    test_held,
    test_money_elsewhere,
    test_packed_contents,
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
    shop.happened(order, "refund_pending", 1, 60)
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
    HoldKind.REFUNDED_AFTER_ALL: pending_refund_fails,
    HoldKind.REFUND_LABEL_FAILED: label_refund_fails,
    HoldKind.POLL_FAILED: poll_fails,
    HoldKind.LABEL_REFUNDED_ELSEWHERE: label_is_given_back_elsewhere,
    HoldKind.RECALL_UNANSWERED: recall_is_not_answered,
}
ELSEWHERE = {
    kind
    for module in (
        test_cancelled,
        test_cancelled_in_doubt,
        test_deadlines,
        test_disputes,
        test_given_intents,
        test_held,
        test_money_elsewhere,
        test_packed_contents,
        test_paid,
        test_repeats,
        test_warehouse_astray,
    )
    for each in vars(module).values()
    if isinstance(each, FunctionType)  # SQLAlchemy's `func` has every attribute
    for mark in getattr(each, "pytestmark", ())
    if mark.name == "opens"
    for kind in mark.args
}
"""By a test that fails where it does not open it."""


@pytest.fixture(scope="module")
def begun(shops: Callable[[str], Shop]) -> Iterator[dict[HoldKind, Future[bool]]]:
    """All side by side: each waits for a patience to end. Whether it opened a hold of that kind."""
    shop = shops(AS_IT_IS)
    shop.sandbox.pace(None)
    shop.sandbox.webhooks_to(shop.settings.public_url)
    before = {kind: ever_opened(shop, kind) for kind in HERE}

    def play(cause: Cause) -> None:
        cause(shop)

    with ThreadPoolExecutor(len(HERE)) as pool:
        causes = {cause: pool.submit(play, cause) for cause in HERE.values()}

        def opened(kind: HoldKind) -> bool:
            causes[HERE[kind]].result(180)
            return ever_opened(shop, kind) > before[kind]

        yield {kind: pool.submit(opened, kind) for kind in HERE}


@pytest.fixture(autouse=True)
def calm_sandbox() -> None:
    """Not between the causes: they run side by side."""


@pytest.mark.parametrize("kind", HERE, ids=str)
def test_its_real_cause_opens_it(kind: HoldKind, begun: dict[HoldKind, Future[bool]]) -> None:
    assert begun[kind].result(180)


def test_every_kind_has_a_test_that_opens_it() -> None:
    assert HERE.keys() | ELSEWHERE == set(HoldKind)


def test_every_call_outside_has_its_kind() -> None:
    """Steps in our own database are tried until they go well; the others say what they wait for."""
    assert {call.name: call.fails_as for call in CALLS if not call.local} == {
        kind.removesuffix("_failed"): kind for kind in HoldKind if kind.reason == "step_failed"
    }
    assert not [call for call in CALLS if call.local and call.fails_as]
