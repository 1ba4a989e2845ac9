"""The only writer: one function per fact. Each writes its rows, the axes, the timeline and what the customer is to
hear, inside the caller's transaction; each is safe to call again with the same news."""

from activities.facts import (
    catalogue,
    goods,
    holds,
    labels,
    messages,
    money,
    orders,
    packing,
    planning,
    rest,
    shelves,
    stock,
    tracking,
)

__all__ = [
    "catalogue",
    "goods",
    "holds",
    "labels",
    "messages",
    "money",
    "orders",
    "packing",
    "planning",
    "rest",
    "shelves",
    "stock",
    "tracking",
]
