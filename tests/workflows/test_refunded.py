"""Money that is asked back: in the web UI while the order goes on, over HTTP also after its end; once, and never more
than was taken."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from tests.fixtures_shop import renewed_only
from tests.shop import Shop
from tests.workflows import stories

pytestmark = pytest.mark.usefixtures("sound")


def refunds(shop: Shop, order: str) -> list[tuple[int, str, list[dict[str, int]]]]:
    return [(each["amount"], each["status"], each["lines"]) for each in shop.view(order)["payment"]["refunds"]]


def ask(shop: Shop, order: str, **body: Any) -> None:
    shop.api.post(f"/v1/orders/{order}/refunds", json=body).raise_for_status()


@renewed_only
def test_a_closed_order_gives_a_unit_back_and_stays_closed(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=2): 2})
    assert shop.ends(order) == "completed"
    ask(shop, order, lines=[{"line": 1, "quantity": 1}], cause="damaged")
    shop.happened(order, "refund_succeeded")
    stories.customer_hears(shop, order, "refunded", "refund 1")
    assert shop.ends(order) == "completed"
    [(amount, status, lines)] = refunds(shop, order)
    assert (status, lines) == ("succeeded", [{"line": 1, "quantity": 1}])
    shop.reaches(order, status="completed", payment_status="partially_refunded")
    ask(shop, order)
    shop.happened(order, "refund_succeeded", 2)
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["captured"], books["refunded"], books["refunds"]) == (4100, 4100, 2)
    assert amount < 4100
    shop.reaches(order, status="completed", payment_status="refunded")


def test_money_is_asked_back_in_the_web_ui_by_the_same_rules(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=2): 2}, by_hand=True)
    shop.happened(order, "requested")

    def send(**fields: Any) -> None:
        shop.call(shop.handle(order).execute_update("refund", {"by": "eve", "why": "by phone"} | fields))

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        send()
    assert "no money was taken" in str(refused.value.cause)
    stories.pack(shop, order)
    for wrong, words in (
        ({"amount": 4101}, "more than can be refunded: 4100"),
        ({"lines": [{"line": 1, "quantity": 3}]}, "not refunded: 2"),
        ({"lines": [{"line": 4}]}, "not one of this order"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            send(**wrong)
        assert words in str(refused.value.cause)
    assert refunds(shop, order) == []
    for _ in range(2):
        send(request_id="R-1", amount=100)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        send(request_id="R-1", amount=200)
    assert "used before" in str(refused.value.cause)
    shop.happened(order, "refund_succeeded")
    send(shipping=True)
    shop.happened(order, "refund_succeeded", 2)
    assert [amount for amount, _, _ in refunds(shop, order)] == [100, 500]
    shop.warehouse(order).hands_over()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    with pytest.raises(RPCError) as ended:  # a run that has ended hears nothing: the API starts it again
        send()
    assert ended.value.status == RPCStatusCode.NOT_FOUND
    ask(shop, order)
    shop.happened(order, "refund_succeeded", 3)
    assert shop.books(order)["refunded"] == shop.books(order)["captured"] == 4100
