"""What checkouts hold beyond their time goes back, and orders that wait get it, though nobody asks for it."""

from activities.facts import claims
from starter.http.dependencies import Dependencies
from starter.transactions import written


def sweep(here: Dependencies) -> None:
    with here.reading() as tx:  # which waits for no writer
        more = bool(claims.over(tx))
    while more and not here.stopping:
        more = written(here.sessions, claims.sweep)
        here.relay.wake()
