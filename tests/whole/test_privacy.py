"""Nobody's name, street, address or number is in the engine's database, a log or a metric; whatever failed."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from infra.database.tables import metadata
from tests.whole.house import House, order

PERSON: dict[str, Any] = {
    "name": "Zebulon Quillfeather",
    "email": "zebulon.quill@hollowmere.example",
    "phone": "+14155550177",
    "street1": "77 Thistledown Lane",
    "city": "Hollowmere",
}
UNREACHABLE = {"email": "bounce@quillfeather.example", "phone": "+15005550001"}
TROUBLED = {
    "P-declined": {"card": "pm_card_chargeDeclined"},
    "P-address": {"zip": "00000"},
    "P-bounced": UNREACHABLE,
    "P-unreadable": {"zip": "00003"},
    "P-lost": {"zip": "00006"},
    "P-confirm": {"card": "pm_card_authenticationRequired"},
}
FAULTS = (
    ("stripe", "confirm", "lose_answer"),
    ("shippo", "rates", "error"),
    ("twilio", "send", "error_after"),
    ("mail", "send", "error"),
    ("warehouse", "request", "lose_answer"),
)
PERSONAL = (
    "zebulon",
    "quill",
    "thistledown",
    "hollowmere",
    "5550177",
    "5005550001",
    "bounce@",
    "_secret_",  # of a payment intent, for the customer's browser
)
"""Parts of all of it, in lower case."""
PICKUP = ("P-pickup", "ready_for_pickup")
CONFIRM = ("P-confirm", "payment_action_required")
Found = dict[str, set[str]]


@pytest.fixture(scope="module")
def lived_through(house: House) -> House:
    """A house in which one order went well and others did not, each in its own way."""
    house.stocked(MUG=20)
    house.place(order("P-well", **PERSON))
    for order_id, trouble in TROUBLED.items():
        house.place(order(order_id, **PERSON | trouble))
    for provider, operation, mode in FAULTS:
        order_id = f"P-{provider}"
        house.sandbox.fail(provider, operation, mode, match=order_id)  # type: ignore[arg-type]
        house.place(order(order_id, **PERSON))
    house.place(order("P-pickup", **PERSON) | {"shipping": {"method": "pickup", "location": "OAK", "price": 500}})
    refused_at_the_door(house)
    for order_id, event in (("P-declined", "declined"), ("P-address", "held"), ("P-lost", "held"), CONFIRM, PICKUP):
        house.happened(order_id, event)
    for order_id in ("P-well", "P-bounced", "P-unreadable", *(f"P-{provider}" for provider, _, _ in FAULTS)):
        house.until(lambda order_id=order_id: house.view(order_id)["status"] == "completed", f"{order_id} to end")  # type: ignore[misc]
    house.happened("P-bounced", "message_failed")
    house.settled()
    assert sum(fault["struck"] for fault in house.sandbox.ask("/faults")["faults"]) == len(FAULTS)
    return house


def refused_at_the_door(house: House) -> None:
    """What is wrong with it is said to the caller, and to nobody else."""
    wrong = order("P-wrong", **PERSON | {"phone": "Zebulon's own: 5550177"})
    assert house.api.post("/v1/orders", json=wrong).status_code == 422
    assert house.api.post("/v1/orders", content='{"name": "Zebulon').status_code == 400
    for sender in ("stripe", "shippo", "twilio", "warehouse"):
        answer = house.api.post(f"/webhooks/{sender}", content="Zebulon, 77 Thistledown Lane")
        assert answer.status_code in (400, 401)


@pytest.fixture(scope="module")
def found(lived_through: House) -> Found:
    """Every place that may hold no personal data, and what of it (or of our own ids) it holds."""
    return {place: held(text) for place, text in places(lived_through)}


def held(text: bytes) -> set[str]:
    text = text.lower()
    return {word for word in (*PERSONAL, "p-well") if word.encode() in text}


def places(house: House) -> Iterator[tuple[str, bytes]]:
    yield "metrics of the API", house.api.get("/metrics").raise_for_status().content
    yield "metrics of the worker", httpx.get(house.metrics, trust_env=False).raise_for_status().content
    for log in (house.home.path / "logs").iterdir():
        yield log.name, log.read_bytes()
    yield "cells of the engine's database", b"\n".join(cells(house.home.engine))
    # what was written last is in its log alone
    yield "bytes of the engine's files", b"".join(file.read_bytes() for file in house.home.path.glob("engine.db*"))


def cells(database: Path) -> Iterator[bytes]:
    """Every value of every table: in the file a long one is scattered over pages."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.text_factory = bytes
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for row in connection.execute(f'SELECT * FROM "{table.decode()}"'):
            yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)
    connection.close()


def test_no_personal_data_is_kept_where_it_does_not_belong(found: Found) -> None:
    assert {place: words - {"p-well"} for place, words in found.items() if words - {"p-well"}} == {}
    assert {"api.log", "worker.log", "engine.log", "sandbox.log"} <= set(found)


def test_the_search_finds_what_is_there(found: Found, lived_through: House) -> None:
    """Else it would prove nothing: the order's id in the engine's database, and the person in ours."""
    for place in ("cells of the engine's database", "bytes of the engine's files"):
        assert "p-well" in found[place], place
    orders = [lived_through.api.get(f"/v1/orders/{order_id}").content for order_id in ("P-well", "P-confirm")]
    known = b"".join(orders) + lived_through.sandbox.client.get("/mailbox").content
    assert held(known) >= {"zebulon", "quill", "hollowmere", "_secret_"}
    written = (lived_through.home.path / "logs" / "worker.log").read_text()
    assert "worker_ready" in written
    assert re.search(r"temporal_\w+", httpx.get(lived_through.metrics, trust_env=False).text)


def test_the_code_of_a_pickup_is_in_its_message_and_nowhere_of_ours(lived_through: House) -> None:
    """Not in a row, an event, an answer, a history or a log."""
    letters = lived_through.sandbox.ask("/mailbox", order_id="P-pickup")["messages"]
    sent = {code for letter in letters for code in re.findall(r"\b\d{8}\b", letter["text"])}
    assert len(sent) == 1, letters
    [code] = sent
    asked = ("/v1/orders/P-pickup", "/v1/orders/P-pickup/effects", "/v1/orders")
    ours = [
        *places(lived_through),
        *((path, lived_through.api.get(path).raise_for_status().content) for path in asked),
        ("the database", b"\n".join(rows_of(lived_through))),
    ]
    assert [place for place, text in ours if code.encode() in text] == []
    assert all(b"P-pickup" in text for place, text in ours if place in (*asked, "the database")), "it would be found"


def rows_of(house: House) -> Iterator[bytes]:
    with house.looks() as tx:
        for table in metadata.sorted_tables:
            for row in tx.execute(select(table)):
                yield from (str(value).encode() for value in row)
