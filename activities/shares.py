"""Sharing money out over units, once and to the last minor unit. Captures and refunds add shares and never divide."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol


class Share(NamedTuple):
    """`quantity` units from `first_unit` on that cost the same. Amounts are minor units each."""

    first_unit: int
    quantity: int
    price: int
    tax: int
    discount: int
    shipping: int

    @property
    def total(self) -> int:
        return self.price + self.tax + self.shipping - self.discount


class Priced(Protocol):
    """A stored share."""

    first_unit: int
    quantity: int
    total: int


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` in parts as proportional to `weights` as whole minor units allow; the parts add up to it exactly."""
    if not sum(weights):
        weights = [1] * len(weights)
    whole, parts, given, seen = sum(weights), [], 0, 0
    for weight in weights:
        seen += weight
        due = amount * seen // whole
        parts.append(due - given)
        given = due
    return parts


def unit_shares(quantity: int, price: int, tax: int, discount: int, shipping: int) -> list[Share]:
    """A line's amounts per unit, as runs of equal units: the first units carry the odd minor units."""
    odd = {amount % quantity for amount in (tax, discount, shipping)}
    bounds = sorted({0, quantity, *odd})
    return [
        Share(
            first,
            after - first,
            price,
            *(amount // quantity + (first < amount % quantity) for amount in (tax, discount, shipping)),
        )
        for first, after in pairwise(bounds)
    ]


def cost(shares: Iterable[Priced], first_unit: int, quantity: int) -> int:
    """What `quantity` units of a line from `first_unit` on cost, by the stored shares."""
    after = first_unit + quantity
    return sum(s.total * max(0, min(after, s.first_unit + s.quantity) - max(first_unit, s.first_unit)) for s in shares)
