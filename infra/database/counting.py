"""What is asked of the database, counted: statements, and the transactions that they are in."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

STATEMENTS, TRANSACTIONS = "orders_database_statements", "orders_database_transactions"
"""Prometheus adds `_total`."""
SOURCE = "source"
"""Their label: the route, the relay or the activity that asked."""


def count(engine: Engine, ended: Callable[[int], None]) -> None:
    """Calls `ended` at the end of each transaction in which anything was said, with the number of its statements: in
    the context that asked. BEGIN, COMMIT and ROLLBACK are none, many rows at once are one."""
    counter = object()  # others may count the same engine

    @event.listens_for(engine, "before_cursor_execute")
    def say(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        if not statement.startswith("BEGIN"):  # of SQLite, which is told by us
            connection.info[counter] = connection.info.get(counter, 0) + 1

    def end(connection: Connection) -> None:
        if statements := connection.info.pop(counter, 0):
            ended(statements)

    event.listen(engine, "commit", end)
    event.listen(engine, "rollback", end)
