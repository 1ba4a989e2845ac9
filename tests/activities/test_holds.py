"""What operators decide about a hold counts once: the first decision, or none where the hold has healed."""

import pytest

from activities import facts
from activities.models import HoldReason, Policy, ResolveStep
from activities.orders import OrderActivities
from infra.clock import wall_clock
from infra.database.tables import Change, Hold, Order
from tests.activities import orders
from tests.fixtures_database import Database

ORDER = "H-1"


@pytest.fixture
def held(database: Database) -> str:
    """An order with an open hold; gives the hold."""
    orders.placed(database, ORDER)
    with database.sessions.begin() as tx:
        return facts.holds.opened(
            tx,
            ORDER,
            reason=HoldReason.STEP_FAILED,
            step="authorize_payment",
            code="http_500",
            advice="",
            actions=("retry", "cancel"),
            at=wall_clock(),
        )


def asked(database: Database, hold_id: str, action: str) -> ResolveStep:
    with database.sessions.begin() as tx:
        change = facts.placing.resolution_asked(tx, tx.get_one(Hold, hold_id), action=action, by="eve", why="test")
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
        facts.holds.close_recovered(tx, ORDER, "authorize_payment", wall_clock())
    cancel = asked(database, held, "cancel")
    OrderActivities(database.sessions, Policy()).resolve_hold(cancel)
    assert cancellation(database, cancel.change_id) == (None, "superseded")


def test_the_same_decision_carried_out_twice_is_one(database: Database, held: str) -> None:
    cancel = asked(database, held, "cancel")
    for _ in range(2):
        OrderActivities(database.sessions, Policy()).resolve_hold(cancel)
    assert cancellation(database, cancel.change_id) == ("accepted", "cancel")
