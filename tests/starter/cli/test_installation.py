"""Database and keys, by their commands."""

import sqlite3
import stat
from pathlib import Path

from tests.starter.cli.commands import Orders


def database(orders: Orders) -> Path:
    return Path(orders.environ["ORDERS_HOME"]) / "orders.db"


def test_a_database_is_made_and_matches(elsewhere: Orders) -> None:
    assert "the database is older than this code: run `orders db upgrade`" in elsewhere("db", "check").failed(1)
    assert elsewhere("db", "upgrade").out == f"{database(elsewhere)} is up to date\n"
    assert elsewhere("db", "upgrade").code == 0
    assert elsewhere("db", "check").out == f"{database(elsewhere)} matches this version\n"
    assert stat.S_IMODE(database(elsewhere).stat().st_mode) == 0o600


def test_a_database_that_differs_is_said_to(elsewhere: Orders) -> None:
    elsewhere("db", "upgrade")
    with sqlite3.connect(database(elsewhere)) as tables:
        tables.execute("DROP INDEX ix_stock_moves_sku")
    assert "ix_stock_moves_sku" in elsewhere("db", "check").failed(1)


def test_a_database_that_does_not_answer_is_named_without_its_password(elsewhere: Orders) -> None:
    said = elsewhere("db", "check", DATABASE_URL="postgresql://me:secret@127.0.0.1:9/orders").failed(1)
    assert "the database does not answer" in said
    assert "secret" not in said


def test_a_key_is_shown_once_alone_on_the_last_line(elsewhere: Orders) -> None:
    elsewhere("db", "upgrade")
    made = elsewhere("keys", "create", "--name", "till", "--scope", "orders:read", "--scope", "orders:write")
    assert made.code == 0
    key = made.out.splitlines()[-1]
    assert key.startswith("ord_")
    assert key not in elsewhere("keys", "list").out
    listed = elsewhere("keys", "list", "--json").json["keys"]
    assert [(each["name"], each["scopes"], each["revoked_at"]) for each in listed] == [
        ("till", ["orders:read", "orders:write"], None)
    ]
    assert "there is a key till" in elsewhere("keys", "create", "--name", "till", "--scope", "admin").failed(1)


def test_a_revoked_key_opens_nothing(orders: Orders) -> None:
    key = orders("keys", "create", "--name", "thief", "--scope", "orders:read").out.splitlines()[-1]
    assert orders("list", ORDERS_API_KEY=key).code == 0
    assert orders("keys", "revoke", "thief").out == "key thief is revoked\n"
    assert orders("list", ORDERS_API_KEY=key).code == 1
    assert "there is no key thief that is not revoked already" in orders("keys", "revoke", "thief").failed(1)


def test_keys_need_a_database(elsewhere: Orders) -> None:
    assert "run `orders db upgrade`" in elsewhere("keys", "list").failed(1)
