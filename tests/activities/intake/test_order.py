"""The same meaning is the same order."""

from copy import deepcopy
from typing import Any

import pytest

from activities.intake.example import EXAMPLE
from activities.intake.order import AskedLine, AskedOrder

RECORDED = "ed7416eb025da04462e7000b7479b5a42c900f41a76f9e2f6233390024c7a59e"
"""Of the example, when its hash was first released: another one would make known orders other ones."""


def hash_of(**changes: Any) -> str:
    return AskedOrder.model_validate(deepcopy(EXAMPLE) | changes).content_hash()


def line(**changes: Any) -> dict[str, Any]:
    return {"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800} | changes


def taxed(*parts: Any, tax: int = 310) -> dict[str, Any]:
    """Of rates and amounts, one after the other."""
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return line(tax=tax, tax_lines=[{"jurisdiction": "US-CA", "rate": rate, "amount": n} for rate, n in pairs])


def tenders(*payments: dict[str, Any]) -> dict[str, Any]:
    return {"payment": None, "payments": [*payments]}


CARD, TILL = EXAMPLE["payment"], {"method": "external", "reference": "till"}
GUEST = {"name": "Ada Park", "email": "ada@example.com"}
ENGRAVED = line(options={"engraving": "A", "wrap": "red"})


def test_the_hash_of_the_example_is_the_recorded_one() -> None:
    assert hash_of() == RECORDED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"lines": [ENGRAVED]}, {"lines": [line(options={"wrap": "red", "engraving": "A"})]}),
        (
            {"customer": GUEST | {"phone": "+14155550155", "notify": ["email", "sms"]}},
            {"customer": GUEST | {"phone": "(415) 555-0155", "notify": ["sms", "email", "sms"]}},
        ),
        ({}, {"currency": "USD"}),
        ({}, {"order_id": "another"}),
        ({}, {"discount": 0, "channel": "web", "backorder": "ship_partial"}),
        ({}, {"lines": [line(options={}, tax=None, ship_to=None)]}),
        (
            {"customer": GUEST},
            {"customer": GUEST | {"customer_id": None, "phone": "", "locale": "en", "notify": ["email"]}},
        ),
        ({}, {"promised_on": None, "tax_included": False, "lines": [line(tax_lines=[])]}),
        ({"lines": [taxed("0.0825", 310)]}, {"lines": [taxed("0.08250", 310)]}),
        ({"customer": GUEST | {"locale": "en_us"}}, {"customer": GUEST | {"locale": "en-US"}}),
        ({}, tenders(CARD)),
        ({}, tenders(CARD | {"amount": 4410})),
        (tenders(TILL | {"amount": 1000}, CARD), tenders(TILL | {"amount": 1000}, CARD | {"amount": 3410})),
    ],
)
def test_the_same_meaning_is_the_same_content(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert hash_of(**one) == hash_of(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"lines": [ENGRAVED]}, {"lines": [line()]}),
        (
            {"lines": [line(quantity=1), line(quantity=1, options={"wrap": "red"})]},
            {"lines": [line(quantity=1, options={"wrap": "red"}), line(quantity=1)]},
        ),
        (
            {"payment": {"method": "external", "reference": "till"}},
            {"payment": {"method": "card", "payment_method": "till"}},
        ),
        ({}, {"lines": [line(tax=310)]}),
        ({}, tenders(TILL | {"amount": 1000}, CARD)),
        (tenders(TILL | {"amount": 1000}, CARD), tenders(TILL | {"amount": 1001}, CARD)),
        (tenders(TILL | {"amount": 1000}, CARD), tenders(CARD, TILL | {"amount": 1000})),
        ({"lines": [line(tax=310)]}, {"lines": [taxed("0.0825", 310)]}),
        ({"lines": [taxed("0.0825", 310)]}, {"lines": [taxed("0.08", 310)]}),
        ({"lines": [taxed("0.0825", 310)]}, {"lines": [taxed("0.06", 200, "0.0225", 110)]}),
        ({}, {"tax_included": True, "total": 4100}),
        ({}, {"promised_on": "2026-12-24"}),
        ({"customer": {"customer_id": "C-7"}}, {"customer": {"customer_id": "C-7", "locale": "en"}}),
        ({"customer": {"customer_id": "C-7"}}, {"customer": {"customer_id": "C-7", "notify": []}}),
    ],
)
def test_another_meaning_is_other_content(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert hash_of(**one) != hash_of(**other)


def test_a_field_that_comes_later_leaves_known_hashes_alone() -> None:
    class LaterLine(AskedLine):
        gift_wrapped: bool = False

    class LaterOrder(AskedOrder):
        lines: tuple[LaterLine, ...]
        gift_note: str | None = None

    assert LaterOrder.model_validate(deepcopy(EXAMPLE)).content_hash() == hash_of()
    assert LaterOrder.model_validate(deepcopy(EXAMPLE) | {"gift_note": "2026-12-24"}).content_hash() != hash_of()
