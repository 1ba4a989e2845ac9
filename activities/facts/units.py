"""Units of lines, as (line, first unit, quantity): what they have in common, and what is left of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol


class Units(NamedTuple):
    line_no: int
    first_unit: int
    quantity: int


class PricedUnits(NamedTuple):
    """`amount` is that of each, in minor units."""

    line_no: int
    first_unit: int
    quantity: int
    amount: int

    @property
    def total(self) -> int:
        return self.quantity * self.amount


class Spans(Protocol):
    @property
    def line_no(self) -> int: ...

    @property
    def first_unit(self) -> int: ...

    @property
    def quantity(self) -> int: ...


def total(units: Iterable[PricedUnits]) -> int:
    return sum(each.total for each in units)


def common(units: Iterable[PricedUnits], others: Iterable[Spans]) -> list[PricedUnits]:
    """Those of `units` that are also in `others`, which hold no unit twice."""
    of_line = by_line(others)
    found = []
    for each in units:
        for first, after in of_line[each.line_no]:
            first, after = max(first, each.first_unit), min(after, each.first_unit + each.quantity)
            if first < after:
                found.append(each._replace(first_unit=first, quantity=after - first))
    return found


def less(units: Iterable[PricedUnits], taken: Iterable[PricedUnits]) -> list[PricedUnits]:
    """What each unit still costs, where some of it, or all, is taken off."""
    left = list(units)
    for off in taken:
        left = [part for each in left for part in lowered(each, off)]
    return left


def lesser(units: Iterable[PricedUnits], others: Iterable[PricedUnits]) -> list[PricedUnits]:
    """What they have in common, each at the smaller of both amounts."""
    units = list(units)
    return [part._replace(amount=min(part.amount, other.amount)) for other in others for part in common(units, [other])]


def merged(units: Iterable[Spans]) -> list[Units]:
    """Each unit once, in order, whatever holds it."""
    found = []
    for line_no, spans in sorted(by_line(units).items()):
        at_unit = 0
        for first, after in sorted(spans):
            if (first := max(first, at_unit)) < after:
                found.append(Units(line_no, first, after - first))
                at_unit = after
    return found


def without(units: Iterable[PricedUnits], others: Iterable[Spans]) -> list[PricedUnits]:
    """Those of `units` that are not in `others`."""
    left = list(units)
    taken = common(left, others)
    return less(left, taken)


def spans_without(units: Iterable[Spans], others: Iterable[Spans]) -> list[Units]:
    left = without([PricedUnits(each.line_no, each.first_unit, each.quantity, 1) for each in units], others)
    return [Units(each.line_no, each.first_unit, each.quantity) for each in left]


def lowered(units: PricedUnits, off: PricedUnits) -> list[PricedUnits]:
    first = max(units.first_unit, off.first_unit)
    after, end = (
        min(units.first_unit + units.quantity, off.first_unit + off.quantity),
        units.first_unit + units.quantity,
    )
    if units.line_no != off.line_no or first >= after:
        return [units]
    parts = [
        units._replace(quantity=first - units.first_unit),
        units._replace(first_unit=first, quantity=after - first, amount=units.amount - off.amount),
        units._replace(first_unit=after, quantity=end - after),
    ]
    return [part for part in parts if part.quantity and part.amount > 0]


def drawn(units: Iterable[PricedUnits], upto: int) -> tuple[list[PricedUnits], list[PricedUnits]]:
    """As many of them as so much money pays, one of them perhaps in part; and the rest."""
    paid, rest = [], []
    for each in units:
        whole = min(each.quantity, upto // each.amount)
        if whole:
            paid.append(each._replace(quantity=whole))
            upto -= whole * each.amount
        first, left = each.first_unit + whole, each.quantity - whole
        if left and upto:
            paid.append(each._replace(first_unit=first, quantity=1, amount=upto))
            rest.append(each._replace(first_unit=first, quantity=1, amount=each.amount - upto))
            first, left, upto = first + 1, left - 1, 0
        if left:
            rest.append(each._replace(first_unit=first, quantity=left))
    return paid, rest


def by_line(units: Iterable[Spans]) -> dict[int, list[tuple[int, int]]]:
    lines: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for each in units:
        lines[each.line_no].append((each.first_unit, each.first_unit + each.quantity))
    return lines


def listed(units: Mapping[str, int], names: Mapping[str, str]) -> str:
    return ", ".join(f"{quantity} × {names.get(sku, sku)}" for sku, quantity in sorted(units.items()))
