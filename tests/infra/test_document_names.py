"""What documents name exists: files, links, commands, settings, tasks, endpoints, metrics."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from typer.main import get_command

from infra.settings import Settings
from starter import api
from starter.cli.__main__ import app
from tests.infra.test_documents import OTHERS
from tests.sandbox import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
NOW = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]
"""The changelog may name what has gone."""
ROOMS = "workflows|activities|workers|starter|infra|tests|docs"
OURS = re.compile(r"\b(?:ORDERS|STRIPE|SHIPPO|TWILIO|SMTP|MAIL|WAREHOUSE|DATABASE|PUBLIC)_[A-Z_]*[A-Z]\b")
FOR_TESTS = {"ORDERS_CONTINUE_AT_EVERY_WAIT"}

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
each_that_holds_now = pytest.mark.parametrize("document", NOW, ids=lambda document: document.name)


def code(document: Path) -> Iterator[str]:
    """What is set as code: between backticks, and each line of a block."""
    text = document.read_text()
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines() if language in ("", "sh") else ()


@each_that_holds_now
def test_its_paths_exist(document: Path) -> None:
    named = {each for text in code(document) for each in re.findall(rf"^(?:{ROOMS})/[\w./-]+$", text)}
    assert {each for each in named if "NAME" not in each and not exists(each)} == set()


def exists(path: str) -> bool:
    return (ROOT / path).exists() or (ROOT / f"{path}.py").exists()


@each_document
def test_its_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text())
    broken = set()
    for link in links:
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.add(link)
    assert broken == set()


@cache
def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_its_commands_are_those_of_orders(document: Path) -> None:
    wrong = []
    for text in code(document):
        found = re.match(r"(?:\.venv/bin/)?orders ((?:(?!#).)+)", text.replace("`", ""))
        if found and not understood(found[1].split()):
            wrong.append(text)
    assert wrong == []


def understood(words: list[str]) -> bool:
    """Whether there is such a command, and each option is one of its own."""
    command: Any = get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return False
        command = command.commands[words.pop(0)]
        for argument in command.params if hasattr(command, "commands") else ():
            words = words[argument.nargs :] if argument.param_type_name == "argument" else words
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return {re.split("[=|]", word)[0] for word in words if re.match("--?[a-z]", word)} <= options


@each_that_holds_now
def test_its_settings_are_settings(document: Path) -> None:
    of_compose = {*re.findall(r"\$\{(\w+)", (ROOT / "infra/deploy/services.yaml").read_text())}
    known = {name.upper() for name in Settings.model_fields} | OTHERS | of_compose
    assert {*OURS.findall(document.read_text())} <= known


def test_the_readme_says_the_defaults_and_names_what_a_deployment_must_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs")  # where no .env is
    text, default = (ROOT / "README.md").read_text(), Settings.from_environment({})
    listed = dict(re.findall(r"`(ORDERS_[A-Z_]+)` \((\d+[smhd])\b", text))
    assert len(listed) > 5
    assert Settings.from_environment(listed) == default
    unset = {name.upper() for name in Settings.model_fields if not getattr(default, name)}
    assert unset - {*re.findall(r"`(\w+)", text)} == FOR_TESTS


@each_document
def test_its_tasks_are_those_of_make(document: Path) -> None:
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {match[1] for text in code(document) if (match := re.match(r"make ([a-z-]+)", text))}
    assert named <= tasks


@each_document
def test_its_endpoints_are_the_apis(document: Path) -> None:
    rooms = [import_module(f"starter.api.{room.name}") for room in iter_modules(api.__path__) if room.name[0] != "_"]
    served = {
        (method, re.sub(r"{\w+}", "*", route.path))
        for room in rooms
        if hasattr(room, "router")
        for route in room.router.routes
        for method in route.methods
    }
    named = re.findall(r"`(GET|POST|PUT|DELETE) (/v1/[^`?\s]*)", document.read_text())
    placed = {(method, re.sub(r"/(?:ID|{\w+})(?=/|$)", "/*", path)) for method, path in named}
    assert placed <= served


@each_document
def test_its_metrics_are_in_the_code(document: Path) -> None:
    named = {each for text in code(document) for each in re.findall(r"^(orders_[a-z_]+)(?:\{|$)", text)}
    files = [*(ROOT / "starter").rglob("*.py"), *(ROOT / "infra").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]
    text = "\n".join(file.read_text() for file in files)
    assert {each for each in named if each not in text and each.removesuffix("_total") not in text} == set()
