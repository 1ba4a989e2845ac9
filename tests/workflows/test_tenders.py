"""Two tenders pay one order (walk 8 of docs/data.md), against the real engine and the sandbox's books: a voucher that
was sold elsewhere, and a card or a payment intent with the rest."""

from typing import Any

import pytest

from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.shop import Shop
from tests.workflows import stories
from tests.workflows.test_lines_cancelled import cancel, subject

pytestmark = [renewed_only, pytest.mark.usefixtures("sound")]
VOUCHER = {"method": "external", "reference": "voucher 17"}
UNIT, TOTAL = 2050, 4100
"""18.00, and half of what shipping costs; both."""


def placed(shop: Shop, amount: int, *skus: str, card: str = "pm_card_visa") -> str:
    payments = [VOUCHER | {"amount": amount}, {"method": "card", "payment_method": card}]
    return shop.place(dict.fromkeys(skus, 1), payments=payments, by_hand=True)


def tenders(shop: Shop, order: str) -> list[tuple[int, int, int]]:
    """Captured, refunded, still to come."""
    found = shop.view(order)["payment"]["tenders"]
    return [(each["captured"], each["refunded"], each["to_come"]) for each in found]


def refunds(shop: Shop, order: str) -> list[tuple[int, str]]:
    return [(each["amount"], each["status"]) for each in shop.view(order)["payment"]["refunds"]]


def money(shop: Shop, order: str) -> dict[str, int]:
    names = ("authorizations", "captured", "refunded", "voids")
    return {name: n for name, n in shop.books(order).items() if name in names}


def sent(shop: Shop, order: str) -> None:
    stories.pack(shop, order)
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"


def test_a_line_is_cancelled_and_then_all_is_given_back_in_reverse(shop: Shop) -> None:
    order = placed(shop, 1500, shop.product(OAK=1), shop.product())
    stories.customer_hears(shop, order, "backordered")
    assert tenders(shop, order) == [(1500, 0, 0), (0, 0, TOTAL - 1500)]
    cancel(shop, order, (2, 1))
    shop.happened(order, "units_cancelled")
    assert (tenders(shop, order)[1], refunds(shop, order)) == ((0, 0, UNIT - 1500), []), "the last is lowered first"
    sent(shop, order)
    assert money(shop, order) == {"authorizations": 1, "captured": UNIT - 1500}
    shop.api.post(f"/v1/orders/{order}/refunds", json={}).raise_for_status()
    shop.resolve(order, "done", HoldKind.EXTERNAL_REFUND)
    shop.reaches(order, status="completed", payment_status="refunded")
    assert refunds(shop, order) == [(UNIT - 1500, "succeeded"), (1500, "succeeded")]
    assert money(shop, order)["refunded"] == UNIT - 1500
    assert tenders(shop, order) == [(1500, 1500, 0), (UNIT - 1500, UNIT - 1500, 0)]


def test_what_the_voucher_paid_for_a_cancelled_unit_pays_for_the_other_and_the_card_nothing(shop: Shop) -> None:
    order = placed(shop, 3000, shop.product(), shop.product(OAK=1))
    stories.customer_hears(shop, order, "backordered")
    cancel(shop, order, (1, 1))
    shop.happened(order, "units_cancelled")
    stories.customer_hears(shop, order, "partly_cancelled", subject(shop, order))
    assert "voucher 17" in str(shop.sandbox.ask("/mailbox", order_id=order))
    shop.resolve(order, "done", HoldKind.EXTERNAL_REFUND)
    shop.happened(order, "refund_succeeded")
    sent(shop, order)
    assert refunds(shop, order) == [(3000 - UNIT, "succeeded")]
    assert tenders(shop, order) == [(3000, 3000 - UNIT, 0), (0, 0, 0)]
    assert money(shop, order) == {"authorizations": 1, "voids": 1}
    shop.reaches(order, payment_status="partially_refunded")


def test_cancelled_before_anything_was_sent_the_card_is_let_go_and_the_voucher_owed(shop: Shop) -> None:
    order = placed(shop, 1500, shop.product(OAK=1), shop.product(OAK=1))
    shop.happened(order, "requested")
    shop.cancel(order)
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.until(lambda: money(shop, order).get("voids"), "the card to be let go", order)
    shop.until(lambda: shop.open_hold(order, HoldKind.EXTERNAL_REFUND), "the voucher to be owed", order)
    shop.reaches(order, status="cancelling")
    shop.resolve(order, "skip", HoldKind.EXTERNAL_REFUND)
    assert shop.ends(order) == "cancelled"
    assert refunds(shop, order) == [(1500, "given_up")]
    assert tenders(shop, order) == [(1500, 0, 0), (0, 0, 0)]


def test_a_declined_card_waits_for_another_though_the_voucher_was_taken(shop: Shop) -> None:
    order = placed(shop, 1500, shop.product(OAK=2), card="pm_card_chargeDeclined")
    shop.reaches(order, status="placed", payment_status="declined")
    stories.customer_hears(shop, order, "payment_problem", "payment 1")
    shop.api.post(f"/v1/orders/{order}/payment-method", json={"payment_method": "pm_card_visa"}).raise_for_status()
    shop.happened(order, "requested")
    sent(shop, order)
    assert tenders(shop, order) == [(1500, 0, 0), (2300 - 1500, 0, 0)]
    assert money(shop, order)["captured"] == 2300 - 1500


def test_an_intent_of_the_shops_own_page_pays_what_the_voucher_leaves(shop: Shop) -> None:
    sku, made = shop.product(OAK=1), shop.sandbox.check_out(2300 - 1500)
    intent: dict[str, Any] = {"method": "payment_intent", "reference": made["id"]}
    wrong = shop.place({sku: 1}, payments=[VOUCHER | {"amount": 1000}, intent], by_hand=True)
    shop.reaches(wrong, payment_status="declined")
    [tried] = shop.view(wrong)["payment"]["authorizations"]
    assert tried["problem"]["field"] == "payments[1].amount"
    order = shop.place({sku: 1}, payments=[VOUCHER | {"amount": 1500}, intent], by_hand=True)
    shop.happened(order, "requested")
    sent(shop, order)
    assert shop.outside.payments.intent(made["id"]).captured == 2300 - 1500
    assert shop.view(order)["payment"]["method"] is None
