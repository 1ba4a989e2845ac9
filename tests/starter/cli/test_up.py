"""`orders up`: real processes, which are named when they die, and of which nothing is left."""

import json
import os
import signal
import stat
from pathlib import Path

import httpx

from infra.home import Home
from tests.starter.cli.commands import Orders, started_up


def children(pid: int) -> dict[str, int]:
    """By what they run."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                words = (folder / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if parent == pid:
                found["engine" if "start-dev" in words else words[3]] = int(folder.name)
    return found


def test_its_state_is_for_its_owner_only(stack: Home) -> None:
    assert stat.S_IMODE(stack.stack.stat().st_mode) == 0o600
    assert stat.S_IMODE(stack.path.stat().st_mode) == 0o700
    kept = [path for path in stack.path.rglob("*") if path.name != "up.log"]  # which this test's own process made
    assert {"engine.db", "sandbox.sqlite", "orders.db", "worker.log"} <= {path.name for path in kept}
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []
    stored = json.loads(stack.stack.read_text())
    assert set(stored["ports"]) == {"engine", "web_ui", "sandbox", "smtp", "api", "metrics"}


def test_a_second_stack_in_the_same_home_is_refused(orders: Orders) -> None:
    output = orders("up")
    assert output.code == 1
    assert "another process runs the stack" in output.err


def test_started_again_it_is_the_same_until_a_process_dies_which_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    orders = Orders({"ORDERS_HOME": str(home.path)})
    up = started_up(home, pace=1)
    before = json.loads(home.stack.read_text())
    assert orders("stock", "list", "MUG-BLUE", "--json").json["stock"][0]["on_hand"] == 600
    for page in ("web_ui", "sandbox"):
        assert httpx.get(f"http://127.0.0.1:{before['ports'][page]}", follow_redirects=True, trust_env=False).is_success
    assert up.stop() == 0
    assert "no API answers" in orders("list").failed(1)
    up = started_up(home, pace=1)
    assert json.loads(home.stack.read_text()) == before
    assert orders("stock", "list", "MUG-BLUE", "--json").json["stock"][0]["on_hand"] == 600, (
        "the catalogue is sown once"
    )
    running = children(up.pid)
    assert set(running) == {"engine", "infra.sandbox", "workers", "starter.api"}
    os.kill(running["workers"], signal.SIGKILL)
    assert up.process.wait(30) == 1
    assert "orders: the worker ended (signal SIGKILL)" in up.written()
    assert not [pid for pid in running.values() if Path(f"/proc/{pid}").exists()]
