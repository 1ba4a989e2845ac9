"""Which order a text is about: messages name it in words, in the customer's language, and carry no field for it."""

import re

MENTION = re.compile(r"\b(?:order|bestellung) ([A-Za-z0-9][A-Za-z0-9._-]{0,63})", re.IGNORECASE)
"""As they begin in every language that is spoken: the first that is named is the order's own."""


def order_in(text: str) -> str:
    """The id of the first order that is named, or nothing."""
    found = MENTION.search(text)
    return found[1].rstrip("._-") if found else ""
