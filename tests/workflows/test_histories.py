"""Code meets orders that began under older code: every recorded history replays. `make histories` records them anew."""

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from activities.intake.example import EXAMPLE, example_order
from tests.workflows.next_order import Guarded, Unguarded
from tests.workflows.recording import CHANGELOG, is_released, to_record
from tests.workflows.replaying import failures
from tests.workflows.scenarios import RENEWED, SCENARIOS
from workers.replaying import FILES, FOLDER, recorded
from workers.wiring import WORKFLOWS

BEHIND_A_PATCH = (
    "orders that are under way would stand still. Ask `workflow.patched` which way a run goes, and keep the old one "
    "(CONTRIBUTING.md, While orders are under way)"
)
OR_ANEW = "; or, as no version is released yet: `make histories`"


async def complaint(file: Path, changelog: str, workflows: Sequence[type] = WORKFLOWS) -> str:
    """Nothing, or what does not replay and what to do about it."""
    why = await failures(recorded(file), workflows)
    where = file.relative_to(CHANGELOG.parent)
    what_to_do = BEHIND_A_PATCH + ("" if is_released(changelog) else OR_ANEW)
    return f"{where} does not replay: {what_to_do}. {why[file.name]}" if why else ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_recorded_order_replays(file: Path) -> None:
    if wrong := await complaint(file, CHANGELOG.read_text()):
        pytest.fail(wrong, pytrace=False)


async def test_a_changed_workflow_is_told_with_the_file_and_the_recipe() -> None:
    file = FOLDER / "delivered.json"
    message = await complaint(file, "## [Unreleased]\n", [Unguarded])
    assert message.startswith("workflows/histories/delivered.json does not replay: ")
    assert all(part in message for part in ("workflow.patched", "CONTRIBUTING.md", "make histories", "ondeterminis"))
    released = await complaint(file, "## [Unreleased]\n\n## [1.0.0] - 2027-01-01\n", [Unguarded])
    assert "workflow.patched" in released
    assert "make histories" not in released


async def test_a_step_behind_a_patch_replays_what_came_before_it() -> None:
    assert await complaint(FOLDER / "delivered.json", "", [Guarded]) == ""


def test_what_a_version_has_released_is_never_recorded_anew() -> None:
    before, after = "## [Unreleased]\n", "## [Unreleased]\n\n## [0.1.0] - 2026-12-01\n"
    assert to_record({"delivered", "declined"}, {"delivered"}, before) == {"delivered", "declined"}
    assert to_record({"delivered", "declined"}, {"delivered"}, after) == {"declined"}


def test_every_scenario_is_recorded() -> None:
    assert {file.stem for file in FILES} == {*SCENARIOS, *RENEWED}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_history_holds_no_person_and_no_machine(file: Path) -> None:
    kept = file.read_text()
    text = re.sub(r'(?<="eventTime":")([^".]+)\.\d+Z', r"\1Z", kept)  # nine digits that any postal code may be in
    payloads = "\n".join(decoded(json.loads(kept)))
    customer = example_order("", {})["customer"] | {"customer_id": ""}
    for word in (*customer.values(), *EXAMPLE["shipping"]["address"].values()):
        if isinstance(word, str) and len(word) > 2:
            assert word not in text + payloads
    assert set(re.findall(r'"identity":"([^"]*)"', text)) == {"recorded"}
    assert not re.search(r"/(home|work|tmp|usr|root)/|\d@", text + payloads)


def decoded(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for part in value for text in decoded(part)]
    if not isinstance(value, dict):
        return []
    mine = [base64.b64decode(value["data"]).decode()] if isinstance(value.get("data"), str) else []
    return mine + [text for part in value.values() for text in decoded(part)]
