"""A refusal says what is wrong: one error for one mistake, in words, without patterns and without what was typed."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic_core.core_schema import ErrorType

from activities.intake.fields import ID, WORDS
from starter.http.problems import FREE_FORM, MESSAGES, MOST_ERRORS, message_of
from tests.starter.door import ADDRESS, Api

LINE = {"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800}
ADA = {"name": "Ada Park", "email": "ada@example.com"}
TYPED = "For my dear Aunt Jo"


def to(**changes: Any) -> dict[str, Any]:
    return {"shipping": {"price": 500, "address": ADDRESS | changes}}


def picked_up(lines: list[dict[str, Any]] | None = None, **shipping: Any) -> dict[str, Any]:
    return {"shipping": {"method": "pickup", "price": 500} | shipping} | ({"lines": lines} if lines else {})


def paid(*tenders: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"payment": None, "payments": [*tenders], **more}


def costing(total: int) -> dict[str, Any]:
    line = {"sku": "MUG-BLUE", "quantity": 1, "unit_price": total}
    return {"lines": [line], "shipping": {"address": ADDRESS}, "tax": 0, "total": total}


CARD, INTENT = {"method": "card", "payment_method": "pm_card_visa"}, {"method": "payment_intent", "reference": "pi_1"}
TILL, VOUCHER = ({"method": "external", "reference": name} for name in ("till", "voucher"))
LATER = TILL | {"due": "at_hand_over"}
ORDERS = [
    ({"lines": [LINE | {"quantity": 0}]}, "lines[0].quantity", "must be at least 1"),
    ({"lines": [LINE | {"quantity": 1.5}]}, "lines[0].quantity", "must be a whole number"),
    ({"lines": [LINE | {"unit_price": "18.00"}]}, "lines[0].unit_price", "must be a whole number"),
    ({"lines": [LINE | {"unit_price": 10**13}]}, "lines[0].unit_price", "must be at most 1000000000000"),
    ({"lines": [LINE | {"options": {TYPED: 5}}]}, "lines[0].options", "must be text"),
    ({"lines": [LINE | {"options": {"wrap": 5}}]}, "lines[0].options", "must be text"),
    ({"lines": [LINE | {"options": {TYPED * 9: "A"}}]}, "lines[0].options", "is too long: at most 50 characters"),
    ({"lines": [LINE | {"options": TYPED}]}, "lines[0].options", "must be an object"),
    ({"lines": []}, "lines", "must not be empty"),
    ({"lines": TYPED}, "lines", "must be a list"),
    ({"lines": [LINE] * 2001}, "lines", "has too many entries: at most 2000"),
    ({"order_id": "#1001"}, "order_id", f"{WORDS[ID]}; another system's number goes into reference"),
    ({"customer": ADA | {"customer_id": "a/b"}}, "customer.customer_id", WORDS[ID]),
    ({"order_id": "ord_1"}, "order_id", "may not begin with ord_: such ids are made here"),
    ({"customer": ADA | {"customer_id": "guest-1"}}, "customer.customer_id", "may not begin with guest-: such ids"),
    ({"customer": ADA | {"phone": "not a phone"}}, "customer.phone", "is not a telephone number: write it with"),
    ({"customer": ADA | {"email": "Ada"}}, "customer.email", "must be one email address, as ada@example.com"),
    ({"customer": ADA | {"name": "\u200b"}}, "customer.name", "must not be empty"),
    ({"customer": ADA | {"name": "a\x1b[2J"}}, "customer.name", "has control characters or line breaks: leave them"),
    ({"customer": ADA | {"name": 5}}, "customer.name", "must be text"),
    ({"customer": {"email": "ada@example.com"}}, "customer.name", "is missing"),
    ({"customer": ADA | {"notify": ["pigeon"]}}, "customer.notify[0]", "must be 'email' or 'sms'"),
    ({"customer": ADA | {"notify": ["sms"]}}, "customer.phone", "is needed, as notify names sms"),
    ({"customer": ADA | {"locale": "english"}}, "customer.locale", "is not a language tag (BCP 47), as en, de-AT or"),
    ({"customer": TYPED}, "customer", "must be an object"),
    (to(country="XX"), "shipping.address.country", "is not a country's code of two letters (ISO 3166), as US or DE"),
    (to(zip="8020"), "shipping.address.zip", "is not a postal code of this country"),
    (to(zip=""), "shipping.address.zip", "is needed for addresses in this country"),
    (to(state=""), "shipping.address.state", "is needed for addresses in this country"),
    (picked_up(), "shipping.location", "is missing"),
    (picked_up(location="MOON"), "shipping.location", "is not known"),
    (picked_up(location="OAK"), "shipping.location", "takes no pickups"),
    (picked_up(location="OAK", method="counter"), "shipping.location", "is for a pickup: leave it out"),
    (picked_up(location="BER", lines=[LINE | {"ship_to": ADDRESS}]), "lines[0].ship_to", "is not for an order that is"),
    ({"shipping": {"price": 500}}, "shipping.address", "is missing"),
    ({"shipping": {"price": 500, "address": ADDRESS, "location": "BER"}}, "shipping.location", "is for a pickup: lea"),
    ({"shipping": {"price": 500, "address": ADDRESS, "person": "Bo"}}, "shipping.person", "is for a pickup: leave it"),
    ({"currency": "isk"}, "currency", "is not a currency that is known here, as usd or eur"),
    ({"payment": {"method": "barter"}}, "payment.method", "names a method that is not known here"),
    ({"payment": {"method": "card"}}, "payment.payment_method", "is missing"),
    ({"payment": {"method": "payment_intent"}}, "payment.reference", "is missing"),
    ({"payment": {"method": "invoice"}}, "payment.method", "is not supported yet: no invoices, but card, payment_inte"),
    ({"payment": None}, "payment", "is missing"),
    (costing(49), "total", "must be at least 50 to go to a card"),
    (costing(100_000_000), "total", "must be at most 99999999 to go to a card"),
    (paid(CARD, payment=CARD), "payments", "and payment are given: give one of them"),
    (paid(TILL | {"amount": 9}, {"method": "invoice"}), "payments[1].method", "is not supported yet: no invoices"),
    (paid(TILL | {"amount": 9}, {"method": "card"}), "payments[1].payment_method", "is missing"),
    (paid(TILL | {"amount": 0}, CARD), "payments[0].amount", "must be at least 1"),
    (paid(TILL, CARD), "payments[1].amount", "is missing: one of them may pay the rest, not two"),
    (paid(TILL | {"amount": 4411}, CARD), "payments", "make 4411, but the total is 4410"),
    (paid(TILL | {"amount": 9}, VOUCHER | {"amount": 9}), "payments", "make 18, but the total is 4410"),
    (paid(TILL | {"amount": 4361}, CARD), "payments[1].amount", "is 49, and must be at least 50 to go to a card"),
    (paid(TILL | {"amount": 4410}, INTENT), "payments[1].amount", "is 0, and must be at least 50 to go to a card"),
    (paid(TILL | {"amount": 9}, TILL), "payments[1].reference", "is named twice: give it once, with both amounts"),
    (paid(CARD | {"amount": 900}, CARD), "payments[1].payment_method", "is named twice: give it once, with both"),
    (paid(CARD | {"amount": 900}, INTENT), "payments[1].method", "is not supported yet: one card or payment intent,"),
    (paid(LATER | {"amount": 9}, CARD), "payments[0].due", "is not supported yet beside others"),
    ({"payment": LATER}, "payment.due", "is for what is picked up: leave it out"),
    ({"surprise": 1}, "surprise", "is not a field that is known here"),
    ({TYPED: 1}, "body", "is not a field that is known here"),
]


@pytest.mark.parametrize(("changes", "field", "message"), ORDERS)
async def test_one_mistake_is_one_error_in_words(api: Api, changes: dict[str, Any], field: str, message: str) -> None:
    answer = await api.place(**changes)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"].startswith(message)
    assert TYPED not in answer.text


async def test_numbers_of_the_country_and_two_letters_that_people_write_are_taken(api: Api) -> None:
    address = ADDRESS | {"country": "UK", "state": "", "city": "London", "zip": "sw1a 1aa"}
    london = {"name": "London", "address": address}
    assert (await api.client.put("/v1/locations/LON", json=london)).status_code == 201
    customer = ADA | {"phone": "020 7946 0018", "locale": "en_gb"}
    answer = await api.place(currency="USD", customer=customer, shipping={"price": 500, "address": address})
    assert answer.status_code == 202, answer.text
    order = answer.json()
    assert (order["customer"]["phone"], order["customer"]["locale"]) == ("+442079460018", "en-GB")
    assert (order["shipping"]["address"]["country"], order["shipping"]["address"]["zip"]) == ("GB", "SW1A 1AA")
    again = await api.place(currency="usd", customer=customer, shipping={"price": 500, "address": address})
    assert again.status_code == 200


async def test_an_answer_names_a_hundred_fields_and_counts_the_rest(api: Api) -> None:
    wrong = [LINE | {"quantity": 0}] * 250
    for lines in (wrong, [LINE | {"sku": "NOPE"}] * 250):
        total = 250 * 2 * 1800 + 810
        problem = (await api.place(lines=lines, total=total)).json()
        assert (len(problem["errors"]), problem["more_errors"]) == (MOST_ERRORS, 150)
        assert problem["detail"].endswith("and 247 more")
    assert "more_errors" not in (await api.place(lines=wrong[:100])).json()


async def test_every_pattern_of_the_api_has_its_words(api: Api) -> None:
    document = (await api.client.get("/openapi.json")).json()
    asked = {name: schema for name, schema in document["components"]["schemas"].items() if "News" not in name}
    patterns = {node["pattern"] for node in nodes(asked) if isinstance(node.get("pattern"), str)}
    assert patterns
    assert patterns <= WORDS.keys()


async def test_the_free_maps_of_the_api_are_known_as_such(api: Api) -> None:
    schemas = (await api.client.get("/openapi.json")).json()["components"]["schemas"]
    free = {
        name
        for title, schema in schemas.items()
        if schema.get("additionalProperties") is False and not title.endswith("Answer")
        for name, field in schema["properties"].items()
        if any(node.keys() & {"additionalProperties", "patternProperties"} for node in nodes(field))
    }
    assert free == set(FREE_FORM)


def test_of_no_error_the_library_speaks_itself() -> None:
    assert MESSAGES.keys() <= set(get_args(ErrorType))
    for kind in set(get_args(ErrorType)) - MESSAGES.keys():
        error = {"type": kind, "msg": "Input should be", "ctx": {"pattern": "^x$", "min_length": 1}}
        assert "Input should" not in message_of(error)
    for message in [*MESSAGES.values(), *WORDS.values()]:
        assert not re.search(r"[\\^\[\]]|[Ii]nput|[Tt]uple", message)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []:
        yield from nodes(part)
