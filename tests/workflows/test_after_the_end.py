"""A deadline that outlives its order starts the order's run again."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines, passing
from activities.facts.journal import locked_order, note, nudge_about
from activities.models import Subject
from infra.clock import wall_clock
from infra.database.tables import Deadline, Order, Relay
from infra.words import DeadlineKind, EventType
from tests.shop import Shop
from tests.workflows import stories

KIND = DeadlineKind.HOLD_FORGOTTEN
"""Any kind: here it acts after the end, as none of ours does yet."""


def acted(tx: Session, order: Order, _: str, at: datetime) -> None:
    note(tx, order, EventType.HOLD_REMINDED, at)


def test_a_deadline_after_the_end_starts_the_run_again_once(plain_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = plain_shop
    monkeypatch.setitem(DECLARED, KIND, DECLARED[KIND]._replace(after_the_end=True))
    monkeypatch.setitem(passing.ACTS, KIND, acted)
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.happened(order, "requested")
    tomorrow = wall_clock() + timedelta(days=1)
    with shop.database.sessions.begin() as tx:
        about = Subject("order", order)
        deadlines.begin(tx, locked_order(tx, order), KIND, about, tomorrow)
    stories.pack(shop, order)
    stories.deliver(shop, order)
    assert shop.ends(order) == "completed"
    assert (due(shop, order), "hold_reminded" in shop.timeline(order)) == ([deadlines.whole_seconds(tomorrow)], False)
    with shop.database.sessions.begin() as tx:  # a day passes for it
        yesterday = wall_clock() - timedelta(minutes=1)
        tx.execute(update(Deadline).where(Deadline.order_id == order, Deadline.done_at.is_(None)).values(at=yesterday))
        tx.execute(update(Relay).where(*waiting(order)).values(due_at=yesterday))
    shop.product(OAK=1)  # wakes the relay
    shop.happened(order, "hold_reminded")
    shop.until(lambda: not due(shop, order), "the relay's row to be read", order)
    assert shop.ends(order) == "completed"
    assert shop.timeline(order).count("hold_reminded") == 1


def test_a_run_that_is_started_before_its_time_is_started_again(
    plain_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay goes by its own clock, which may be ahead of the engine's."""
    shop = plain_shop
    monkeypatch.setitem(DECLARED, KIND, DECLARED[KIND]._replace(after_the_end=True))
    order = shop.place({shop.product(OAK=1): 1})
    tomorrow = deadlines.whole_seconds(wall_clock() + timedelta(days=1))
    with shop.database.sessions.begin() as tx:
        deadlines.begin(tx, locked_order(tx, order), KIND, Subject("order", order), tomorrow)
    assert shop.ends(order) == "completed"
    with shop.database.sessions.begin() as tx:
        early = wall_clock() - timedelta(minutes=1)
        [row] = tx.scalars(update(Relay).where(*waiting(order)).values(due_at=early).returning(Relay.relay_id))
    shop.product(OAK=1)  # wakes the relay
    shop.until(lambda: row not in relayed(shop, order) and due(shop, order) == [tomorrow], "another start", order)


def test_a_deadline_of_a_closed_order_whose_run_goes_on_is_not_missed(
    plain_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run keeps no alarm for what is left for after its end, and a start says nothing to a run that is there."""
    shop = plain_shop
    monkeypatch.setitem(DECLARED, KIND, DECLARED[KIND]._replace(after_the_end=True))
    monkeypatch.setitem(passing.ACTS, KIND, acted)
    order = shop.place({shop.product(OAK=1): 1}, card="pm_card_pendingRefund", notify=[])
    assert shop.ends(order) == "completed"
    shop.sandbox.pace(None, order)
    shop.api.post(f"/v1/orders/{order}/refunds", json={"amount": 100}).raise_for_status()
    shop.happened(order, "refund_pending")
    with shop.database.sessions.begin() as tx:
        begun = deadlines.whole_seconds(wall_clock()) - timedelta(minutes=1)
        deadlines.begin(tx, locked_order(tx, order), KIND, Subject("order", order), begun)
        nudge_about(tx, [Subject("order", order)], "deadline")
    shop.product(OAK=1)  # wakes the relay
    shop.happened(order, "hold_reminded", timeout=10)
    shop.until(lambda: not relayed(shop, order), "the relay's row to be read", order)
    [refund] = shop.view(order)["payment"]["refunds"]
    assert refund["status"] == "pending", "its run has not ended"
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"


def relayed(shop: Shop, order: str) -> list[int]:
    with shop.database.sessions() as tx:
        return list(tx.scalars(select(Relay.relay_id).where(*waiting(order))))


def waiting(order: str) -> tuple[ColumnElement[bool], ...]:
    return Relay.subject_id == order, Relay.kind == "deadline", Relay.done_at.is_(None)


def due(shop: Shop, order: str) -> list[datetime]:
    with shop.database.sessions() as tx:
        return list(tx.scalars(select(Relay.due_at).where(*waiting(order))))
