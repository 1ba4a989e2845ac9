"""A step that goes well and changes nothing is not repeated without pause, and not for ever in silence."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.service import RPCError

from activities.facts import money
from infra.hold_kinds import HoldKind
from tests.opening import opens
from tests.shop import Shop
from tests.workflows.test_paid import payment_intent


@opens(HoldKind.NO_PROGRESS)
def test_a_step_that_changes_nothing_is_repeated_ever_less_often_and_then_held(
    plain_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of the bank that we do not know: nothing is recorded, and the payment still waits to be authorized."""
    shop = plain_shop
    understood, answers = money.answered, []

    def unknown(*answer: Any, **_: Any) -> bool:
        answers.append(answer)
        return False

    monkeypatch.setattr(money, "answered", unknown)
    order = shop.place({shop.product(OAK=1): 1})
    hold = shop.until(lambda: shop.open_hold(order, HoldKind.NO_PROGRESS), "a hold", order)
    assert 3 <= len(answers) <= 5
    assert shop.view(order)["holds"][0] | {"opened_at": ""} == {
        "hold": hold,
        "kind": "no_progress",
        "reason": "no_progress",
        "subject_kind": "order",
        "subject_id": order,
        "order_id": order,
        "fulfillment_id": None,
        "code": "authorize_payment",
        "advice": HoldKind.NO_PROGRESS.advice,
        "actions": ["retry", "cancel"],
        "choices": dict(HoldKind.NO_PROGRESS.actions),
        "opened_at": "",
        "closed_at": None,
        "closed_by": None,
        "action": None,
        "why": None,
    }
    shop.resolve(order, "retry", HoldKind.NO_PROGRESS)
    shop.until(lambda: shop.open_hold(order, HoldKind.NO_PROGRESS) not in (None, hold), "another hold", order)
    assert len(answers) <= 6
    monkeypatch.setattr(money, "answered", understood)
    shop.pass_time(order, timedelta(minutes=6))
    assert shop.ends(order) == "completed"
    assert shop.open_hold(order) is None
    assert shop.books(order)["captures"] == 1


def test_money_that_somebody_took_before_the_order_heard_of_it_pays_its_goods(plain_shop: Shop) -> None:
    shop = plain_shop
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_authenticationRequired")
    shop.reaches(order, payment_status="action_required")
    intent = payment_intent(shop, order)
    shop.sandbox.webhooks_to(None)
    shop.sandbox.card(intent, "authenticate")
    shop.sandbox.capture_elsewhere(intent)
    shop.sandbox.webhooks_to(shop.settings.public_url)
    assert shop.ends(order) == "completed"
    shop.reaches(order, payment_status="captured")
    assert (shop.books(order)["captures"], shop.books(order)["captured"]) == (1, 2300)
    assert shop.view(order)["holds"] == []
    asked = [r for r in shop.sandbox.requests("stripe") if intent in r["path"]]
    assert len(asked) < 10, "the bank is not asked again and again"


def test_a_call_that_no_worker_took_up_for_as_long_as_the_patience_is_no_failure(plain_shop: Shop) -> None:
    shop = plain_shop
    shop.call(shop.end_work())
    shop.call(shop.begin_work(no_remote_activities=True))
    order = shop.place({shop.product(OAK=1): 1})
    shop.until(lambda: shop.call(timed_out(shop, order)), "the patience to end", order)
    shop.call(shop.end_work())
    shop.call(shop.begin_work())
    assert shop.ends(order) == "completed"
    assert "held" not in shop.timeline(order)


async def timed_out(shop: Shop, order: str) -> bool:
    try:
        events = (await shop.handle(order).fetch_history()).events
    except RPCError:  # not started yet
        return False
    return any(event.HasField("activity_task_timed_out_event_attributes") for event in events)
