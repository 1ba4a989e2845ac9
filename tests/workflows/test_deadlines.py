"""What must happen at a time happens then, once; and not where what it hangs on is over."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from infra.database.tables import Deadline, Message, Payment
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop, unique
from tests.workflows.stories import customer_hears

pytestmark = renewed_only
NEARLY = timedelta(days=6, hours=1)
"""An authorization is good for seven days."""
LEAD = 10
"""Days that a test's product is promised to take."""


def due(shop: Shop, order: str) -> dict[str, datetime]:
    with shop.database.sessions() as tx:
        mine = select(Deadline).where(Deadline.order_id == order, Deadline.done_at.is_(None))
        return {row.kind: row.at for row in tx.scalars(mine)}


def payments(shop: Shop, order: str) -> list[tuple[str, int]]:
    with shop.database.sessions() as tx:
        mine = select(Payment.status, Payment.amount).where(Payment.order_id == order).order_by(Payment.n)
        return [(status, amount) for status, amount in tx.execute(mine)]


def authorized_as(shop: Shop, order: str, n: int) -> None:
    shop.until(
        lambda: [status for status, _ in payments(shop, order)][n - 1 :] == ["authorized"], f"payment {n}", order
    )


def messages(shop: Shop, order: str, kind: str) -> list[dict[str, str]]:
    with shop.database.sessions() as tx:
        mine = select(Message.data).where(Message.order_id == order, Message.kind == kind, Message.channel == "email")
        return list(tx.scalars(mine.order_by(Message.message_id)))


def backordered(shop: Shop, **changes: Any) -> tuple[str, str]:
    sku = shop.product()
    order = shop.place({sku: 2}, **changes)
    customer_hears(shop, order, "backordered")
    return order, sku


# --- authorizations ---------------------------------------------------------------------------------------------------


def test_an_authorization_is_renewed_before_it_lapses_and_the_old_one_voided(shop: Shop) -> None:
    order, sku = backordered(shop)
    shop.pass_time(order, NEARLY)
    authorized_as(shop, order, 2)
    assert payments(shop, order) == [("ended", 4100), ("authorized", 4100)]
    assert "authorization_ended" not in shop.timeline(order)
    shop.receive("OAK", {sku: 2})
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captures"], books["captured"], books["voids"]) == (2, 1, 4100, 1)
    assert due(shop, order) == {}


def test_a_renewal_asks_only_for_what_is_still_to_be_captured(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    order = shop.place({here: 1, missing: 1})
    shop.until(lambda: "delivered" in shop.timeline(order), "the first delivery", order)
    left = shop.view(order)["total"] - shop.books(order)["captured"]
    shop.pass_time(order, NEARLY)
    authorized_as(shop, order, 2)
    assert payments(shop, order)[1] == ("authorized", left)


def test_a_declined_renewal_leaves_the_old_one_good_and_asks_the_customer(shop: Shop) -> None:
    order, sku = backordered(shop, card="pm_card_declinedOffSession")
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_problem", "payment 2")
    assert payments(shop, order) == [("authorized", 4100), ("declined", 4100)]
    assert shop.open_hold(order) is None
    [ends] = [at for kind, at in due(shop, order).items() if kind == "authorization_ends"]
    [data] = messages(shop, order, "payment_problem")
    assert datetime.fromisoformat(data["good_until"]) == ends
    shop.receive("OAK", {sku: 2})
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["authorizations"], books["captured"]) == (1, 4100)


def test_a_declined_renewal_is_rescued_by_another_card_while_the_old_one_is_good(shop: Shop) -> None:
    order, sku = backordered(shop, card="pm_card_declinedOffSession")
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_problem", "payment 2")
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    authorized_as(shop, order, 3)
    assert [status for status, _ in payments(shop, order)] == ["ended", "declined", "authorized"]
    shop.receive("OAK", {sku: 2})
    assert shop.ends(order) == "completed"


def test_a_renewal_that_nobody_rescues_is_a_hold_when_the_old_one_ends(shop: Shop) -> None:
    order, _ = backordered(shop, card="pm_card_declinedOffSession")
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_problem", "payment 2")
    shop.pass_time(order, timedelta(days=1))
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_NEEDS_CUSTOMER), "a hold", order)
    assert [status for status, _ in payments(shop, order)] == ["ended", "declined"]
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"


def test_retry_asks_for_the_payment_before_the_goods_come(shop: Shop) -> None:
    order, _ = backordered(shop, card="pm_card_declinedOffSession")
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_problem", "payment 2")
    shop.pass_time(order, timedelta(days=1))
    shop.resolve(order, "retry", HoldKind.PAYMENT_NEEDS_CUSTOMER)
    shop.until(lambda: len(payments(shop, order)) == 3, "another try", order)
    shop.until(lambda: payments(shop, order)[2][0] == "declined", "the bank's answer", order)
    assert shop.open_hold(order, HoldKind.PAYMENT_NEEDS_CUSTOMER), "declined again"
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"


def test_another_card_that_comes_after_the_end_is_asked_at_once(shop: Shop) -> None:
    """Not first when the goods come: the customer is still there to be asked."""
    order, sku = backordered(shop, card="pm_card_declinedOffSession")
    shop.pass_time(order, NEARLY)
    customer_hears(shop, order, "payment_problem", "payment 2")
    shop.pass_time(order, timedelta(days=1))
    shop.until(lambda: shop.open_hold(order, HoldKind.PAYMENT_NEEDS_CUSTOMER), "a hold", order)
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    authorized_as(shop, order, 3)
    shop.until(lambda: shop.open_hold(order) is None, "the hold to close", order)
    shop.receive("OAK", {sku: 2})
    assert shop.ends(order) == "completed"
    assert shop.books(order)["captured"] == 4100


def test_captures_do_not_wait_for_a_renewal_that_the_provider_has_no_answer_to(shop: Shop) -> None:
    order, sku = backordered(shop)
    with shop.sandbox.failing("stripe", "create_intent", "error", match=order):
        shop.pass_time(order, NEARLY)
        shop.happened(order, "renewal_asked")
        shop.receive("OAK", {sku: 2})
        shop.happened(order, "captured", timeout=60)
        assert shop.open_hold(order) is None
    assert shop.ends(order) == "completed"
    assert shop.books(order)["captured"] == 4100


def test_a_renewal_while_a_warehouse_is_asked_to_stop_is_for_what_it_may_still_send(shop: Shop) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    order = shop.place({here: 1, missing: 1}, by_hand=True)
    shop.happened(order, "requested")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.pass_time(order, NEARLY)
    authorized_as(shop, order, 2)
    with shop.database.sessions() as tx:
        asked = tx.scalars(select(Payment.amount).where(Payment.order_id == order).order_by(Payment.n)).all()
    assert asked == [4100, 2050]
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
    assert shop.books(order)["voids"] == 2


# --- promises ---------------------------------------------------------------------------------------------------------


def test_a_promise_that_passes_is_told_once_with_the_new_day(shop: Shop) -> None:
    order, _ = backordered(shop, notify=["email"])
    [first] = messages(shop, order, "backordered")
    shop.pass_time(order, timedelta(days=LEAD + 1, hours=1))
    shop.happened(order, "promise_passed")
    shop.until(lambda: messages(shop, order, "delayed"), "the new day", order)
    [message] = messages(shop, order, "delayed")
    assert date.fromisoformat(message["expected"]) > date.fromisoformat(first["expected"])
    shop.pass_time(order, timedelta(days=2))
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    assert len(messages(shop, order, "delayed")) == 1


def test_a_promise_passes_at_the_end_of_the_day_where_the_customer_lives(shop: Shop) -> None:
    who = unique("C")
    body = {"name": "Ada", "email": "ada@example.com", "time_zone": "Pacific/Auckland", "notify": ["email"]}
    shop.api.put(f"/v1/customers/{who}", json=body).raise_for_status()
    order, _ = backordered(shop, customer_id=who)
    [message] = messages(shop, order, "backordered")
    day = date.fromisoformat(message["expected"]) + timedelta(days=1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert due(shop, order)["promise_passes"] == midnight.astimezone(UTC)


def test_a_promise_that_is_kept_is_not_told_to_have_passed(shop: Shop) -> None:
    order, sku = backordered(shop)
    shop.sandbox.pace(None, order)
    shop.receive("OAK", {sku: 2})
    shop.happened(order, "requested")
    assert set(due(shop, order)) == {"authorization_ends", "delivery_due"}


@opens(HoldKind.BACKORDER_OVERDUE)
def test_a_backorder_far_overdue_is_a_hold_and_retry_waits_on(shop: Shop) -> None:
    order, sku = backordered(shop)
    shop.pass_time(order, timedelta(days=LEAD + 1 + 14, hours=1))
    shop.until(lambda: shop.open_hold(order, HoldKind.BACKORDER_OVERDUE), "a hold", order)
    shop.resolve(order, "retry", HoldKind.BACKORDER_OVERDUE)
    shop.until(lambda: shop.open_hold(order) is None, "the hold to close", order)
    shop.until(lambda: "backorder_overdue" in due(shop, order), "new patience", order)
    shop.pass_time(order, timedelta(days=14, hours=1))
    shop.until(lambda: shop.open_hold(order, HoldKind.BACKORDER_OVERDUE), "another hold", order)
    shop.receive("OAK", {sku: 2})
    assert shop.ends(order) == "completed"
    assert shop.open_hold(order) is None


# --- reminders --------------------------------------------------------------------------------------------------------


def test_an_operators_hold_is_told_again_each_day_until_it_is_closed(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    shop.call(shop.handle(order).execute_update("hold", {"by": "eve", "why": "looks odd"}))
    for day in (1, 2):
        shop.pass_time(order, timedelta(days=1, minutes=1))
        shop.happened(order, "hold_reminded", day)
    ages = [line for line in shop.api.get("/metrics").text.splitlines() if "oldest_hold" in line and "operator" in line]
    assert len(ages) == 1
    shop.resolve(order, "cancel", HoldKind.STOPPED)
    shop.happened(order, "recall_asked")
    assert "hold_forgotten" not in due(shop, order)
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"


def test_an_unfinished_confirmation_is_reminded_once_before_the_payment_deadline(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_authenticationRequired")
    shop.reaches(order, payment_status="action_required")
    shop.pass_time(order, timedelta(days=1, hours=13))
    customer_hears(shop, order, "payment_reminder", "payment 1")
    [message] = messages(shop, order, "payment_reminder")
    assert {"url", "deadline"} <= message.keys()
    with shop.database.sessions() as tx:
        intent = tx.scalars(select(Payment.intent).where(Payment.order_id == order)).one()
    shop.sandbox.card(str(intent), "authenticate")
    assert shop.ends(order) == "completed"
    assert len(messages(shop, order, "payment_reminder")) == 1


def test_nobody_is_reminded_while_an_operator_stops_the_order(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_authenticationRequired", by_hand=True)
    shop.reaches(order, payment_status="action_required")
    half_way = due(shop, order)["payment_reminder"]
    shop.call(shop.handle(order).execute_update("hold", {"by": "eve", "why": "looks odd"}))
    shop.pass_time(order, timedelta(days=1, hours=13))
    shop.until(lambda: due(shop, order)["payment_reminder"] > half_way, "the reminder to be put off", order)
    assert messages(shop, order, "payment_reminder") == []
    shop.resolve(order, "retry", HoldKind.STOPPED)
    shop.until(lambda: shop.open_hold(order) is None, "the hold to close", order)
    shop.pass_time(order, timedelta(hours=1, minutes=1))
    customer_hears(shop, order, "payment_reminder", "payment 1")


def test_a_confirmed_payment_is_not_reminded_of(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_authenticationRequired", by_hand=True)
    shop.reaches(order, payment_status="action_required")
    assert "payment_reminder" in due(shop, order)
    with shop.database.sessions() as tx:
        intent = tx.scalars(select(Payment.intent).where(Payment.order_id == order)).one()
    shop.sandbox.card(str(intent), "authenticate")
    shop.happened(order, "authorized")
    assert set(due(shop, order)) == {"authorization_ends", "delivery_due"}


@pytest.mark.parametrize("kind", ["authorization_ends", "promise_passes", "delivery_due", "backorder_overdue"])
def test_what_has_ended_has_no_deadline(shop: Shop, kind: str) -> None:
    order, _ = backordered(shop)
    assert kind in due(shop, order)
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
    assert due(shop, order) == {}
