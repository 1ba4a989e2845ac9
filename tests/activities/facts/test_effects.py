"""Effects: what is known of one call says nothing of another."""

from activities.facts.effects import begin, unresolved
from activities.facts.journal import outcome_known
from tests.activities import orders
from tests.fixtures_database import Database


def test_the_outcome_of_one_fulfillments_call_is_not_that_of_the_tenth(database: Database) -> None:
    orders.placed(database, "I-1")
    with database.sessions.begin() as tx:
        for n in (1, 10):
            begin(tx, "I-1", f"request:I-1-{n}")
        assert outcome_known(tx, "I-1", "request:I-1-1")
        assert not unresolved(tx, "I-1", "request:I-1-1")
        assert unresolved(tx, "I-1", "request:I-1-10")
        assert not outcome_known(tx, "I-1", "request:I-1-1"), "it was known already"
