"""Money that moves without us: taken, voided and given back by a person in the payment provider's dashboard. Never is
more taken than the order costs; what a person has ended is a person's matter."""

import pytest
from sqlalchemy import func, select, update

from infra.database.tables import MoneyMove, Payment
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop
from tests.workflows.stories import customer_hears, pack

pytestmark = pytest.mark.usefixtures("sound")


def two_parcels(shop: Shop) -> tuple[str, str]:
    """One of 18.00 + 2.50, another of the same; gives the order and its intent."""
    order = shop.place({shop.product(OAK=1): 1, shop.product(RNO=1): 1}, by_hand=True)
    shop.happened(order, "requested", 2)
    return order, intent(shop, order)


def one_parcel(shop: Shop) -> tuple[str, str]:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    return order, intent(shop, order)


def intent(shop: Shop, order: str, n: int = 1) -> str:
    with shop.database.sessions() as tx:
        return str(tx.scalars(select(Payment.intent).where(Payment.order_id == order, Payment.n == n)).one())


def money(shop: Shop, order: str) -> tuple[int, int]:
    """Taken and given back, as the bank has it: and as we do."""
    books, ours = shop.books(order), shop.view(order)["payment"]
    theirs = books.get("captured", 0), books.get("refunded", 0)
    assert theirs == (ours["captured"], ours["refunded"])
    return theirs


@renewed_only
def test_taken_in_full_it_pays_both_parcels(shop: Shop) -> None:
    order, of = two_parcels(shop)
    shop.sandbox.capture_elsewhere(of)
    shop.happened(order, "captured_elsewhere")
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (4100, 0)
    assert (shop.view(order)["payment_status"], shop.view(order)["holds"]) == ("captured", [])


@renewed_only
def test_taken_in_full_before_we_hear_of_it_our_own_capture_takes_no_more(shop: Shop) -> None:
    order, of = two_parcels(shop)
    shop.sandbox.keep_events(of)
    shop.sandbox.capture_elsewhere(of)
    pack(shop, order, 1)
    pack(shop, order, 2)
    shop.sandbox.release_events(of)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (4100, 0)
    assert shop.view(order)["holds"] == []


@renewed_only
def test_taken_in_full_and_one_parcel_cancelled_its_money_goes_back(shop: Shop) -> None:
    order, of = two_parcels(shop)
    shop.sandbox.capture_elsewhere(of)
    shop.happened(order, "captured_elsewhere")
    pack(shop, order, 1)
    shop.warehouse(order, 1).hands_over()
    shop.happened(order, "shipped")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order, 2).stops()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (4100, 2050)
    mails = str(shop.sandbox.ask("/mailbox", order_id=order))
    assert "20.50" in mails


@renewed_only
def test_taken_in_part_and_the_rest_open_only_the_rest_is_taken(shop: Shop) -> None:
    order, of = one_parcel(shop)
    shop.sandbox.capture_elsewhere(of, 1000, final=False)
    pack(shop, order)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (2300, 0)


@renewed_only
@opens(HoldKind.ENDED_ELSEWHERE)
def test_taken_in_part_and_the_rest_released_a_person_decides_about_the_rest(shop: Shop) -> None:
    order, of = one_parcel(shop)
    shop.sandbox.capture_elsewhere(of, 1000)
    shop.until(lambda: shop.open_hold(order, HoldKind.ENDED_ELSEWHERE), "a hold", order)
    shop.resolve(order, "retry", HoldKind.ENDED_ELSEWHERE)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (2300, 0)
    voided = shop.view(order)["payment"]["voided"]
    assert voided == 1300


@renewed_only
def test_voided_as_fraudulent_it_is_not_authorized_again_by_itself(shop: Shop) -> None:
    order, of = one_parcel(shop)
    shop.sandbox.cancel_elsewhere(of, "fraudulent")
    shop.until(lambda: shop.open_hold(order, HoldKind.ENDED_ELSEWHERE), "a hold", order)
    shop.warehouse(order).packs()
    shop.happened(order, "packed")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    assert shop.ends(order) == "cancelled"
    books = shop.books(order)
    assert (books["authorizations"], books.get("captures", 0), books.get("labels", 0)) == (1, 0, 0)


@renewed_only
def test_voided_as_fraudulent_and_cancelled_what_cannot_be_stopped_waits_for_a_person(shop: Shop) -> None:
    order, of = one_parcel(shop)
    shop.sandbox.cancel_elsewhere(of, "fraudulent")
    shop.until(lambda: shop.open_hold(order, HoldKind.ENDED_ELSEWHERE), "a hold", order)
    shop.resolve(order, "cancel", HoldKind.ENDED_ELSEWHERE)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).cannot_stop()
    shop.happened(order, "recall_refused")
    shop.warehouse(order).packs()
    shop.until(lambda: shop.open_hold(order, HoldKind.ENDED_ELSEWHERE), "the hold again", order)
    books = shop.books(order)
    assert (books["authorizations"], books.get("captures", 0), books.get("labels", 0)) == (1, 0, 0)
    shop.goes_by_itself(order)
    shop.resolve(order, "retry", HoldKind.ENDED_ELSEWHERE)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (2300, 0)


@renewed_only
def test_voided_as_fraudulent_and_gone_all_the_same_a_person_writes_it_off(shop: Shop) -> None:
    order, of = one_parcel(shop)
    shop.sandbox.cancel_elsewhere(of, "fraudulent")
    hold = shop.until(lambda: shop.open_hold(order, HoldKind.ENDED_ELSEWHERE), "a hold", order)
    skip = {"hold": hold, "action": "skip", "why": "test"}
    refused = shop.api.post(f"/v1/orders/{order}/resolution", json=skip)
    assert (refused.status_code, "has left unpaid" in refused.text) == (409, True)
    shop.warehouse(order).hands_over()
    shop.happened(order, "shipped")
    shop.resolve(order, "skip", HoldKind.ENDED_ELSEWHERE)
    shop.happened(order, "charge_given_up")
    shop.resolve(order, "skip", HoldKind.NOT_RELEASED)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (0, 0)
    assert shop.books(order)["authorizations"] == 1


@renewed_only
def test_refunded_there_and_then_cancelled_nothing_goes_back_twice(shop: Shop) -> None:
    order, of = one_parcel(shop)
    pack(shop, order)
    shop.sandbox.refund_elsewhere(of)
    shop.happened(order, "refund_succeeded")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    assert money(shop, order) == (2300, 2300)
    customer_hears(shop, order, "cancelled")
    assert "not been charged" not in str(shop.sandbox.ask("/mailbox", order_id=order))


@renewed_only
def test_voided_before_we_hear_of_it_the_capture_finds_out(shop: Shop) -> None:
    order, of = one_parcel(shop)
    shop.sandbox.keep_events(of)
    shop.sandbox.cancel_elsewhere(of, "fraudulent")
    shop.warehouse(order).packs()
    shop.until(lambda: shop.open_hold(order, HoldKind.ENDED_ELSEWHERE), "a hold", order)
    shop.sandbox.release_events(of)
    shop.goes_by_itself(order)
    shop.resolve(order, "retry", HoldKind.ENDED_ELSEWHERE)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (2300, 0)


@renewed_only
def test_refunded_there_it_is_seen_and_the_order_stays_completed(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1})
    assert shop.ends(order) == "completed"
    shop.sandbox.refund_elsewhere(intent(shop, order), 500)
    shop.reaches(order, status="completed", payment_status="partially_refunded")
    shop.happened(order, "refund_succeeded")
    assert money(shop, order) == (2300, 500)
    [refund] = shop.view(order)["payment"]["refunds"]
    assert (refund["amount"], refund["status"], refund["lines"]) == (500, "succeeded", [])


@renewed_only
@opens(HoldKind.CAPTURED_UNKNOWN)
def test_more_than_all_units_cost_reaches_a_person(shop: Shop) -> None:
    """Whatever the reason: here an authorization that we took for ended, and that somebody captured."""
    order, of = one_parcel(shop)
    with shop.database.sessions.begin() as tx:
        mine = (MoneyMove.order_id == order, MoneyMove.kind == "authorized")
        assert tx.scalar(select(func.count()).where(*mine)) == 1
        tx.execute(update(Payment).where(Payment.order_id == order).values(status="ended"))
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"})
    shop.warehouse(order).packs()
    shop.happened(order, "captured")
    shop.sandbox.capture_elsewhere(of)
    shop.until(lambda: shop.open_hold(order, HoldKind.CAPTURED_UNKNOWN), "a hold", order)
    shop.goes_by_itself(order)
    shop.sandbox.refund_elsewhere(of)
    shop.resolve(order, "skip", HoldKind.CAPTURED_UNKNOWN)
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (4600, 2300)
