"""What became of what we are told."""

from enum import StrEnum


class NewsOutcome(StrEnum):
    """What became of a piece of news."""

    TAKEN = "taken"
    """It changed something."""
    UNCHANGED = "unchanged"
    """Late, an echo of our own call, or known by another way."""
    IGNORED = "ignored"
    """Of a type, or about something, that is not ours."""
    FORBIDDEN = "forbidden"
    """About a location that is not the sender's."""
    KNOWN = "known"
    """This very news was taken before."""
    WAITING = "waiting"
    """About what we do not know yet: applied as soon as we do."""
    UNMATCHED = "unmatched"
    """Waiting, and longer than any transaction of ours takes: a person sees to it, unless it comes to be after all."""
    FINDING = "finding"
    """Under the id of earlier news, and not what that said."""
    RESOLVED = "resolved"
    """A person has seen to what was unmatched, or to a finding."""
