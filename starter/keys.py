"""API keys: 256 random bits, stored hashed, each with a name, what it may do, and perhaps the one channel, place or
till that it is for."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from infra.clock import wall_clock
from infra.database.tables import ApiKey

Scope = Literal["orders:read", "orders:write", "orders:operate", "stock:write", "stock:count", "store", "till", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
OF_A_PLACE: frozenset[Scope] = frozenset({"store", "stock:write", "till", "stock:count"})
"""What a key may do that is bound to a place: all else would let it act beyond that."""
OF_A_TILL: frozenset[Scope] = frozenset({"till"})
"""The same of one that is bound to a till. Only a key that is bound to either has this scope."""
KEY = re.compile(r"ord_[A-Za-z0-9_-]{43}")
"""What is written otherwise was never given to anyone, and is not looked up."""


class KeyTaken(ValueError):
    """There is a key of this name."""


@dataclass(frozen=True)
class Caller:
    """Who asks: the key's name stands in the order's records as `by`."""

    name: str
    scopes: frozenset[str]
    key_id: str
    channel: str | None = None
    """The one whose orders this key is for; none: all."""
    location: str | None = None
    """The place that this key is bound to; none: it is of no place."""
    till: str | None = None
    """The till that it is bound to; none: it is of no till."""

    def may(self, *scopes: Scope) -> bool:
        """Any of these is enough; `admin` may do all."""
        return not self.scopes.isdisjoint({*scopes, "admin"})

    def sees(self, channel: str) -> bool:
        return self.channel in (None, channel)

    def acts_at(self, location: str) -> bool:
        return self.location in (None, location)

    def sells_at(self, till: str, location: str) -> bool:
        return self.till in (None, till) and self.acts_at(location)

    @property
    def knows_customers(self) -> bool:
        """Customers are of no channel, place or till."""
        return self.channel is self.location is self.till is None


class NotOfAPlace(ValueError):
    """Scopes that no key has which is bound to a place or a till; or that only such a key has."""


def create(
    tx: Session,
    name: str,
    scopes: Iterable[Scope],
    channel: str | None = None,
    location: str | None = None,
    till: str | None = None,
) -> str:
    """A new key, to be shown once; of a location and a till that are known. Raises `KeyTaken`, `NotOfAPlace`."""
    fit = OF_A_TILL if till else OF_A_PLACE if location else frozenset[Scope](SCOPES) - OF_A_TILL
    if beyond := sorted(set(scopes) - fit):
        raise NotOfAPlace(", ".join(beyond))
    if tx.scalars(select(ApiKey.key_id).where(ApiKey.name == name)).first():
        raise KeyTaken(name)
    key = f"ord_{secrets.token_urlsafe(32)}"
    tx.add(
        ApiKey(
            key_id=secrets.token_hex(8),
            name=name,
            digest=digest(key),
            scopes=sorted(set(scopes)),
            channel=channel,
            location_id=location,
            till_id=till,
            recorded_at=wall_clock(),
        )
    )
    tx.flush()
    return key


def revoke(tx: Session, name: str) -> bool:
    """False: there is no such key, or it is revoked already."""
    key = tx.scalars(select(ApiKey).where(ApiKey.name == name, ApiKey.revoked_at.is_(None))).first()
    if key is None:
        return False
    key.revoked_at = wall_clock()
    return True


GOOD = select(ApiKey).where(ApiKey.digest == bindparam("digest"), ApiKey.revoked_at.is_(None))


def caller(tx: Session, given: str) -> Caller | None:
    """Whose key this is. The look-up is by hash, so its time tells nothing about any key."""
    if not KEY.fullmatch(given):
        return None
    found = tx.scalars(GOOD, {"digest": digest(given)}).first()
    if found is None or not hmac.compare_digest(found.digest, digest(given)):
        return None
    bound = {"channel": found.channel, "location": found.location_id, "till": found.till_id}
    return Caller(name=found.name, scopes=frozenset(found.scopes), key_id=found.key_id, **bound)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
