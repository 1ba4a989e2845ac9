"""Connections to the database: SQLite for one machine, PostgreSQL through psycopg 3 for more."""

import os
import threading
from contextlib import suppress
from sqlite3 import Connection as SQLiteConnection
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

SQLITE_WAIT_SECONDS = 30
"""How long a writer waits for the one before it."""

TURN = "writes"
LOCK_WAIT_SECONDS = 20
"""PostgreSQL: how long a statement waits for a row that somebody holds. A step that waits longer is given up anyway."""
STATEMENT_SECONDS = 60
"""PostgreSQL: how long a statement may take. None of ours takes a tenth of it, a restock of 2,000 lines included; what
does has lost its way, or its reader. `?options=-c…` in DATABASE_URL sets either otherwise; migrations know no limit."""


def create(url: str, pool_size: int = 10, *, durable: bool = True) -> Engine:
    """An engine with `pool_size` connections, one per thread, and as many again at need. Not `durable`: a power cut may
    take the last commits."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        _keep_private(address.database)
        engine = create_engine(
            address,
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,
            # the last one used knows the most pages: what others have written since is read anew
            pool_use_lifo=True,
            connect_args={"timeout": SQLITE_WAIT_SECONDS},
        )
        _speak_sqlite(engine, durable)
        return engine
    return create_engine(
        address,
        pool_size=pool_size,
        max_overflow=pool_size,
        # errors quote parameters, and those are names and addresses
        hide_parameters=True,
        # a restarted server must not cost the first caller of every connection an error
        pool_pre_ping=True,
        connect_args={
            "application_name": "durable-orders",
            "connect_timeout": 10,
            "options": f"{_limits()} {address.query.get('options', '')}".strip(),
        },
    )


def sessions(engine: Engine, *, read_only: bool = False) -> sessionmaker[Session]:
    """Makes sessions whose objects stay readable after commit. `read_only` ones never wait for a writer on SQLite."""
    if read_only:
        engine = engine.execution_options(begin="BEGIN DEFERRED", postgresql_readonly=True)
    return sessionmaker(engine, expire_on_commit=False)


def _limits() -> str:
    return f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s"


def _keep_private(path: str | None) -> None:
    """The file holds names and addresses; SQLite would give it, its log and its index whatever the umask allows."""
    if path and path != ":memory:":
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        with suppress(PermissionError):  # one of somebody else, who lets us write: theirs to decide
            os.fchmod(file, 0o600)
        os.close(file)


def _speak_sqlite(engine: Engine, durable: bool) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: SQLiteConnection, _: Any) -> None:
        # the driver's own idea of when a transaction begins is switched off; `begin` below says it
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")

    # SQLite lets waiting writers look again ever more rarely: of twenty threads some would wait for seconds
    turn = threading.Lock()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # a transaction that reads first and writes later fails at once when another one wrote in between: wait instead
        how = connection.get_execution_options().get("begin", "BEGIN IMMEDIATE")
        mine = connection.connection.record_info
        if how == "BEGIN IMMEDIATE" and mine is not None:
            # given up after a while: SQLite then says what is wrong
            mine[TURN] = turn.acquire(timeout=SQLITE_WAIT_SECONDS)
        connection.exec_driver_sql(how)

    @event.listens_for(engine, "checkin")
    def done(_: Any, record: ConnectionPoolEntry) -> None:
        if record.record_info and record.record_info.pop(TURN, False):
            turn.release()
