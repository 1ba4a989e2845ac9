"""Units and where they are."""

from enum import StrEnum


class LocationKind(StrEnum):
    WAREHOUSE = "warehouse"


class ReservationStatus(StrEnum):
    HELD = "held"
    CONSUMED = "consumed"
    RELEASED = "released"


class BackorderStatus(StrEnum):
    WAITING = "waiting"
    ALLOCATED = "allocated"
    CANCELLED = "cancelled"


class StockMoveKind(StrEnum):
    """Why a stock figure changed."""

    RECEIVED = "received"
    RESERVED = "reserved"
    ALLOCATED = "allocated"
    RELEASED = "released"
    SHIPPED = "shipped"
    PICKED_UP = "picked_up"
    SHORT_PICKED = "short_picked"
    RETURNED = "returned"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
