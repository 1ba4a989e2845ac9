"""Which order a text is about: messages name it in words, `order W-1001`, and carry no field for it."""

import re

MENTION = re.compile(r"\border ([A-Za-z0-9][A-Za-z0-9._-]{0,63})", re.IGNORECASE)


def order_in(text: str) -> str:
    """The id of the first order that is named, or nothing."""
    found = MENTION.search(text)
    return found[1].rstrip("._-") if found else ""
