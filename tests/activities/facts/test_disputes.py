"""Walk 6 of docs/data.md: a payment is disputed that was refunded in part, or is just being refunded."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from activities import facts
from activities.facts.disputed import Disputed, disputed
from activities.facts.refundable import refundable
from activities.ports import Dispute, DisputeMove, DisputeStatus, RefundStatus
from activities.views.check import breaches
from infra.database.tables import Deadline, Event, Hold, Order
from tests.activities import orders
from tests.activities.disputes import (
    ANSWERED,
    CREATED,
    DUE,
    GAVE_PART,
    HELD,
    LOST,
    ORDER,
    PART,
    PARTLY_BACK,
    REINSTATED,
    START,
    TAKEN,
    TAKES,
    TOOK,
    TWICE,
    WITHDRAWN,
    Figures,
    State,
    news,
    on_its_way,
    refund,
    report,
    state,
)
from tests.fixtures_database import Database
from tests.starter import stages

pytestmark = pytest.mark.both_databases


def test_row_by_row(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        on_its_way(tx, refund(tx))
        assert report(tx, CREATED)
        open_now = State("open", "disputed", Figures(TAKEN, 1000, TAKEN, 0), [], [HELD], 1)
        assert state(tx) == open_now
        assert report(tx, WITHDRAWN)
        assert state(tx) == open_now._replace(moves=[TOOK])
        assert report(tx, ANSWERED, 1)
        assert state(tx) == open_now._replace(moves=[TOOK], due=0)
        assert report(tx, LOST, 2)
        lost = State("lost", "partially_refunded", Figures(TAKEN, 1000, TAKEN, 0), [TOOK], [TWICE], 0)
        assert state(tx) == lost
        assert report(tx, PARTLY_BACK, 3)
        back = Figures(TAKEN, 1000, TAKEN - 1000, 0)
        assert state(tx) == lost._replace(figures=back, moves=[TOOK, GAVE_PART], holds=[])
    with paid.sessions() as tx:
        assert [*breaches(tx)] == []
        types = [each for each in tx.scalars(select(Event.type).order_by(Event.sequence)) if each.startswith("dispute")]
        assert types == [
            *("dispute_opened", "dispute_withdrawn", "dispute_changed", "dispute_closed", "dispute_returned"),
        ]


def test_the_hold_says_what_is_disputed_and_until_when(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        report(tx, CREATED)
        [hold] = tx.scalars(select(Hold))
        for word in (f"{TAKEN} usd", "fraudulent", DUE.isoformat(timespec="minutes")):
            assert word in hold.advice
        less = CREATED.model_copy(update={"amount": 3000, "due_by": DUE + timedelta(days=1)})
        assert report(tx, less, 1)
        assert not report(tx, CREATED, 0), "it is older"
        assert "3000 usd" in hold.advice
        [deadline] = tx.scalars(select(Deadline).where(Deadline.kind == "dispute_due"))
        assert deadline.at == DUE - timedelta(days=1)


def test_when_the_refund_fails_after_it_was_lost_nothing_is_owed(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        on_its_way(tx, r1)
        report(tx, LOST)
        assert state(tx).holds == [TWICE]
        assert facts.refunds.seen(tx, r1, RefundStatus.FAILED, START)
        assert state(tx).holds == []
        assert state(tx).figures == Figures(TAKEN, 0, TAKEN, 0)
        tx.refresh(r1)
        assert r1.status == RefundStatus.GIVEN_UP
        assert not facts.refunds.seen(tx, r1, RefundStatus.FAILED, START)


def test_when_the_refund_failed_before_it_was_lost_its_hold_closes(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        on_its_way(tx, r1)
        report(tx, WITHDRAWN)
        assert facts.refunds.seen(tx, r1, RefundStatus.FAILED, START)
        assert [kind for kind, _ in state(tx).holds] == ["dispute", "refund_failed"]
        report(tx, LOST, 1)
        assert state(tx).holds == []
        tx.refresh(r1)
        assert r1.status == RefundStatus.GIVEN_UP


def test_before_our_own_record_of_the_capture_stands(database: Database) -> None:
    """The card whose charges are disputed at once, and a capture whose answer was lost."""
    orders.placed(database, ORDER, 2, in_stock=2)
    stages.authorized(database, ORDER)
    orders.packed(database, ORDER)
    with database.sessions.begin() as tx:
        assert report(tx, WITHDRAWN)
        assert state(tx).figures == Figures(0, 0, TAKEN, 0)
    stages.captured(database, ORDER)
    with database.sessions.begin() as tx:
        assert state(tx).figures == Figures(TAKEN, 0, TAKEN, 0)
        assert report(tx, REINSTATED)
        assert state(tx).figures == Figures(TAKEN, 0, 0, TAKEN)


def test_a_bank_may_give_back_a_part_of_what_it_took(paid: Database) -> None:
    part = news(DisputeStatus.WON, TAKES, PART)
    with paid.sessions.begin() as tx:
        report(tx, part)
        assert state(tx).figures == Figures(TAKEN, 0, TAKEN - 1000, 1000)


def test_of_two_disputes_of_one_payment_each_counts(paid: Database) -> None:
    second = Dispute(
        dispute_id="dp_2", intent_id="pi_1", amount=500, reason="duplicate", status=DisputeStatus.OPEN, moves=()
    )
    first = news(DisputeStatus.LOST, DisputeMove(reference="txn_9", amount=-1000), amount=1000)
    with paid.sessions.begin() as tx:
        report(tx, first)
        report(tx, second)
        assert list(disputed(tx, ORDER).values()) == [Disputed(1500, 1000, is_open=True, is_lost=True)]
        assert refundable(tx, tx.get_one(Order, ORDER)).amount == TAKEN - 1500
