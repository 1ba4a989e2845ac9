"""What must be, by plain integers per unit: what it costs, what was taken for it, whether that went back."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.intake.order import AskedOrder
from infra.database.tables import LineCancellation, Reservation

Unit = tuple[int, int]
"""Line and number."""
SMALLEST_CHARGE = 50


@dataclass
class Asked:
    """A capture, as the bank was asked for it."""

    amount: int
    units: frozenset[Unit]


@dataclass
class Model:
    costs: dict[Unit, int]
    taken: dict[Unit, int] = field(default_factory=dict)
    """For units that were charged: what they cost."""
    given_back: set[Unit] = field(default_factory=set)
    cancelled: set[Unit] = field(default_factory=set)
    nowhere: set[Unit] = field(default_factory=set)
    """In no fulfillment: of an order that is called off they will not be sent."""
    in_fulfillment: dict[str, set[Unit]] = field(default_factory=dict)
    in_doubt: dict[str, Asked] = field(default_factory=dict)
    """By fulfillment."""
    by_unit: bool = True
    """What went back went back for units: not by amount, not by a person or a bank."""

    @classmethod
    def of(cls, asked: AskedOrder) -> "Model":
        costs = {
            (line_no, unit): amounts.total
            for line_no, runs in enumerate(asked.unit_amounts(), start=1)
            for amounts in runs
            for unit in range(amounts.first_unit, amounts.first_unit + amounts.quantity)
        }
        assert sum(costs.values()) == asked.total
        assert min(costs.values()) >= 0
        return cls(costs)

    def look(self, tx: Session, order_id: str) -> None:
        """Where units are: the other machine says whether that is right."""
        self.cancelled, self.in_fulfillment = set(), {}
        done = (LineCancellation.order_id == order_id, LineCancellation.status == "done")
        for row in tx.scalars(select(LineCancellation).where(*done)):
            self.cancelled |= units(row.line_no, row.first_unit, row.quantity)
        set_aside = (Reservation.order_id == order_id, Reservation.status.in_(("held", "consumed")))
        for held in tx.scalars(select(Reservation).where(*set_aside)):
            of = self.in_fulfillment.setdefault(held.fulfillment_id or "", set())
            of |= units(held.line_no, held.first_unit, held.quantity)
        planned = set().union(*(mine for name, mine in self.in_fulfillment.items() if name))
        self.nowhere = set(self.costs) - planned - self.cancelled

    def going_on(self, called_off: bool) -> set[Unit]:
        return set(self.costs) - self.cancelled - (self.nowhere if called_off else set())

    def owed(self, called_off: bool) -> int:
        return sum(self.costs[unit] for unit in self.going_on(called_off) if unit not in self.taken)

    def to_capture(self, fulfillment_id: str, called_off: bool) -> Asked:
        """What is asked of the bank: as it was asked before, where nobody knows what became of it."""
        if fulfillment_id in self.in_doubt:
            return self.in_doubt[fulfillment_id]
        mine = {unit for unit in self.in_fulfillment.get(fulfillment_id, ()) if unit not in self.taken}
        rest = {unit for unit in self.going_on(called_off) - mine if unit not in self.taken}
        if 0 < self.cost(rest) < SMALLEST_CHARGE:
            mine |= rest
        return Asked(self.cost(mine), frozenset(mine))

    def captured(self, asked: Asked) -> None:
        for unit in asked.units:
            assert unit not in self.taken, f"charged twice: {unit}"
            self.taken[unit] = self.costs[unit]

    def refunded_lines(self, lines: Iterable[tuple[int, int]]) -> None:
        """The last units first."""
        for line_no, quantity in lines:
            left = sorted(unit for unit in self.refundable_units() if unit[0] == line_no)
            assert len(left) >= quantity, f"of line {line_no} {len(left)} units can be refunded, not {quantity}"
            self.given_back |= set(left[-quantity:])

    def refundable_units(self) -> set[Unit]:
        return {unit for unit, amount in self.taken.items() if amount} - self.back()

    def back(self) -> set[Unit]:
        """Units whose money went back, is on its way or is to go."""
        return (self.given_back | self.cancelled) & self.taken.keys()

    def cost(self, some: Iterable[Unit]) -> int:
        return sum(self.costs[unit] for unit in some)

    @property
    def all_captured(self) -> int:
        return sum(self.taken.values())

    @property
    def all_sent_or_taken(self) -> int:
        """What is captured in the end, where nothing is set aside any more."""
        return self.cost(self.taken.keys() | set().union(*self.in_fulfillment.values()))

    @property
    def all_back(self) -> int:
        return sum(self.taken[unit] for unit in self.back())


def units(line_no: int, first: int, quantity: int) -> set[Unit]:
    return {(line_no, first + n) for n in range(quantity)}
