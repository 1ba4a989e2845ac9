"""The same request again is the same change: known by the id that whoever asks gives it, and a digest of what they
ask."""

import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.database.tables import Change


class OtherContent(Exception):
    """The id was used before, for something else."""


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
