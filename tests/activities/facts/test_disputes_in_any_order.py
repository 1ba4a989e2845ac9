"""News of a dispute comes in any order, twice, late. What comes next is tried from the same rows, so that each
beginning is written once; what both databases do alike is in test_disputes.py."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.orm import Session

from activities.ports import Dispute
from activities.views.check import breaches
from tests.activities.disputes import (
    ANSWERED,
    ASKED,
    CREATED,
    GAVE,
    GAVE_PART,
    LET_GO,
    LOST,
    PARTLY_BACK,
    REINSTATED,
    TAKEN,
    TAKEN_AFTER_ASKING,
    TOOK,
    TWICE,
    WITHDRAWN,
    WON,
    Figures,
    State,
    on_its_way,
    refund,
    report,
    state,
)
from tests.fixtures_database import Database


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
    with paid.sessions() as tx:
        for first, at in zip(life, [*instants, *instants], strict=False):
            for _ in every_end(tx, first, 0, [each for each in life if each is not first], at):
                assert state(tx) == end
                assert [*breaches(tx)] == []
        tx.rollback()


def every_end(
    tx: Session, next_one: Dispute, n: int, others: list[Dispute], at: Callable[[int], int]
) -> Iterator[None]:
    """After the next one, all others in every order: as the rows stand at each end."""
    with tx.begin_nested() as here:
        report(tx, next_one, at(n))
        assert not report(tx, next_one, at(n)), "nothing is new in it"
        if not others:
            yield
        for each in others:
            yield from every_end(tx, each, n + 1, [other for other in others if other is not each], at)
        here.rollback()
