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


def test_what_exists_already_becomes_its_owners_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    ours = ["stack.json", "lock", "tour.json", "orders.db", "orders.db-wal", "engine.db", "sandbox/sandbox.sqlite"]
    for name in [*ours, "logs/api.log", "notes.txt"]:
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).touch()
        (home.path / name).chmod(0o664)
    for folder in (home.path, home.path / "sandbox", home.path / "logs"):
        folder.chmod(0o755)
    with home.held():
        assert [mode(folder) for folder in (home.path, home.path / "sandbox", home.path / "logs")] == [0o700] * 3
        assert {name: mode(home.path / name) for name in [*ours, "logs/api.log"]} == dict.fromkeys(
            [*ours, "logs/api.log"], 0o600
        )
    assert mode(home.path / "notes.txt") == 0o664, "what is not ours is left alone"


@pytest.mark.parametrize("name", ["stack.json", "lock", "orders.db", "engine.db", "sandbox", "logs", "logs/api.log"])
def test_a_link_in_it_is_refused_and_not_followed(tmp_path: Path, name: str) -> None:
    home, elsewhere = Home(tmp_path / "home"), tmp_path / "elsewhere"
    elsewhere.write_text("of somebody")
    (home.path / name).parent.mkdir(parents=True)
    (home.path / name).symlink_to(elsewhere)
    with pytest.raises(HomeError, match=rf"{name} is a link"), home.held():
        pass
    if name == "stack.json":
        with pytest.raises(HomeError, match="is a link"):
            home.read()
    assert elsewhere.read_text() == "of somebody"


def test_a_lock_that_became_a_link_in_the_meantime_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(Home, "make", lambda home: None)
    with pytest.raises(OSError, match="lock"), Home(tmp_path).held():
        pass
    assert not (tmp_path / "elsewhere").exists()


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
