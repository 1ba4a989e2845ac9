"""What is asked of an order: why it can't be, and when it was asked before. The same request again is the same change,
known by the id that whoever asks gives it, and a digest of what they ask."""

import hashlib
import json
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.database.tables import Change


class NothingLeft(Exception):
    """Nothing is left of what is asked for; the text says why."""


class WrongFields(Exception):
    """Fields, and what is wrong with each."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {message}" for field, message in errors))
        self.errors = errors


class OtherContent(Exception):
    """The id was used before, for something else."""

    def __init__(self) -> None:
        super().__init__("this request_id was used before, for something else")


Impossible = (NothingLeft, WrongFields, OtherContent)
"""Then nothing has changed."""


class Asked(NamedTuple):
    change: Change | None
    """None: it is happening anyway."""
    new: bool


def digest(**asked: Any) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def asked_before(tx: Session, order_id: str, request_id: str | None, content: str) -> Change | None:
    """The caller holds the order's lock. Without an id each request is one of its own."""
    if request_id is None:
        return None
    mine = (Change.order_id == order_id, Change.request_id == request_id)
    known = tx.scalars(select(Change).where(*mine)).first()
    if known is not None and known.digest != content:
        raise OtherContent
    return known
