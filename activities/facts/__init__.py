"""The only writer: one function per fact. Each writes its rows, the statuses, the timeline and what the customer is to
hear, inside the caller's transaction; each is safe to call again with the same news."""

from activities.facts import (
    addresses,
    cancellation,
    catalogue,
    fulfillments,
    handing_over,
    holds,
    inventory,
    journal,
    labels,
    messages,
    money,
    packing,
    placing,
    recall,
    reserving,
    rest,
    short_pick,
    tracking,
)

__all__ = [
    "addresses",
    "cancellation",
    "catalogue",
    "fulfillments",
    "handing_over",
    "holds",
    "inventory",
    "journal",
    "labels",
    "messages",
    "money",
    "packing",
    "placing",
    "recall",
    "reserving",
    "rest",
    "short_pick",
    "tracking",
]
