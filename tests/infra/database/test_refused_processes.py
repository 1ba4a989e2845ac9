"""A database that is later than the code, or whose user may do nothing in it, as commands and processes meet it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from infra.database.upgrade import versions
from tests.starter.cli.commands import Orders
from tests.starter.cli.test_installation import EMBEDDED

CURRENT = versions()[-1]
LATER = f"{int(CURRENT) + 1:04}"


@pytest.fixture
def url(new_postgres: Callable[[], str]) -> str:
    return new_postgres()


@pytest.fixture
def orders(url: str, tmp_path: Path) -> Orders:
    return Orders({**EMBEDDED, "ORDERS_HOME": str(tmp_path / "home"), "DATABASE_URL": url})


def goes_on_to(url: str, revision: str, runs_with: str) -> None:
    """As a later version's migration would leave it."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
        connection.execute("INSERT INTO migrations VALUES (%s, %s, now())", [revision, runs_with])


def test_a_later_database_that_this_version_may_run_on_is_said_to_be(orders: Orders, url: str) -> None:
    goes_on_to(url, LATER, runs_with=CURRENT)
    done = orders("db", "upgrade")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f" is at {LATER}, which is newer than this version; it may run on it\n")
    done = orders("db", "check")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(" is of a newer version, which this one may run on; money and stock hold together\n")


def test_a_later_database_that_this_version_may_not_run_on_is_refused(orders: Orders, url: str) -> None:
    goes_on_to(url, LATER, runs_with=LATER)
    why = f"the database is at {LATER}, and code older than {LATER} cannot run on it; this is {CURRENT}: install"
    for command in ("upgrade", "check"):
        assert why in orders("db", command).failed(1)


@pytest.fixture
def without_rights(url: str) -> Iterator[str]:
    """A user's URL, who may only connect."""
    user = f"nobody_{uuid4().hex[:8]}"
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN".encode())
        yield make_url(url).set(username=user).render_as_string(hide_password=False)
        connection.execute(f"DROP ROLE {user}".encode())


def test_a_process_whose_user_has_no_rights_ends_with_the_command_that_grants_them(
    orders: Orders, without_rights: str
) -> None:
    user = make_url(without_rights).username
    for command in (["worker"], ["api"], ["db", "check"]):
        why = orders(*command, DATABASE_URL=without_rights).failed(1)
        assert f"the database's user {user} may not use all tables: run `orders db upgrade` with " in why
        assert "GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys, backorders, changes, " in why
        assert f" TO {user}" in why
