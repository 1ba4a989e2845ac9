"""What operators decide about a hold counts once: the first decision, or none where the hold has healed."""

import pytest
from sqlalchemy.exc import IntegrityError

from activities import facts
from activities.models import Policy, ResolveStep, Subject
from activities.orders import OrderActivities
from infra.clock import wall_clock
from infra.database.tables import Change, Hold, Order
from infra.hold_kinds import HoldKind
from infra.holds import Action
from tests.activities import orders
from tests.fixtures_database import Database

ORDER = "H-1"


@pytest.fixture
def held(database: Database) -> str:
    """An order with an open hold; gives the hold."""
    orders.placed(database, ORDER)
    with database.sessions.begin() as tx:
        kind = HoldKind.AUTHORIZE_FAILED
        return facts.holds.opened(tx, ORDER, kind, Subject.order(ORDER), wall_clock(), code="http_500")


def asked(database: Database, hold_id: str, action: str) -> ResolveStep:
    with database.sessions.begin() as tx:
        hold = tx.get_one(Hold, hold_id)
        change = facts.holds.resolution_asked(tx, hold, action=Action(action), by="eve", why="test")
        tx.flush()
        return ResolveStep.model_validate(
            {
                "order_id": ORDER,
                "at": wall_clock(),
                "hold_id": hold_id,
                "action": action,
                "change_id": change.change_id,
            }
        )


def cancellation(database: Database, change_id: int | None) -> tuple[str | None, str | None]:
    with database.sessions() as tx:
        return tx.get_one(Order, ORDER).cancellation, tx.get_one(Change, change_id).decision


def test_of_two_decisions_the_first_counts(database: Database, held: str) -> None:
    retry, cancel = asked(database, held, "retry"), asked(database, held, "cancel")
    activities = OrderActivities(database.sessions, Policy())
    activities.resolve_hold(retry)
    activities.resolve_hold(cancel)
    assert cancellation(database, cancel.change_id) == (None, "superseded")


def test_a_decision_about_a_hold_that_has_healed_changes_nothing(database: Database, held: str) -> None:
    with database.sessions.begin() as tx:
        facts.holds.closed(tx, held, wall_clock(), by="authorize_payment", why="the step went well")
    cancel = asked(database, held, "cancel")
    OrderActivities(database.sessions, Policy()).resolve_hold(cancel)
    assert cancellation(database, cancel.change_id) == (None, "superseded")


def test_the_same_decision_carried_out_twice_is_one(database: Database, held: str) -> None:
    cancel = asked(database, held, "cancel")
    for _ in range(2):
        OrderActivities(database.sessions, Policy()).resolve_hold(cancel)
    assert cancellation(database, cancel.change_id) == ("accepted", "cancel")


def test_an_action_that_the_hold_does_not_offer_changes_nothing(database: Database, held: str) -> None:
    skip = asked(database, held, "skip")
    OrderActivities(database.sessions, Policy()).resolve_hold(skip)
    assert cancellation(database, skip.change_id) == (None, "refused")
    with database.sessions() as tx:
        assert tx.get_one(Hold, held).closed_at is None


def test_a_hold_that_closes_by_itself_has_no_action(database: Database, held: str) -> None:
    with database.sessions.begin() as tx:
        facts.placing.payment_method_given(tx, ORDER, "pm_card_visa", wall_clock())
    with database.sessions() as tx:
        hold = tx.get_one(Hold, held)
        assert (hold.closed_by, hold.action) == ("customer", None)


@pytest.mark.both_databases
def test_of_a_kind_about_a_subject_one_is_open(database: Database, held: str) -> None:
    """By the table itself, whoever writes."""
    order, kind = Subject.order(ORDER), HoldKind.AUTHORIZE_FAILED
    with database.sessions.begin() as tx:
        assert facts.holds.opened(tx, ORDER, kind, order, wall_clock()) == held
        other = facts.holds.opened(tx, ORDER, HoldKind.TELL_FAILED, order, wall_clock())
        row = {column.name: getattr(tx.get_one(Hold, held), column.name) for column in Hold.__table__.columns}
    with pytest.raises(IntegrityError), database.sessions.begin() as tx:
        tx.add(Hold(**row | {"hold_id": "another"}))
    with database.sessions.begin() as tx:
        facts.holds.closed(tx, held, wall_clock(), by="eve", why="test")
        again = facts.holds.opened(tx, ORDER, kind, order, wall_clock())
    assert [held, other, again] == [f"{ORDER}-h{n}" for n in (1, 2, 3)]
