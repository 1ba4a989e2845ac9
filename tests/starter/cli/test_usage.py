"""Wrong usage is exit code 2, a failure 1, and either is one line that says what to do."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.processes import free_ports
from tests.starter.cli.commands import Orders


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "orders: No such command 'nonsense'."),
        (["list", "--nonsense"], "orders list: No such option: --nonsense"),
        (["show"], "orders show: Missing argument 'ID'."),
        (["list", "-n", "many"], "orders list: Invalid value for '--limit' / '-n'"),
        (["cancel", "W-1", "--reason", "mood"], "'mood' is not one of 'customer', 'payment'"),
        (["cancel", "W-1", "--quantity", "1"], "cancel: give as many --quantity as --line, or none"),
        (["resolve", "W-1", "--action", "retry"], "orders resolve: Missing option '--why'."),
        (["place", "/no/such/file"], "orders: /no/such/file cannot be read: No such file or directory"),
        (["place", "x", "--format", "xml"], "--format is json, jsonl or csv"),
        (["restock", "MUG-BLUE", "--location", "OAK", "--reference", "R"], "'MUG-BLUE' is not SKU=QTY"),
        (["keys", "create", "--name", "till", "--scope", "everything"], "no scope everything: there are orders:read"),
        (["show", ".."], "orders: ID must be an order's id"),
    ],
)
def test_wrong_usage_is_told_in_one_line(elsewhere: Orders, arguments: list[str], says: str) -> None:
    assert says in elsewhere(*arguments).failed(2)


SERVERS = ["demo", "up", "bench", "worker", "api", "sandbox"]
COMMANDS = [
    *SERVERS,
    "place",
    "list",
    "show",
    "watch",
    "cancel",
    "refund",
    "resolve",
    "restock",
    "stock",
    "store",
    "pickup",
    "till",
    "news",
    "holds",
    "db",
    "keys",
]


def test_help_lists_every_command(elsewhere: Orders) -> None:
    output = elsewhere("--help")
    assert output.code == 0
    assert set(re.findall(r"^│ ([a-z]+) ", output.out, re.MULTILINE)) == set(COMMANDS)


def test_what_would_run_for_long_has_its_help_too(elsewhere: Orders) -> None:
    for name in SERVERS:
        output = elsewhere(name, "--help")
        assert (output.code, f"Usage: orders {name} " in output.out, output.err) == (0, True, "")


@pytest.mark.parametrize("arguments", [["list"], ["show", "W-1"], ["stock", "list", "MUG-BLUE"], ["cancel", "W-1"]])
def test_without_a_stack_it_says_how_to_get_one(elsewhere: Orders, arguments: list[str]) -> None:
    assert "start one with `orders up`" in elsewhere(*arguments).failed(1)


def test_an_api_that_does_not_answer_is_named(elsewhere: Orders) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    output = elsewhere("list", ORDERS_API_URL=url, ORDERS_API_KEY="ord_x").failed(1)
    assert (
        output == f"orders: no API answers at {url} (ConnectError): start one with `orders up`, or set ORDERS_API_URL"
    )


def test_a_key_is_asked_for(elsewhere: Orders) -> None:
    assert "ORDERS_API_KEY is missing" in elsewhere("list", ORDERS_API_URL="http://127.0.0.1:9").failed(1)


def test_a_key_that_is_not_known_is_refused(orders: Orders) -> None:
    assert "does not know this key: set ORDERS_API_KEY" in orders("list", ORDERS_API_KEY="ord_wrong").failed(1)


def test_a_malformed_setting_is_named_without_its_value(elsewhere: Orders) -> None:
    output = elsewhere("list", ORDERS_API_URL="gopher://x").failed(1)
    assert output == "orders: setting ORDERS_API_URL is malformed: expected a URL, http://… or https://…"


def test_the_sandbox_too_names_a_malformed_setting(elsewhere: Orders) -> None:
    output = elsewhere("sandbox", ORDERS_API_URL="gopher://x").failed(1)
    assert output == "orders: setting ORDERS_API_URL is malformed: expected a URL, http://… or https://…"


def test_a_worker_without_its_settings_names_them(elsewhere: Orders) -> None:
    output = elsewhere("worker")
    assert output.code == 1
    assert "setting STRIPE_API_KEY is missing" in output.err


def test_a_command_imports_only_what_it_needs(elsewhere: Orders) -> None:
    heavy = ("temporalio", "sqlalchemy", "fastapi", "stripe", "rich.live")
    code = "import sys; from starter.cli.__main__ import run; run(['list']); print([m for m in %r if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, env=dict(elsewhere.environ)
    )
    assert done.stdout.strip() == "[]"


def test_many_commands_in_a_row_tell_the_truth(orders: Orders) -> None:
    """A hundred in `make test-all`, sixteen otherwise."""
    pairs = 50 if os.environ["CELLS"] == "all" else 8
    with ThreadPoolExecutor(4) as hands:
        codes = hands.map(
            lambda n: orders.anew("stock", "list", "MUG-BLUE" if n % 2 else "NO-SUCH").code, range(2 * pairs)
        )
    assert list(codes) == [1, 0] * pairs
