"""What a language has to offer: a headline, a text and an SMS for each kind of news."""

from typing import NamedTuple

from infra.words import MessageKind


class Phrase(NamedTuple):
    headline: str
    text: str
    sms: str


class Language(NamedTuple):
    about: str
    """How every subject and every SMS begins: it names the order."""
    subjects: dict[str, str]
    """What a text is about where it has no id of its own: `payment 2`."""
    greeting: str
    closing: str
    day: str
    instant: str
    months: tuple[str, ...]
    thousands: str
    decimal: str
    signed: str
    coded: str
    phrases: dict[MessageKind, Phrase]
