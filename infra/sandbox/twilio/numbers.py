"""Numbers with a meaning: the vendor's own magic numbers, and ours."""

import re

E164 = re.compile(r"\+[1-9]\d{6,14}")
ALPHANUMERIC_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")
SHORT_CODE = re.compile(r"\d{3,6}")

REFUSED_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
REFUSED_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
LATE = re.compile(r"00(3000[3-8])$")

TRIGGERS = [
    ("To +15005550001", "refused: invalid number (21211)"),
    ("To +15005550002", "refused: cannot be routed (21612)"),
    ("To +15005550003", "refused: region not permitted (21408)"),
    ("To +15005550004", "refused: unsubscribed by STOP (21610)"),
    ("To +15005550009", "refused: not a mobile number (21614)"),
    ("From +15005550001", "refused: invalid sender (21212)"),
    ("From +15005550007", "refused: not your number (21606)"),
    ("From +15005550008", "429: the sender's queue is full (21611)"),
    ("To …0030003 to …0030008 (+14150030003)", "taken, and later undelivered with code 30003 … 30008"),
    ("To any other number", "queued, then sent and delivered, a pace apart, each with a signed status callback"),
    ("POST /_sandbox/twilio/messages/{sid}/{sent|delivered|undelivered|failed}", "the carrier tells it now"),
]


def refusal(to: str, sender: str) -> int | None:
    """The code with which Twilio refuses this pair at once."""
    if not (E164.fullmatch(sender) or SHORT_CODE.fullmatch(sender) or ALPHANUMERIC_SENDER.fullmatch(sender)):
        return 21212
    if not E164.fullmatch(to):
        return 21211
    return REFUSED_FROM.get(sender) or REFUSED_TO.get(to)


def late_failure(to: str) -> int | None:
    """The code with which a message to this number comes to nothing later."""
    found = LATE.search(to)
    return int(found[1]) if found else None
