"""Allocation of money over units, once and to the last minor unit. What is captured or refunded adds amounts and never
divides."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol


class UnitAmounts(NamedTuple):
    """`quantity` units from `first_unit` on that cost the same. Amounts are minor units each."""

    first_unit: int
    quantity: int
    price: int
    tax: int
    discount: int
    shipping: int
    total: int
    """With the tax, which the price may include."""


class Priced(Protocol):
    """Amounts of units, stored or just allocated."""

    @property
    def first_unit(self) -> int: ...

    @property
    def quantity(self) -> int: ...

    @property
    def total(self) -> int: ...


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` in parts as proportional to `weights` as whole minor units allow. The parts add up to it exactly, and
    none is more than its weight where the amount is not more than all of them."""
    if not sum(weights):
        weights = [1] * len(weights)
    whole, parts, given, seen = sum(weights), [], 0, 0
    for weight in weights:
        seen += weight
        due = amount * seen // whole
        parts.append(due - given)
        given = due
    return parts


def unit_amounts(
    quantity: int, price: int, tax: int, discount: int, shipping: int, *, tax_included: bool = False
) -> list[UnitAmounts]:
    """A line's amounts per unit, as runs of equal units: the first of a run carry the odd minor units. The discount
    follows what units cost, so that none costs less than nothing where the line does not."""
    bounds = sorted({0, quantity, tax % quantity, shipping % quantity})
    runs = []
    for first, after in pairwise(bounds):
        taxed = tax // quantity + (first < tax % quantity)
        sent = shipping // quantity + (first < shipping % quantity)
        total = price + sent + (0 if tax_included else taxed)
        runs.append(UnitAmounts(first, after - first, price, tax=taxed, discount=0, shipping=sent, total=total))
    discounts = allocate(discount, [run.quantity * run.total for run in runs])
    return [part for run, off in zip(runs, discounts, strict=True) for part in discounted(run, off)]


def discounted(run: UnitAmounts, discount: int) -> list[UnitAmounts]:
    each, odd = divmod(discount, run.quantity)
    total = run.total - each
    rest = run._replace(first_unit=run.first_unit + odd, quantity=run.quantity - odd, discount=each, total=total)
    return [run._replace(quantity=odd, discount=each + 1, total=total - 1), rest] if odd else [rest]


def cost(amounts: Iterable[Priced], first_unit: int, quantity: int) -> int:
    """What `quantity` units of a line from `first_unit` on cost, by the stored amounts."""
    after = first_unit + quantity
    return sum(a.total * max(0, min(after, a.first_unit + a.quantity) - max(first_unit, a.first_unit)) for a in amounts)
