"""Walk 6 of docs/data.md: a payment is disputed that was refunded in part, or is just being refunded. News comes in any
order, twice, late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import NamedTuple

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts import effects
from activities.facts.disputed import Disputed, disputed
from activities.facts.disputes import refund_waits
from activities.facts.journal import locked_order
from activities.facts.refundable import Part, refundable
from activities.facts.statuses import conclude
from activities.ports import Dispute, DisputeMove, DisputeStatus, RefundStatus
from activities.ports import Refund as ProviderRefund
from activities.views import order as view
from activities.views.snapshot import snapshot
from infra.database.tables import Charge, Deadline, Event, Hold, MoneyMove, Order, Payment, Refund
from infra.hold_kinds import HoldKind
from infra.words import EventType
from tests.activities import orders
from tests.fixtures_database import Database
from tests.invariants import broken
from tests.starter import stages

pytestmark = pytest.mark.both_databases

ORDER, TAKEN = "W-1", 4100
"""Two mugs and their shipping."""
START = datetime.now(UTC).replace(microsecond=0)
DUE = START + timedelta(days=10)
TAKES, RETURNS = DisputeMove(reference="txn_1", amount=-TAKEN), DisputeMove(reference="txn_2", amount=TAKEN)
PART = DisputeMove(reference="txn_3", amount=1000)


def news(status: DisputeStatus, *moves: DisputeMove, answered: bool = False, amount: int = TAKEN) -> Dispute:
    known = {"dispute_id": "dp_1", "intent_id": "pi_1", "amount": amount, "reason": "fraudulent", "due_by": DUE}
    return Dispute(**known, status=status, answered=answered, moves=moves)


CREATED, WITHDRAWN = news(DisputeStatus.OPEN), news(DisputeStatus.OPEN, TAKES)
ANSWERED = news(DisputeStatus.OPEN, TAKES, answered=True)
LOST, PARTLY_BACK = (
    news(DisputeStatus.LOST, TAKES, answered=True),
    news(DisputeStatus.LOST, TAKES, PART, answered=True),
)
WON, REINSTATED = (
    news(DisputeStatus.WON, TAKES, answered=True),
    news(DisputeStatus.WON, TAKES, RETURNS, answered=True),
)
ASKED, TAKEN_AFTER_ASKING = news(DisputeStatus.INQUIRY), news(DisputeStatus.OPEN, TAKES)
LET_GO = news(DisputeStatus.WON)


@pytest.fixture
def paid(database: Database) -> Database:
    """Packed, and all of it captured."""
    orders.placed(database, ORDER, 2, in_stock=2)
    stages.authorized(database, ORDER)
    orders.packed(database, ORDER)
    stages.captured(database, ORDER)
    return database


def told(tx: Session, dispute: Dispute, later: int = 0) -> bool:
    [payment_id] = tx.scalars(select(Payment.payment_id))
    return facts.disputes.told(tx, payment_id, dispute, START + timedelta(hours=later))


def refund(tx: Session, amount: int = 1000) -> Refund:
    order, charge = locked_order(tx, ORDER), tx.scalars(select(Charge)).one()
    [payment_id] = tx.scalars(select(Payment.payment_id))
    [asked] = facts.refunds.asked(tx, order, [Part(charge, payment_id, amount, [])], START)
    return asked


def on_its_way(tx: Session, asked: Refund) -> None:
    made = ProviderRefund(refund_id=f"re_{asked.n}", amount=asked.amount, status=RefundStatus.SUCCEEDED)
    facts.refunds.pending(tx, asked.refund_id, made, START)


class Figures(NamedTuple):
    captured: int
    refunded: int
    disputed: int
    refundable: int


class State(NamedTuple):
    status: str
    payment_status: str
    figures: Figures
    moves: list[tuple[str, int]]
    holds: list[tuple[str, str]]
    due: int


def state(tx: Session) -> State:
    conclude(tx)
    tx.expire_all()
    order = tx.get_one(Order, ORDER)
    found = view.read(tx, order)
    kept = (MoneyMove.kind.in_(("disputed", "dispute_returned")), MoneyMove.order_id == ORDER)
    moves = tx.execute(select(MoneyMove.reference, MoneyMove.amount).where(*kept).order_by(MoneyMove.reference))
    holds = select(Hold.kind, Hold.code).where(Hold.closed_at.is_(None)).order_by(Hold.kind)
    [dispute] = found.payment.disputes
    counted = sum(each.counted for each in disputed(tx, ORDER).values())
    figures = Figures(found.payment.captured, found.payment.refunded, counted, refundable(tx, order).amount)
    return State(
        dispute.status,
        order.payment_status,
        figures,
        [(reference, amount) for reference, amount in moves],
        [(kind, code) for kind, code in tx.execute(holds)],
        len(tx.scalars(select(Deadline).where(Deadline.kind == "dispute_due", Deadline.done_at.is_(None))).all()),
    )


HELD = ("dispute", "fraudulent")
TWICE = ("paid_back_twice", "1000")
TOOK, GAVE, GAVE_PART = ("txn_1", TAKEN), ("txn_2", TAKEN), ("txn_3", 1000)


def test_row_by_row(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        on_its_way(tx, refund(tx))
        assert told(tx, CREATED)
        open_now = State("open", "disputed", Figures(TAKEN, 1000, TAKEN, 0), [], [HELD], 1)
        assert state(tx) == open_now
        assert told(tx, WITHDRAWN)
        assert state(tx) == open_now._replace(moves=[TOOK])
        assert told(tx, ANSWERED, 1)
        assert state(tx) == open_now._replace(moves=[TOOK], due=0)
        assert told(tx, LOST, 2)
        lost = State("lost", "partially_refunded", Figures(TAKEN, 1000, TAKEN, 0), [TOOK], [TWICE], 0)
        assert state(tx) == lost
        assert told(tx, PARTLY_BACK, 3)
        back = Figures(TAKEN, 1000, TAKEN - 1000, 0)
        assert state(tx) == lost._replace(figures=back, moves=[TOOK, GAVE_PART], holds=[])
    with paid.sessions() as tx:
        assert broken(tx) == []
        types = [each for each in tx.scalars(select(Event.type).order_by(Event.sequence)) if each.startswith("dispute")]
        assert types == [
            *("dispute_opened", "dispute_withdrawn", "dispute_changed", "dispute_closed", "dispute_returned"),
        ]


def test_the_hold_says_what_is_disputed_and_until_when(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        told(tx, CREATED)
        [hold] = tx.scalars(select(Hold))
        for word in (f"{TAKEN} usd", "fraudulent", DUE.isoformat(timespec="minutes")):
            assert word in hold.advice
        less = CREATED.model_copy(update={"amount": 3000, "due_by": DUE + timedelta(days=1)})
        assert told(tx, less, 1)
        assert not told(tx, CREATED, 0), "it is older"
        assert "3000 usd" in hold.advice
        [deadline] = tx.scalars(select(Deadline).where(Deadline.kind == "dispute_due"))
        assert deadline.at == DUE - timedelta(days=1)


def test_when_the_refund_fails_after_it_was_lost_nothing_is_owed(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        on_its_way(tx, r1)
        told(tx, LOST)
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
        told(tx, WITHDRAWN)
        assert facts.refunds.seen(tx, r1, RefundStatus.FAILED, START)
        assert [kind for kind, _ in state(tx).holds] == ["dispute", "refund_failed"]
        told(tx, LOST, 1)
        assert state(tx).holds == []
        tx.refresh(r1)
        assert r1.status == RefundStatus.GIVEN_UP


@pytest.mark.parametrize(
    ("life", "end"),
    [
        (
            (CREATED, WITHDRAWN, ANSWERED, LOST),
            State("lost", "partially_refunded", Figures(TAKEN, 1000, TAKEN, 0), [TOOK], [TWICE], 0),
        ),
        (
            (CREATED, WITHDRAWN, ANSWERED, LOST, PARTLY_BACK),
            State("lost", "partially_refunded", Figures(TAKEN, 1000, 3100, 0), [TOOK, GAVE_PART], [], 0),
        ),
        (
            (CREATED, WITHDRAWN, ANSWERED, WON, REINSTATED),
            State("won", "partially_refunded", Figures(TAKEN, 1000, 0, 3100), [TOOK, GAVE], [], 0),
        ),
        (
            (ASKED, TAKEN_AFTER_ASKING, WON, REINSTATED),
            State("won", "partially_refunded", Figures(TAKEN, 1000, 0, 3100), [TOOK, GAVE], [], 0),
        ),
        ((ASKED, LET_GO), State("won", "partially_refunded", Figures(TAKEN, 1000, 0, 3100), [], [], 0)),
    ],
    ids=["lost", "lost and returned in part", "won", "inquiry, then won", "inquiry, let go"],
)
def test_in_every_order_and_twice_it_ends_alike(paid: Database, life: tuple[Dispute, ...], end: State) -> None:
    """An older piece may carry an older instant, or a newer one: the provider's stage is what counts."""
    with paid.sessions.begin() as tx:
        on_its_way(tx, refund(tx))
    instants: list[Callable[[int], int]] = [lambda n: n, lambda n: 0, lambda n: -n]
    for tried, came in enumerate(permutations(life)):
        at = instants[tried % len(instants)]
        with paid.sessions() as tx:
            for n, each in enumerate(came):
                told(tx, each, at(n))
                assert not told(tx, each, at(n)), "nothing is new in it"
            assert state(tx) == end
            assert broken(tx) == []
            tx.rollback()


def test_before_our_own_record_of_the_capture_stands(database: Database) -> None:
    """The card whose charges are disputed at once, and a capture whose answer was lost."""
    orders.placed(database, ORDER, 2, in_stock=2)
    stages.authorized(database, ORDER)
    orders.packed(database, ORDER)
    with database.sessions.begin() as tx:
        assert told(tx, WITHDRAWN)
        assert state(tx).figures == Figures(0, 0, TAKEN, 0)
    stages.captured(database, ORDER)
    with database.sessions.begin() as tx:
        assert state(tx).figures == Figures(TAKEN, 0, TAKEN, 0)
        assert told(tx, REINSTATED)
        assert state(tx).figures == Figures(TAKEN, 0, 0, TAKEN)


def test_a_bank_may_give_back_a_part_of_what_it_took(paid: Database) -> None:
    part = news(DisputeStatus.WON, TAKES, PART)
    with paid.sessions.begin() as tx:
        told(tx, part)
        assert state(tx).figures == Figures(TAKEN, 0, TAKEN - 1000, 1000)


def test_of_two_disputes_of_one_payment_each_counts(paid: Database) -> None:
    second = Dispute(
        dispute_id="dp_2", intent_id="pi_1", amount=500, reason="duplicate", status=DisputeStatus.OPEN, moves=()
    )
    first = news(DisputeStatus.LOST, DisputeMove(reference="txn_9", amount=-1000), amount=1000)
    with paid.sessions.begin() as tx:
        told(tx, first)
        told(tx, second)
        assert list(disputed(tx, ORDER).values()) == [Disputed(1500, 1000, is_open=True, is_lost=True)]
        assert refundable(tx, tx.get_one(Order, ORDER)).amount == TAKEN - 1500


# --- refund and dispute at once ---------------------------------------------------------------------------------------


def running(tx: Session) -> dict[str, RefundStatus]:
    """Refunds that the order's run looks after."""
    order = snapshot(tx, ORDER).order
    assert order
    return order.refunds


def test_a_refund_that_was_only_asked_waits_and_goes_on_when_it_is_won(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        assert list(running(tx)) == [r1.refund_id]
        told(tx, WITHDRAWN)
        assert running(tx) == {}
        assert refund_waits(tx, r1)
        told(tx, REINSTATED, 1)
        assert running(tx) == {r1.refund_id: RefundStatus.ASKED}


def test_a_refund_that_was_only_asked_is_given_up_when_it_is_lost(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        told(tx, WITHDRAWN)
        told(tx, LOST, 1)
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
        told(tx, WITHDRAWN)
        assert list(running(tx)) == [r1.refund_id]
        told(tx, LOST, 1)
        assert list(running(tx)) == [r1.refund_id]
        on_its_way(tx, r1)
        assert state(tx).holds == [TWICE]


def test_only_so_many_are_given_up_as_the_bank_has_given(paid: Database) -> None:
    less = news(DisputeStatus.LOST, DisputeMove(reference="txn_1", amount=-3100), amount=3100)
    with paid.sessions.begin() as tx:
        r1, r2 = refund(tx), refund(tx)
        for _ in range(2):
            told(tx, less)
        statuses = dict(tx.execute(select(Refund.refund_id, Refund.status)).all())
        assert statuses == {r1.refund_id: RefundStatus.ASKED, r2.refund_id: RefundStatus.GIVEN_UP}
        again = less.model_copy(update={"moves": (*less.moves, DisputeMove(reference="txn_5", amount=1))})
        told(tx, again)
        assert tx.get_one(Refund, r1.refund_id, populate_existing=True).status == RefundStatus.ASKED


def test_refunds_are_open_to_an_inquiry(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        r1 = refund(tx)
        told(tx, ASKED)
        assert list(running(tx)) == [r1.refund_id]
        assert state(tx).holds == [HELD]
        assert refundable(tx, tx.get_one(Order, ORDER)).amount == TAKEN - 1000


def test_an_inquiry_that_was_answered_is_held_again_when_the_bank_takes_the_money(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        told(tx, ASKED)
        [hold] = tx.scalars(select(Hold.hold_id))
        facts.holds.closed(tx, hold, START, by="ann", why="answered")
        assert state(tx).holds == []
        told(tx, TAKEN_AFTER_ASKING, 1)
        assert state(tx).holds == [HELD]


def test_it_is_told_again_before_the_evidence_is_due(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        told(tx, CREATED)
    for days, reminded in ((7, 0), (8, 1), (9, 1)):
        with paid.sessions.begin() as tx:
            facts.passing.passed(tx, ORDER, START + timedelta(days=days))
        with paid.sessions() as tx:
            assert len(tx.scalars(select(Event).where(Event.type == EventType.HOLD_REMINDED)).all()) == reminded


def test_what_somebody_has_answered_is_not_told_again(paid: Database) -> None:
    answered: list[Callable[[Session], object]] = [
        lambda tx: told(tx, ANSWERED, 1),
        lambda tx: facts.holds.closed(tx, f"{ORDER}-h1", START, by="ann", why="answered"),
        lambda tx: told(tx, LOST, 1),
    ]
    for answer in answered:
        with paid.sessions() as tx:
            told(tx, CREATED)
            tx.flush()
            answer(tx)
            facts.passing.passed(tx, ORDER, START + timedelta(days=9))
            conclude(tx)
            assert not tx.scalars(select(Event).where(Event.type == EventType.HOLD_REMINDED)).all()
            tx.rollback()


def test_the_kinds_of_holds_are_about_what_they_say(paid: Database) -> None:
    with paid.sessions.begin() as tx:
        on_its_way(tx, refund(tx))
        told(tx, CREATED)
        told(tx, LOST)
        subjects = {hold.kind: (hold.subject_kind, hold.subject_id) for hold in tx.scalars(select(Hold))}
        assert subjects == {
            HoldKind.DISPUTE: ("dispute", "dp_1"),
            HoldKind.PAID_BACK_TWICE: ("payment", f"{ORDER}/1"),
        }
