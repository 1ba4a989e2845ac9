"""What ORDERS_HOME keeps, and for whom."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.home import Home, HomeError, Stack

STACK = Stack(
    api_url="http://127.0.0.1:8080",
    api_key=SecretStr("key"),
    ports={"api": 8080},
    secrets={"WAREHOUSE_SECRET": SecretStr("b25l")},
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_stack_is_found_again_by_the_next_command(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert home.read() is None
    home.write(STACK)
    assert Home(tmp_path / "home").read() == STACK
    assert "key" not in repr(home.read()).replace("api_key", "")


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.write(STACK)
    assert mode(home.path) == 0o700
    assert mode(home.stack) == 0o600


def test_writing_replaces_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    home.write(STACK)

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        home.write(STACK.model_copy(update={"api_url": "http://127.0.0.1:9090"}))
    assert home.read() == STACK
    assert [each.name for each in tmp_path.iterdir()] == ["stack.json"]


def test_a_damaged_file_is_told_in_one_line(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.stack.write_text("{")
    with pytest.raises(HomeError, match=r"stack\.json is damaged"):
        home.read()


def test_two_stacks_do_not_share_a_home(tmp_path: Path) -> None:
    with Home(tmp_path).held(), pytest.raises(HomeError, match="ORDERS_HOME"), Home(tmp_path).held():
        pass
    with Home(tmp_path).held():
        pass
