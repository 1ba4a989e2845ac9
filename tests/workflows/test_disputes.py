"""The customer's bank asks the money back: what the order waits for, what becomes of refunds, and what stands in the
bank's books and ours."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from activities.views.check import breaches
from infra.database.tables import Effect
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.opening import opens
from tests.shop import Shop
from tests.workflows.stories import pack
from tests.workflows.test_money_elsewhere import intent


def completed(shop: Shop) -> tuple[str, str]:
    order = shop.place({shop.product(OAK=1): 1})
    assert shop.ends(order) == "completed"
    return order, intent(shop, order)


def paid_and_called_off(shop: Shop) -> tuple[str, str]:
    """2300 taken; the warehouse is asked to stop it."""
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    pack(shop, order)
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    return order, intent(shop, order)


def money(shop: Shop, order: str) -> tuple[int, int, int]:
    """Taken, given back, disputed and not returned: as the bank has it, and as we do."""
    books, ours = shop.books(order), shop.view(order)["payment"]
    disputed = books.get("disputed", 0) - books.get("dispute_returned", 0)
    theirs = books.get("captured", 0), books.get("refunded", 0), disputed
    assert theirs == (ours["captured"], ours["refunded"], ours["disputed"])
    with shop.database.sessions() as tx:
        assert [each for each in breaches(tx) if order in each.ids.values()] == []
    return theirs


def dispute_status(shop: Shop, order: str) -> str | None:
    found = shop.view(order)["payment"]["disputes"]
    return str(found[0]["status"]) if found else None


def becomes(shop: Shop, order: str, status: str) -> None:
    shop.until(lambda: dispute_status(shop, order) == status, f"a dispute {status}", order)


@renewed_only
@opens(HoldKind.PAID_BACK_TWICE)
def test_lost_after_a_refund_a_person_hears_that_we_paid_twice(shop: Shop) -> None:
    order, of = completed(shop)
    shop.sandbox.refund_elsewhere(of, 500)
    shop.happened(order, "refund_succeeded")
    dispute = shop.sandbox.dispute(of, 2300)["id"]
    shop.reaches(order, status="completed", payment_status="disputed")
    shop.until(lambda: shop.open_hold(order, HoldKind.DISPUTE), "a hold", order)
    shop.sandbox.move_dispute(dispute, "lost")
    shop.until(lambda: shop.open_hold(order, HoldKind.PAID_BACK_TWICE), "a hold", order)
    assert shop.open_hold(order, HoldKind.DISPUTE) is None
    assert money(shop, order) == (2300, 500, 2300)
    shop.sandbox.move_dispute(dispute, "returned", 500)
    shop.until(lambda: shop.open_hold(order) is None, "no hold", order)
    assert money(shop, order) == (2300, 500, 1800)
    shop.reaches(order, status="completed", payment_status="partially_refunded")
    assert shop.ends(order) == "completed"


@renewed_only
@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_refund_waits_for_the_bank_which_we_may_not_have_heard_of(shop: Shop, end: str) -> None:
    """The provider refuses it as disputed before any news has come."""
    order, of = paid_and_called_off(shop)
    shop.sandbox.keep_events(of)
    dispute = shop.sandbox.dispute(of)["id"]
    shop.warehouse(order).stops()
    becomes(shop, order, "open")
    assert [refund["status"] for refund in shop.view(order)["payment"]["refunds"]] == ["asked"]
    assert shop.open_hold(order) == shop.open_hold(order, HoldKind.DISPUTE) is not None
    with shop.database.sessions() as tx:
        mine = (Effect.order_id == order, Effect.step == "refund:r1")
        assert list(tx.scalars(select(Effect.outcome).where(*mine))) == ["charge_disputed"]
    shop.sandbox.release_events(of)
    shop.sandbox.move_dispute(dispute, end)  # type: ignore[arg-type]
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    refunds = [refund["status"] for refund in shop.view(order)["payment"]["refunds"]]
    assert refunds == (["succeeded"] if end == "won" else ["given_up"])
    assert money(shop, order) == ((2300, 2300, 0) if end == "won" else (2300, 0, 2300))
    assert shop.open_hold(order) is None


@renewed_only
def test_what_is_cancelled_while_it_is_disputed_goes_back_when_that_is_won(shop: Shop) -> None:
    order, of = paid_and_called_off(shop)
    dispute = shop.sandbox.dispute(of)["id"]
    becomes(shop, order, "open")
    shop.warehouse(order).stops()
    shop.happened(order, "fulfillment_cancelled")
    assert shop.view(order)["payment"]["refunds"] == [], "nothing is there to be given back"
    shop.sandbox.move_dispute(dispute, "won")
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    assert money(shop, order) == (2300, 2300, 0)
    shop.reaches(order, payment_status="refunded")


@renewed_only
def test_a_refund_may_end_an_inquiry(shop: Shop) -> None:
    order, of = paid_and_called_off(shop)
    dispute = shop.sandbox.dispute(of, inquiry=True)["id"]
    becomes(shop, order, "inquiry")
    shop.warehouse(order).stops()
    shop.happened(order, "refund_pending")
    shop.sandbox.move_dispute(dispute, "warning_closed")
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
    assert money(shop, order) == (2300, 2300, 0)


ORDERS = [
    ("closed", "funds_reinstated", "created", "funds_withdrawn"),
    ("funds_reinstated", "funds_withdrawn", "closed", "created"),
    ("funds_withdrawn", "created", "created", "funds_reinstated", "closed", "closed"),
]


@renewed_only
@pytest.mark.parametrize("types", ORDERS, ids=" ".join)
def test_its_news_comes_in_another_order_and_twice(shop: Shop, types: Sequence[str]) -> None:
    order, of = completed(shop)
    shop.sandbox.keep_events(of)
    dispute = shop.sandbox.dispute(of)["id"]
    shop.sandbox.move_dispute(dispute, "won")
    shop.sandbox.send_events(of, *(f"charge.dispute.{type}" for type in types))
    becomes(shop, order, "won")
    shop.sandbox.webhooks_taken(shop.settings.public_url)
    shop.sandbox.release_events(of)
    shop.reaches(order, status="completed", payment_status="captured")
    assert money(shop, order) == (2300, 0, 0)
    assert shop.open_hold(order) is None
    assert shop.ends(order) == "completed"


@renewed_only
def test_a_card_whose_charges_are_disputed_at_once(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_createDispute")
    shop.until(lambda: shop.open_hold(order, HoldKind.DISPUTE), "a hold", order)
    becomes(shop, order, "open")
    shop.happened(order, "delivered", 1, 60)
    shop.reaches(order, status="on_hold", payment_status="disputed")
    [dispute] = shop.view(order)["payment"]["disputes"]
    shop.sandbox.move_dispute(dispute["dispute_id"], "lost")
    assert shop.ends(order) == "completed"
    assert money(shop, order) == (2300, 0, 2300)
