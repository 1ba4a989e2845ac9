"""Walk 6 of docs/data.md: a refund and a dispute at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts import effects
from activities.facts.disputes import refund_waits
from activities.facts.refundable import refundable
from activities.facts.statuses import conclude
from activities.ports import DisputeMove, DisputeStatus, RefundStatus
from activities.views.snapshot import snapshot
from infra.database.tables import Event, Hold, Order, Refund
from infra.hold_kinds import HoldKind
from infra.words import EventType
from tests.activities.disputes import (
    ANSWERED,
    ASKED,
    CREATED,
    HELD,
    LOST,
    ORDER,
    REINSTATED,
    START,
    TAKEN,
    TAKEN_AFTER_ASKING,
    TWICE,
    WITHDRAWN,
    news,
    on_its_way,
    refund,
    report,
    state,
)
from tests.fixtures_database import Database

pytestmark = pytest.mark.both_databases


def running(tx: Session) -> dict[str, RefundStatus]:
    """Refunds that the order's run looks after."""
    order = snapshot(tx, ORDER).order
    assert order
    return order.refunds


def test_a_refund_that_was_only_asked_waits_and_goes_on_when_it_is_won(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        assert list(running(tx)) == [r1.refund_id]
        report(tx, WITHDRAWN)
        assert running(tx) == {}
        assert refund_waits(tx, r1)
        report(tx, REINSTATED, 1)
        assert running(tx) == {r1.refund_id: RefundStatus.ASKED}


def test_a_refund_that_was_only_asked_is_given_up_when_it_is_lost(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        report(tx, WITHDRAWN)
        report(tx, LOST, 1)
        assert running(tx) == {}
        tx.refresh(r1)
        assert r1.status == RefundStatus.GIVEN_UP
        assert state(tx).holds == []


def test_a_refund_in_doubt_is_looked_up_first(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        effects.begin(tx, ORDER, "refund:r1", intent="pi_1", amount=1000)
    with paid.sessions.begin() as tx:
        r1 = tx.merge(r1)
        report(tx, WITHDRAWN)
        assert list(running(tx)) == [r1.refund_id]
        report(tx, LOST, 1)
        assert list(running(tx)) == [r1.refund_id]
        on_its_way(tx, r1)
        assert state(tx).holds == [TWICE]


def test_only_so_many_are_given_up_as_the_bank_has_given(paid: Database) -> None:
    less = news(DisputeStatus.LOST, DisputeMove(reference="txn_1", amount=-3100), amount=3100)
    with paid.sessions.begin() as tx:
        r1, r2 = refund(tx), refund(tx)
        for _ in range(2):
            report(tx, less)
        statuses = dict(tx.execute(select(Refund.refund_id, Refund.status)).all())
        assert statuses == {r1.refund_id: RefundStatus.ASKED, r2.refund_id: RefundStatus.GIVEN_UP}
        again = less.model_copy(update={"moves": (*less.moves, DisputeMove(reference="txn_5", amount=1))})
        report(tx, again)
        assert tx.get_one(Refund, r1.refund_id, populate_existing=True).status == RefundStatus.ASKED


def test_refunds_are_open_to_an_inquiry(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        report(tx, ASKED)
        assert list(running(tx)) == [r1.refund_id]
        assert state(tx).holds == [HELD]
        assert refundable(tx, tx.get_one(Order, ORDER)).amount == TAKEN - 1000


def test_an_inquiry_that_was_answered_is_held_again_when_the_bank_takes_the_money(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        report(tx, ASKED)
        [hold] = tx.scalars(select(Hold.hold_id))
        facts.holds.closed(tx, hold, START, by="ann", why="answered")
        assert state(tx).holds == []
        report(tx, TAKEN_AFTER_ASKING, 1)
        assert state(tx).holds == [HELD]


def test_it_is_told_again_before_the_evidence_is_due(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        report(tx, CREATED)
    for days, reminded in ((7, 0), (8, 1), (9, 1)):
        with paid.sessions.begin() as tx:
            facts.passing.passed(tx, ORDER, START + timedelta(days=days))
        with paid.sessions() as tx:
            assert len(tx.scalars(select(Event).where(Event.type == EventType.HOLD_REMINDED)).all()) == reminded


def test_what_somebody_has_answered_is_not_told_again(paid: Database) -> None:
    answered: list[Callable[[Session], object]] = [
        lambda tx: report(tx, ANSWERED, 1),
        lambda tx: facts.holds.closed(tx, f"{ORDER}-h1", START, by="ann", why="answered"),
        lambda tx: report(tx, LOST, 1),
    ]
    for answer in answered:
        with paid.sessions() as tx:
            report(tx, CREATED)
            tx.flush()
            answer(tx)
            facts.passing.passed(tx, ORDER, START + timedelta(days=9))
            conclude(tx)
            assert not tx.scalars(select(Event).where(Event.type == EventType.HOLD_REMINDED)).all()
            tx.rollback()


def test_the_kinds_of_holds_are_about_what_they_say(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        on_its_way(tx, refund(tx))
        report(tx, CREATED)
        report(tx, LOST)
        subjects = {hold.kind: (hold.subject_kind, hold.subject_id) for hold in tx.scalars(select(Hold))}
        assert subjects == {
            HoldKind.DISPUTE: ("dispute", "dp_1"),
            HoldKind.PAID_BACK_TWICE: ("payment", f"{ORDER}/1"),
        }
