"""The wall clock: signatures, leases, and when a row was written. Business time is the workflow's."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    return datetime.now(UTC)


def instant_told(theirs: datetime | None, ours: datetime | None = None) -> datetime:
    """When something happened outside: the earlier of the teller's clock and ours as we hear of it, in whole
    seconds."""
    ours = ours or wall_clock()
    return min(theirs or ours, ours).replace(microsecond=0)
