"""Rows that may be there already."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from infra.database.tables import Base

INSERT: dict[str, Callable[..., Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert_new(tx: Session, table: type[Base]) -> Any:
    """The statement that inserts rows, but for those that some unique key knows. Where another transaction is just
    inserting one, it waits for the end of that. Rows are given when it is executed: with a list of them in its
    `values` it would be compiled anew each time."""
    return new_rows(tx.get_bind().dialect.name, table)


@cache
def new_rows(dialect: str, table: type[Base]) -> Any:
    return INSERT[dialect](table.__table__).on_conflict_do_nothing()
