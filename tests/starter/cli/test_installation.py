"""Database and keys, by their commands."""

import socket
import sqlite3
import stat
from pathlib import Path

import pytest

from infra.home import Home
from infra.processes import free_ports, start
from starter.cli.stack import environment
from tests.sandbox import SANDBOX_TOKEN
from tests.starter.cli.commands import ORDERS, ROOT, Orders, told_apart

PORTS = dict.fromkeys(environment.PORTS, 9)
EMBEDDED = {
    name: value
    for settings in environment.embedded({}, Home(Path()), PORTS, environment.made_secrets(None)).values()
    for name, value in settings.items()
}
"""All that a process needs, of providers that nobody asks."""


def database(orders: Orders) -> Path:
    return Path(orders.environ["ORDERS_HOME"]) / "orders.db"


def test_a_database_is_made_and_matches(elsewhere: Orders) -> None:
    assert "the database is older than this code: run `orders db upgrade`" in elsewhere("db", "check").failed(1)
    assert elsewhere("db", "upgrade").out == f"{database(elsewhere)} is up to date\n"
    assert elsewhere("db", "upgrade").code == 0
    fits = f"{database(elsewhere)} matches this version; money and stock hold together\n"
    assert elsewhere("db", "check").out == fits
    assert stat.S_IMODE(database(elsewhere).stat().st_mode) == 0o600


def test_a_database_that_differs_is_said_to(elsewhere: Orders) -> None:
    elsewhere("db", "upgrade")
    with sqlite3.connect(database(elsewhere)) as tables:
        tables.execute("DROP INDEX ix_stock_moves_sku_reference")
    assert "ix_stock_moves_sku_reference" in elsewhere("db", "check").failed(1)


def test_a_database_that_does_not_answer_is_named_without_its_password(elsewhere: Orders) -> None:
    output = elsewhere("db", "check", DATABASE_URL="postgresql://me:secret@127.0.0.1:9/orders").failed(1)
    assert "the database does not answer" in output
    assert "secret" not in output


@pytest.mark.parametrize("command", [["db", "check"], ["keys", "list"], ["up"], ["worker"], ["api"]])
def test_a_database_url_that_nothing_can_open_says_nothing_of_itself(elsewhere: Orders, command: list[str]) -> None:
    url = "postgresql://me:pass@127.0.0.1:9/orders?plugin=sesame"
    output = elsewhere(*command, **EMBEDDED, DATABASE_URL=url, TEMPORAL_ADDRESS="127.0.0.1:9")
    assert output.code == 1
    assert "check DATABASE_URL" in output.err
    assert "sesame" not in output.out + output.err


@pytest.mark.parametrize("process", ["worker", "api"])
def test_a_process_without_its_database_says_what_to_do(elsewhere: Orders, process: str) -> None:
    assert "run `orders db upgrade`" in elsewhere(process, **EMBEDDED).failed(1)
    output = elsewhere(process, DATABASE_URL="postgresql://me:secret@127.0.0.1:9/orders", **EMBEDDED).failed(1)
    assert "the database does not answer (OperationalError): check DATABASE_URL" in output
    assert "secret" not in output


def test_a_worker_whose_metrics_port_is_taken_names_the_setting(elsewhere: Orders) -> None:
    elsewhere("db", "upgrade")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        output = elsewhere("worker", ORDERS_METRICS_ADDRESS=address, **EMBEDDED).failed(1)
    assert output.startswith("orders worker: setting ORDERS_METRICS_ADDRESS cannot be used")


def test_the_sandbox_makes_a_home_for_its_owner_only(elsewhere: Orders, tmp_path: Path) -> None:
    ports = [str(port) for port in free_ports(2)]
    command = [*ORDERS, "sandbox", "--port", ports[0], "--smtp-port", ports[1]]
    log, environ = tmp_path / "sandbox.log", told_apart(elsewhere.environ) | {environment.SANDBOX_TOKEN: SANDBOX_TOKEN}
    sandbox = start("sandbox", command, log=log, environ=environ, folder=ROOT)
    sandbox.wait_for_line("sandbox ready")
    assert sandbox.stop() == 0
    home = database(elsewhere).parent
    assert [path.name for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []
    assert (home / "sandbox" / "sandbox.sqlite").exists()


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
    bound = ("keys", "create", "--name", "shop", "--location", "BER", "--scope")
    assert "there is no location BER" in elsewhere(*bound, "store").failed(2)


def test_a_revoked_key_opens_nothing(orders: Orders) -> None:
    key = orders("keys", "create", "--name", "thief", "--scope", "orders:read").out.splitlines()[-1]
    assert orders("list", ORDERS_API_KEY=key).code == 0
    assert orders("keys", "revoke", "thief").out == "key thief is revoked\n"
    assert orders("list", ORDERS_API_KEY=key).code == 1
    assert "there is no key thief that is not revoked already" in orders("keys", "revoke", "thief").failed(1)


def test_keys_need_a_database(elsewhere: Orders) -> None:
    assert "run `orders db upgrade`" in elsewhere("keys", "list").failed(1)
