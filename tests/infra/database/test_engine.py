"""Transactions and column types mean the same on SQLite and on PostgreSQL."""

import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from infra.database import engine
from infra.database.tables import Product, Restock, Stock
from infra.database.upgrade import migrating
from tests.fixtures_database import Database
from tests.infra.database.rows import location, product

TOKYO = timezone(timedelta(hours=9))


def restock(at: datetime) -> Restock:
    return Restock(reference="PO-1", location_id="OAK", lines=[{"sku": "MUG"}], recorded_at=at)


@pytest.mark.both_databases
def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    with database.sessions() as session, session.begin():
        session.add(location("OAK"))
        session.flush()
        session.add(restock(datetime(2026, 11, 23, 12, 0, 0, 123456, TOKYO)))
    with database.sessions() as session:
        found = session.scalars(select(Restock)).one()
        assert found.recorded_at == datetime(2026, 11, 23, 3, 0, 0, 123456, UTC)
        assert found.recorded_at.utcoffset() == timedelta(0)
        assert found.lines == [{"sku": "MUG"}]
        later = select(Restock).where(Restock.recorded_at > datetime(2026, 11, 23, 12, 0, tzinfo=TOKYO))
        assert session.scalars(later).one() is found


@pytest.mark.both_databases
def test_an_instant_without_a_time_zone_is_refused(database: Database) -> None:
    with database.sessions() as session:
        session.add(restock(datetime(2026, 11, 23, 12, 0)))  # noqa: DTZ001
        with pytest.raises(StatementError, match="time zone"):
            session.flush()


@pytest.mark.both_databases
def test_concurrent_orders_of_the_last_units_never_oversell(database: Database) -> None:
    with database.sessions() as session, session.begin():
        session.add_all([product("MUG"), location("OAK")])
        session.flush()
        session.add(Stock(sku="MUG", location_id="OAK", on_hand=10, reserved=0))

    def reserve(_: int) -> bool:
        with database.sessions() as session, session.begin():
            session.scalars(select(Product)).all()  # a transaction that begins by reading
            taken = update(Stock).where(Stock.available >= 1).values(reserved=Stock.reserved + 1)
            return session.scalar(taken.returning(Stock.reserved)) is not None

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(reserve, range(40))) == 10


@pytest.mark.both_databases
def test_more_reserved_than_on_hand_is_refused(database: Database) -> None:
    with database.sessions() as session:
        session.add_all([product("MUG"), location("OAK")])
        session.flush()
        session.add(Stock(sku="MUG", location_id="OAK", on_hand=1, reserved=2))
        with pytest.raises(IntegrityError, match="set_aside_within_on_hand"):
            session.flush()


@pytest.mark.both_databases
def test_errors_do_not_quote_what_was_stored(database: Database) -> None:
    with database.sessions() as session:
        session.add(location("OAK", name="Ada Park"))
        session.flush()
        session.expunge_all()
        session.add(location("OAK", name="Ada Park"))
        with pytest.raises(IntegrityError) as refused:
            session.flush()
        assert "Ada Park" not in str(refused.value)


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    reading = engine.sessions(database.engine, read_only=True)
    with database.sessions() as writer, writer.begin(), reading() as reader:
        writer.add(product("MUG"))
        writer.flush()
        assert reader.scalars(select(Product)).all() == []


def test_a_writer_that_fails_or_loses_its_connection_gives_its_turn_to_the_next(database: Database) -> None:
    def write(sku: str) -> None:
        with database.sessions.begin() as session:
            session.add(product(sku))

    write("TAKEN")
    with pytest.raises(IntegrityError):
        write("TAKEN")
    with database.sessions.begin() as session:
        session.add(product("LOST"))
        session.flush()
        session.connection().invalidate()
        session.rollback()
    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, map(str, range(40))))
    assert time.monotonic() - began < engine.SQLITE_WAIT_SECONDS
    with database.sessions() as session:
        assert {row.sku for row in session.scalars(select(Product))} == {"TAKEN", *map(str, range(40))}


def test_a_sqlite_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"
    file.touch()
    file.chmod(0o664)
    engine.create(f"sqlite:///{file}").dispose()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_sqlite_file_is_private_durable_and_keeps_its_references(tmp_path: Path) -> None:
    opened = engine.create(f"sqlite:///{tmp_path / 'orders.db'}")
    with opened.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, engine.SQLITE_WAIT_SECONDS * 1000]
    assert stat.S_IMODE((tmp_path / "orders.db").stat().st_mode) == 0o600
    opened.dispose()


@pytest.mark.both_databases
def test_as_many_connections_again_are_opened_at_need(database: Database) -> None:
    opened = engine.create(database.url, pool_size=12, durable=False)
    with ExitStack() as connections:
        for _ in range(24):
            connections.enter_context(opened.connect())
    opened.dispose()


def test_on_postgresql_nobody_waits_for_ever_and_a_migration_for_no_lock_long(
    new_postgres: Callable[[], str],
) -> None:
    opened = engine.create(new_postgres())
    asked = [text("SHOW lock_timeout"), text("SHOW statement_timeout")]
    with opened.connect() as connection:
        limits = [connection.scalar(each) for each in asked]
    with migrating(opened) as connection:
        assert [connection.scalar(each) for each in asked] == ["5s", "0"]
    with opened.connect() as connection:
        assert [connection.scalar(each) for each in asked] == limits == ["20s", "1min"]
    opened.dispose()


def test_what_waits_for_a_row_too_long_ends_with_an_error_that_is_answered_as_busy(
    new_postgres: Callable[[], str],
) -> None:
    opened = engine.create(f"{new_postgres()}?options=-c%20lock_timeout=50ms")
    write = engine.sessions(opened)
    with write.begin() as session:
        session.add(product("MUG"))
    lock = select(Product).with_for_update()
    with write.begin() as first, write() as second:
        first.scalars(lock).one()
        with pytest.raises(OperationalError, match="LockNotAvailable"):
            second.scalars(lock).one()
    opened.dispose()
