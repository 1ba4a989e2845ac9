"""What people type in the web UI: meant as it is clearly meant, noted where it is not, refused in words; and marked as
come from there, under whatever name."""

from typing import Any

import pytest
from sqlalchemy import select
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue

from infra.database.tables import Event, Order
from tests.shop import Shop
from tests.workflows import stories

BY = "ann (web UI)"
MEANT: list[tuple[list[Any], str, str]] = [
    ([], "operator (web UI)", ""),
    ([None], "operator (web UI)", ""),
    (["please cancel"], "operator (web UI)", "please cancel"),
    ([{"by": None, "why": None}], "operator (web UI)", ""),
    ([{"by": "ann", "why": "customer called", "reason": "changed mind"}], BY, "customer called (changed mind)"),
]
NOT_MEANT: list[list[Any]] = [[{"fulfillment": "1"}], [False], [7], [["W-1", "W-2"]], [{"by": 5}], ["a", "b"]]


@pytest.mark.parametrize(("words", "by", "why"), MEANT, ids=str)
def test_what_clearly_means_cancel_cancels(plain_shop: Shop, words: list[Any], by: str, why: str) -> None:
    shop = plain_shop
    order = shop.place({shop.product(): 1})
    shop.happened(order, "backordered")
    shop.call(shop.handle(order).signal("cancel", args=words))
    assert shop.ends(order) == "cancelled"
    with shop.database.sessions() as tx:
        assert tx.get_one(Order, order).cancel_reason == "operator"
        decided = select(Event.data).where(Event.order_id == order, Event.type == "cancellation_accepted")
        assert tx.scalars(decided).one()["by"] == by
    assert "not_understood" not in shop.timeline(order)


def test_what_is_not_understood_is_noted_and_does_nothing(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(): 1})
    stories.customer_hears(shop, order, "backordered")

    async def send() -> None:
        handle = shop.handle(order)
        for words in NOT_MEANT:
            await handle.signal("cancel", args=words)
        await handle.signal("stop\u202e", "now!\x1b[2J\n" + "x" * 5000)
        for ours in ("news", "restocked", "message"):
            await handle.signal(ours, args=["and", {"more": 1}])

    shop.call(send())
    shop.happened(order, "not_understood", len(NOT_MEANT) + 1)
    with shop.database.sessions() as tx:
        rows = select(Event.data).where(Event.order_id == order, Event.type == "not_understood")
        noted = list(tx.scalars(rows.order_by(Event.event_no)))
    assert [each["signal"] for each in noted] == ["cancel"] * len(NOT_MEANT) + ["stop"]
    assert noted[0]["words"] == '{"fulfillment": "1"}'
    assert "now!" in noted[-1]["words"]
    assert all(each["words"].isprintable() and len(each["words"]) <= 100 for each in noted)
    assert shop.view(order)["status"] == "processing"
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"


REFUSED: list[tuple[str, list[Any], str]] = [
    ("resolve", [], "send one JSON object"),
    ("resolve", ["W-1-h1"], "send one JSON object"),
    ("resolve", [{"hold": "h"}, {"action": "retry"}], "send one JSON object"),
    ("resolve", [{"hold": "h", "action": "retry", "by": "eve"}], "why is missing: for what reason"),
    ("resolve", [{"hold": "h", "action": "retry", "by": None, "why": "x"}], "by is missing: who decides"),
    ("resolve", [{"hold": "h", "action": "retry", "by": 7, "why": "x"}], "by must be text"),
    ("resolve", [{"hold": "h", "action": "$ecret", "by": "eve", "why": "x"}], "must be retry, skip, done, cancel"),
    ("resolve", [{"hold": "$ecret", "action": "retry", "by": "eve", "why": "x"}], "open holds: none"),
    ("resolve", [{"$ecret": 1, "by": "eve", "why": "x"}], "known are hold, action, by, why"),
    ("hold", ["stop"], "send one JSON object"),
    ("hold", [{"by": "eve", "why": " \u202e "}], "why is missing"),
    ("hold", [{"by": "eve", "why": "x", "fulfillment": "$ecret"}], "one of this order's, or left out"),
    ("refund", ["all"], "by is missing"),
    ("refund", [{"amount": 100, "why": "x"}], "by is missing"),
    ("refund", [{"amount": "$ecret", "by": "eve", "why": "x"}], "amount must be a whole number"),
    ("refund", [{"amount": True, "by": "eve", "why": "x"}], "amount must be a whole number"),
    ("refund", [{"amount": 1, "shipping": True, "by": "eve", "why": "x"}], "give one of lines, amount and shipping"),
    ("refund", [{"lines": [], "by": "eve", "why": "x"}], "with at least one"),
    ("refund", [{"lines": [{"line": "$ecret"}], "by": "eve", "why": "x"}], "lines[0] must be"),
    ("refund", [{"shipping": "$ecret", "by": "eve", "why": "x"}], "shipping must be true"),
    ("refund", [{"$ecret": 1, "by": "eve", "why": "x"}], "known are by, why, request_id"),
    ("stop", [{"by": "eve", "why": "$ecret"}], "there is no such update: send resolve"),
]


def test_what_is_no_json_is_noted_or_refused_in_our_words(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(): 1})
    stories.customer_hears(shop, order, "backordered")
    torn = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{please"))

    async def send() -> None:
        handle = shop.handle(order)
        for name in ("cancel", "news", "stop"):
            await handle.signal(name, torn)
        for name in ("hold", "resolve", "stop"):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(name, torn)
            assert "send" in str(refused.value.cause), name

    shop.call(send())
    shop.happened(order, "not_understood", 2)
    with shop.database.sessions() as tx:
        rows = select(Event.data).where(Event.order_id == order, Event.type == "not_understood")
        noted = list(tx.scalars(rows.order_by(Event.event_no)))
    assert noted == [{"signal": signal, "words": "{please"} for signal in ("cancel", "stop")]
    assert shop.view(order)["status"] == "processing"
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"


def test_an_update_is_refused_in_words_that_do_not_repeat_what_was_typed(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(): 1})
    shop.happened(order, "backordered")
    for name, words, refusal in REFUSED:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            shop.call(shop.handle(order).execute_update(name, args=words))
        assert refusal in str(refused.value.cause), (name, words)
        assert "$ecret" not in str(refused.value.cause)
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"


def test_who_decides_in_the_web_ui_is_marked_as_such(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(): 1})
    shop.happened(order, "backordered")
    shop.call(shop.handle(order).execute_update("hold", {"by": "key:storefront", "why": "looks odd"}))
    hold = shop.view(order)["holds"][0]
    assert hold["advice"] == "key:storefront (web UI): looks odd"
    decision = {"hold": hold["hold"], "action": "retry", "by": "x" * 500, "why": "is fine"}
    shop.call(shop.handle(order).execute_update("resolve", decision))
    closed_by = shop.view(order)["holds"][0]["closed_by"]
    assert closed_by.endswith("x (web UI)")
    assert len(closed_by) == 100
    shop.cancel(order)
    assert shop.ends(order) == "cancelled"
