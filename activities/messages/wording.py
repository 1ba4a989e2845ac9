"""What customers read: from facts to the words of one email and one short message.

Pure functions. The same notice always gives the same words, and no two notices of an order the same ones: a look-up
after a lost answer compares texts. What is known about a kind, in its data (all of it optional):

    subject                       which fulfillment, parcel, payment or refund it is about
    total, amount, refunded       money, in minor units of the notice's currency
    expected                      a day, ISO 8601
    deadline                      a day, or an instant
    good_until                    an instant: when money set aside before is no longer
    links                         addresses for tracking, separated by spaces
    url                           where to pay, confirm or answer
    place, address                where it is to be picked up
    code                          which opens that
    items                         as the customer knows them
    left                          those of them that had left already
    paid_as                       how it was paid elsewhere
    maybe_charged                 set where money was taken, or nobody knows whether: then it is not said that none was
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from string import Formatter
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from activities.messages.phrases import LOCALES, Language
from infra.words import MessageKind

Facts = Mapping[str, str | int]
MONEY = frozenset({"total", "amount", "refunded"})
DAYS = frozenset({"expected", "deadline", "good_until"})

# ISO 4217: how many digits the minor unit has, where it is not two.
NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
MINOR_DIGITS = dict.fromkeys(NO_DIGITS.split(), 0) | dict.fromkeys(THREE_DIGITS.split(), 3)
# Only signs of the SMS alphabet: any other would halve a message's length.
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


class Notice(BaseModel):
    """One message: what happened, oldest first, and to whom it is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: str
    kinds: list[tuple[MessageKind, dict[str, str | int]]]
    name: str = ""
    locale: str = "en"
    currency: str
    time_zone: str = "UTC"
    """Where the customer lives: instants are told by their clock, which is named only where it is not known."""


def email(notice: Notice) -> tuple[str, str]:
    """Subject and text."""
    language = language_of(notice.locale)
    phrases = [(language.phrases[kind], _facts(notice, data, language)) for kind, data in notice.kinds]
    headlines = list(dict.fromkeys(phrase.headline for phrase, _ in phrases))
    paragraphs = [
        _said(language.greeting, {"name": _one_line(notice.name)} if notice.name.strip() else {}),
        *(_said(phrase.text, facts) for phrase, facts in phrases),
        _said(language.closing, {"order_id": notice.order_id}),
    ]
    return _about(notice, language, ", ".join(headlines)), "\n\n".join(paragraphs) + "\n"


def sms(notice: Notice) -> str:
    """In the SMS alphabet, and in one segment of 160 as long as ids and links are of ordinary length."""
    language = language_of(notice.locale)
    sentences = [_said(language.phrases[kind].sms, _facts(notice, data, language)) for kind, data in notice.kinds]
    return _about(notice, language, " ".join(sentences))


def _about(notice: Notice, language: Language, news: str) -> str:
    return language.about.format(order_id=notice.order_id, news=news)


def money(amount: int, currency: str, locale: str = "en") -> str:
    """An amount of minor units as people write it: `$1,044.10`, `1.044,10 €`, `KWD 1.500`."""
    language, code = language_of(locale), currency.upper()
    digits = MINOR_DIGITS.get(code, 2)
    whole, rest = divmod(abs(amount), 10**digits)
    number = f"{whole:,}".replace(",", language.thousands)
    number += f"{language.decimal}{rest:0{digits}}" if digits else ""
    template = language.signed if code in SIGNS else language.coded
    return ("-" if amount < 0 else "") + template.format(number=number, unit=SIGNS.get(code, code))


@lru_cache(maxsize=1000)
def language_of(locale: str) -> Language:
    """The nearest that is spoken here: Swiss German is answered in German, Filipino in English."""
    if locale in LOCALES:
        return LOCALES[locale]
    from langcodes import closest_supported_match

    try:
        return LOCALES[closest_supported_match(locale, list(LOCALES)) or "en"]
    except ValueError:
        return LOCALES["en"]


def _facts(notice: Notice, data: Facts, language: Language) -> dict[str, str]:
    """What may stand in a sentence. A sum of zero and an empty text are not worth a sentence."""
    known = {"order_id": notice.order_id}
    for name, value in data.items():
        if name in MONEY and isinstance(value, int):
            known |= {name: money(value, notice.currency, notice.locale)} if value else {}
        elif name == "maybe_charged":
            known[name] = ""
        elif name in DAYS:
            known[name] = day_of(str(value), language, notice.time_zone)
        elif name == "subject":
            known[name] = _subject(_one_line(str(value)), language)
        elif value != "":
            known[name] = _one_line(str(value))
    if links := str(data.get("links", "")).split():
        known |= {"links": "\n".join(links), "link": links[0]}
        known |= {"parcels": str(len(links))} if len(links) > 1 else {}
    return known


def _subject(value: str, language: Language) -> str:
    word, _, n = value.partition(" ")
    return language.subjects[word].format(n=n) if word in language.subjects and n else value


def day_of(value: str, language: Language, time_zone: str) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return _one_line(value)
    is_instant = at.tzinfo is not None
    at = at.astimezone(ZoneInfo(time_zone)) if is_instant else at
    day = language.day.format(day=at.day, month=language.months[at.month - 1], year=at.year)
    if not is_instant:
        return day
    instant = language.instant.format(day=day, time=f"{at:%H:%M}")
    return f"{instant} UTC" if time_zone == "UTC" else instant


def _said(template: str, facts: Mapping[str, str]) -> str:
    """Fills in a template. Of `[one {fact}|other]` the first part whose facts are known is said, or nothing."""

    def choose(match: re.Match[str]) -> str:
        return next((part.format_map(facts) for part in match[1].split("|") if _needs(part) <= facts.keys()), "")

    return "".join(
        choose(match) if (match := re.fullmatch(r"\[(.*)\]", part, re.DOTALL)) else part.format_map(facts)
        for part in re.split(r"(\[[^\]]*\])", template)
    )


def _needs(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _one_line(text: str) -> str:
    return " ".join(text.split())
