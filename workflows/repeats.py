"""Steps that went well and changed nothing: not repeated without pause, and not for ever in silence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class Repeat:
    """A step after which all was as before."""

    known: object
    since: datetime
    """When it first changed nothing."""
    at: datetime
    pause: timedelta = timedelta(seconds=1)

    def again(self, now: datetime) -> "Repeat":
        return Repeat(self.known, self.since, now, min(self.pause * 2, LONGEST_PAUSE))
