"""Units and where they are."""

from enum import StrEnum

OWN = "own"
"""What a location's `warehouse` says where no system works: its people do, and say what they did."""


class LocationKind(StrEnum):
    WAREHOUSE = "warehouse"


class ReservationStatus(StrEnum):
    HELD = "held"
    DISPLACED = "displaced"
    """Still its order's, with no stock behind it: somebody else took the units, and the order has yet to look."""
    CONSUMED = "consumed"
    RELEASED = "released"


UNSENT = (ReservationStatus.HELD, ReservationStatus.DISPLACED)
"""Of units that are set aside and have not left."""


class ClaimStatus(StrEnum):
    """Of what a checkout has set aside. What is over may still hold units, until somebody asks for them."""

    HELD = "held"
    USED = "used"
    RELEASED = "released"
    EXPIRED = "expired"


class BackorderStatus(StrEnum):
    WAITING = "waiting"
    ALLOCATED = "allocated"
    CANCELLED = "cancelled"
    ASKED = "asked"
    """Of the customer, whose store does not have them: in no queue, and for no other store, until they choose."""
    ANSWERED = "answered"


class StockMoveKind(StrEnum):
    """Why a stock figure changed."""

    RECEIVED = "received"
    RESERVED = "reserved"
    CLAIMED = "claimed"
    ALLOCATED = "allocated"
    RELEASED = "released"
    SHIPPED = "shipped"
    PICKED_UP = "picked_up"
    SHORT_PICKED = "short_picked"
    RETURNED = "returned"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    DISPLACED = "displaced"
    FOUND = "found"
    SOLD = "sold"
    COUNTED = "counted"


class Condition(StrEnum):
    """Of what comes back."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    """On the shelf, and not for sale."""


class CountStatus(StrEnum):
    OPEN = "open"
    """Some of it is to be counted."""
    REVIEW = "review"
    """All is counted, and a person is to decide about what differs."""
    CLOSED = "closed"


class CountLineStatus(StrEnum):
    ASKED = "asked"
    REVIEW = "review"
    ACCEPTED = "accepted"
