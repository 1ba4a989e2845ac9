"""What the documents list is what the code has."""

import re
from pathlib import Path

import pytest
from sqlalchemy import JSON, String

from activities.deadline_kinds import DECLARED
from activities.facts import trimming
from activities.facts.passing import ACTS
from activities.facts.trimming import NEWS_KEPT, RELAY_KEPT
from infra.database.tables import REFERENCE, metadata
from infra.hold_kinds import HoldKind
from infra.settings import Settings
from infra.words import DeadlineKind
from tests.sandbox import ROOT

DERIVED = {"DATABASE_URL", "ORDERS_MIGRATION_DATABASE_URL", "PUBLIC_URL"}
OTHERS = {"ORDERS_ENV_FILE", "ORDERS_TRACEBACK"}
IMPERSONAL = {
    "products.name",
    "locations.name",
    "locations.address",  # of a warehouse
    "claims.lines",
    "count_sessions.lines",
    "restocks.lines",
    "tax_lines.jurisdiction",
    "changes.lines",  # numbers
    "effects.step",
    "effects.parameters",  # ids and amounts
    "messages.subject",  # what it is about
    "messages.claimed_as",
    "orders.service",
    "parcels.service",
    "customers.notify",
    "customers.unreachable",
    "orders.notify",
    "api_keys.name",
    "api_keys.scopes",
}


def settings_listed() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text()
    listed = re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert len(listed) == len(dict(listed)), "each once"
    return dict(listed)


def test_the_example_lists_every_setting() -> None:
    ours = {name for name in settings_listed() if not name.startswith("TEMPORAL_")} - OTHERS
    assert ours == {name.upper() for name in Settings.model_fields}


def test_the_example_says_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    listed, default = settings_listed(), Settings.from_environment({})
    assert Settings.from_environment(listed) == default
    written = {name for name, value in listed.items() if value}
    assert written >= {name.upper() for name in Settings.model_fields if getattr(default, name)} - DERIVED


def test_the_runbook_has_every_kind_of_hold_with_its_reason_and_actions() -> None:
    text = (ROOT / "docs/operating.md").read_text().split("\n## Holds\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    listed = {
        kind: (reason, {word.lower() for word in re.findall(r"\*(\w+)\*", what)})
        for kinds, reason, what in rows
        for kind in re.findall(r"`(\w+)`", kinds)
    }
    assert listed == {kind.value: (kind.reason.value, {*kind.actions}) for kind in HoldKind}


def personal() -> dict[str, set[str]]:
    return {
        name: {column.name for column in table.columns if column.info.get("personal")}
        for name, table in metadata.tables.items()
    }


def test_the_page_names_every_table_and_each_personal_column() -> None:
    text = (ROOT / "docs/personal-data.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE)
    assert {table: set(re.findall(r"`(\w+)`", columns)) for table, columns in rows} == personal()


def test_a_column_for_words_is_personal_or_known_not_to_be() -> None:
    marked = {f"{table}.{column}" for table, columns in personal().items() for column in columns}
    wide = {
        f"{column.table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, JSON) or (isinstance(column.type, String) and for_words(column.type))
    }
    assert wide - marked - IMPERSONAL == set()
    assert wide >= IMPERSONAL, "what has gone is forgotten here"


def for_words(type_: String) -> bool:
    """Longer than our own words and ids, and not for the id of somebody else."""
    return (type_.length or 0) >= 100 and type_.length != REFERENCE.length


def test_the_page_of_tables_names_every_column() -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", (ROOT / "docs/data.md").read_text(), re.MULTILINE)
    listed = {table: re.findall(r"`(\w+)`", columns) for table, columns in rows}
    assert listed == {name: [column.name for column in table.columns] for name, table in metadata.tables.items()}


def test_what_a_trim_gives_back_is_told_of_the_tables_that_it_removes_rows_of() -> None:
    text = (ROOT / "docs/capacity.md").read_text().split("\n## Bytes\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|[^|]*\|[^|]*\| ([^|]+) \|$", text, re.MULTILINE)
    listed = {name: when for names, when in rows for name in re.findall(r"`(\w+)`", names)}
    assert listed.keys() <= metadata.tables.keys()
    assert {name for name, when in listed.items() if when != "never"} == {*trimming.TABLES} - {"orders", "claims"}, (
        "what an order leaves"
    )
    kept = {"events": Settings.from_environment({}).orders_retention, "news": NEWS_KEPT, "relay": RELAY_KEPT}
    assert all(f"{time.days} days" in listed[name] for name, time in kept.items())


def test_the_runbook_lists_every_kind_of_deadline_as_it_is_declared() -> None:
    text = (ROOT / "docs/operating.md").read_text().split("## Deadlines")[1].split("## ")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| `.*$", text, re.MULTILINE)]
    listed = {kind.strip("`"): (*about, *re.findall(r"`(\w+)`", message)) for kind, *about, message in rows}
    assert listed == {
        kind.value: (
            each.counts_from,
            each.ends_with,
            *("acts" if acts else "" for acts in (each.while_held, each.while_cancelling, each.after_the_end)),
            *([each.message.value] if each.message else []),
        )
        for kind, each in DECLARED.items()
    }


def test_every_kind_of_deadline_is_declared_and_does_something() -> None:
    assert {*DeadlineKind} == {*DECLARED} == {*ACTS}
