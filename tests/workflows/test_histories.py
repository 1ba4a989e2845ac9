"""Code meets orders that began under older code: every recorded history replays. `make histories` records them anew."""

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow

from activities.intake.example import EXAMPLE, example_order
from tests.workflows.replaying import FILES, FOLDER, replay
from tests.workflows.scenarios import RENEWED, SCENARIOS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_recorded_order_replays(file: Path) -> None:
    await replay(await asyncio.to_thread(file.read_text))


async def test_steps_in_another_order_do_not_replay() -> None:
    """Else the test above would prove nothing."""
    text = await asyncio.to_thread((FOLDER / "delivered.json").read_text)
    with pytest.raises(workflow.NondeterminismError):
        await replay(text.replace("capture_payment", "buy_label"))


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
