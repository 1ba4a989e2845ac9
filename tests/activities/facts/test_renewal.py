"""For how much an authorization is renewed, and when that is known."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from activities import facts
from activities.facts import effects
from activities.models import CancelReason
from activities.ports import IntentStatus, PaymentIntent
from infra.clock import wall_clock
from infra.database.tables import Deadline, Payment
from tests.activities import orders
from tests.fixtures_database import Database


def authorized(database: Database, order_id: str) -> datetime:
    """For seven days; gives the instant of its renewal."""
    orders.placed(database, order_id)
    now = wall_clock().replace(microsecond=0)
    with database.sessions.begin() as tx:
        payment = tx.scalars(select(Payment)).one()
        ends = now + timedelta(days=7)
        answer = PaymentIntent(
            intent_id="pi_1", status=IntentStatus.AUTHORIZED, amount=2300, capturable=2300, capture_before=ends
        )
        facts.money.answered(tx, payment.payment_id, answer, now)
        facts.reserving.reserved(tx, order_id, now)
    return ends - timedelta(days=1)


def left(database: Database) -> tuple[int, list[datetime]]:
    with database.sessions() as tx:
        due = select(Deadline.at).where(Deadline.kind == "authorization_ends", Deadline.done_at.is_(None))
        return len(tx.scalars(select(Payment)).all()), list(tx.scalars(due))


def test_a_wish_to_cancel_is_decided_before_money_is_asked_for(database: Database) -> None:
    at = authorized(database, "W-1")
    assert left(database) == (1, [at])
    with database.sessions.begin() as tx:
        asked = facts.cancellation.cancellation_asked(tx, "W-1", reason=CancelReason.CUSTOMER, by="ada", why="")
        facts.passing.passed(tx, "W-1", at)
    assert left(database) == (1, [at + timedelta(minutes=1)])
    with database.sessions.begin() as tx:
        facts.cancellation.cancellation_decided(
            tx, "W-1", asked.change_id, reason=CancelReason.CUSTOMER, by="ada", why="", at=at
        )
        facts.passing.passed(tx, "W-1", at + timedelta(minutes=1))
    assert left(database) == (1, [])


def test_a_renewal_is_asked_for_once_and_looked_at_again_when_the_old_one_ends(database: Database) -> None:
    at = authorized(database, "W-1")
    ends = at + timedelta(days=1)
    for _ in range(2):
        with database.sessions.begin() as tx:
            tx.execute(update(Deadline).values(at=at))  # as if it had not moved
            facts.passing.passed(tx, "W-1", at)
        assert left(database) == (2, [ends])
    with database.sessions.begin() as tx:
        facts.passing.passed(tx, "W-1", ends)
        assert [p.status for p in tx.scalars(select(Payment).order_by(Payment.n))] == ["ended", "asked"]
    assert left(database) == (2, [])


def test_an_authorization_does_not_end_while_a_capture_is_in_doubt(database: Database) -> None:
    """Its money may be taken: then it cannot be given back as well."""
    ends = authorized(database, "W-1") + timedelta(days=1)
    with database.sessions.begin() as tx:
        capture = effects.begin(tx, "W-1", "capture:c1", fulfillment_id="W-1-1", payment_id=1, amount=2300)
        facts.passing.passed(tx, "W-1", ends)
        assert [p.status for p in tx.scalars(select(Payment))] == ["authorized"]
    assert left(database) == (1, [ends + timedelta(hours=1)])
    with database.sessions.begin() as tx:
        effects.finish(tx, capture, "authorization_ended")
        facts.passing.passed(tx, "W-1", ends + timedelta(hours=1))
        assert [p.status for p in tx.scalars(select(Payment))] == ["ended"]
