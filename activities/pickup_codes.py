"""What a customer shows to be handed their order. Derived when it is needed, and stored nowhere: whoever has a copy of
the tables, or of a log, has none."""

import hmac
from collections.abc import Sequence

from pydantic import SecretStr

DIGITS = 8
MOST_TRIES = 5
"""Then another code is sent, and this one opens nothing any more."""


class PickupCodes:
    def __init__(self, keys: Sequence[SecretStr]) -> None:
        """Codes are made with the first key, and taken if any of them made it. Without one there are no pickups."""
        self.keys = [key.get_secret_value().encode() for key in keys]

    def __bool__(self) -> bool:
        return bool(self.keys)

    def code(self, fulfillment_id: str, n: int) -> str:
        return derived(self.keys[0], fulfillment_id, n)

    def fits(self, typed: str, fulfillment_id: str, n: int) -> bool:
        """Told in constant time, whichever key it is."""
        given = typed.encode()
        return sum(hmac.compare_digest(given, derived(key, fulfillment_id, n).encode()) for key in self.keys) > 0


def derived(key: bytes, fulfillment_id: str, n: int) -> str:
    digest = hmac.digest(key, f"{fulfillment_id} {n}".encode(), "sha256")
    return f"{int.from_bytes(digest) % 10**DIGITS:0{DIGITS}}"
