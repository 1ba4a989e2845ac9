"""What must be, by plain integers per unit: what it costs, what each tender has paid of it, what of that went back."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.intake.order import AskedOrder
from infra.database.tables import LineCancellation, Reservation
from infra.words import TenderDue

Unit = tuple[int, int]
"""Line and number."""
SMALLEST_CHARGE = 50


@dataclass
class Asked:
    """A capture, as the bank was asked for it: what the card is to pay of each unit."""

    units: dict[Unit, int]

    @property
    def amount(self) -> int:
        return sum(self.units.values())


@dataclass
class Model:
    costs: dict[Unit, int]
    card: int
    """The number of the tender that the bank takes; 0: none."""
    others: dict[int, int] = field(default_factory=dict)
    """What was taken elsewhere, by tender in their order."""
    paid: Counter[tuple[Unit, int]] = field(default_factory=Counter)
    """Of a unit, by tender."""
    given_back: Counter[tuple[Unit, int]] = field(default_factory=Counter)
    cancelled: set[Unit] = field(default_factory=set)
    nowhere: set[Unit] = field(default_factory=set)
    """In no fulfillment: of an order that is called off they will not be sent."""
    in_fulfillment: dict[str, set[Unit]] = field(default_factory=dict)
    in_doubt: dict[str, Asked] = field(default_factory=dict)
    """By fulfillment."""
    by_unit: bool = True
    """What went back went back for units: not by amount, not by a person or a bank."""
    asked_back: bool = False
    """Somebody has asked for money, other than by cancelling."""
    exact: bool = True
    """Units were not cancelled of which a voucher was given back in part, or while nobody knew what the card has paid:
    which of its money then pays for others is more than can be told here."""

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
        tenders = asked.tenders()
        charged = [tender.n for tender in tenders if tender.due != TenderDue.ELSEWHERE]
        model = cls(costs, charged[0] if charged else 0)
        drawn = Counter[Unit]()
        for tender in tenders:  # line by line
            left = tender.pays
            for unit, cost in costs.items():
                part = min(left, cost - drawn[unit])
                drawn[unit] += part
                left -= part
                if tender.due == TenderDue.ELSEWHERE:
                    model.paid[unit, tender.n] += part
            if tender.due == TenderDue.ELSEWHERE:
                model.others[tender.n] = tender.pays
        return model

    def look(self, tx: Session, order_id: str, called_off: bool) -> None:
        """Where units are: the other machine says whether that is right."""
        before, self.cancelled, self.in_fulfillment = self.cancelled, set(), {}
        done = (LineCancellation.order_id == order_id, LineCancellation.status == "done")
        for row in tx.scalars(select(LineCancellation).where(*done)):
            self.cancelled |= units(row.line_no, row.first_unit, row.quantity)
        set_aside = (Reservation.order_id == order_id, Reservation.status.in_(("held", "consumed")))
        for held in tx.scalars(select(Reservation).where(*set_aside)):
            of = self.in_fulfillment.setdefault(held.fulfillment_id or "", set())
            of |= units(held.line_no, held.first_unit, held.quantity)
        planned = set().union(*(mine for name, mine in self.in_fulfillment.items() if name))
        self.nowhere = set(self.costs) - planned - self.cancelled
        if self.cancelled > before and not called_off:
            self.lower()

    def lower(self) -> None:
        """The card first: what an earlier tender has paid for units that are not sent pays for those that are."""
        earlier = [n for n in self.others if n < self.card]
        owing = {unit: self.left(unit) for unit in sorted(self.going_on(called_off=False))}
        self.exact &= not (earlier and any(owing.values()) and (self.asked_back or self.in_doubt))
        for n in earlier:
            for gone in sorted(self.cancelled):
                for unit, owes in owing.items():
                    part = min(self.paid[gone, n] - self.given_back[gone, n], owes)
                    self.paid[gone, n] -= part
                    self.paid[unit, n] += part
                    owing[unit] -= part
                self.given_back[gone, n] = self.paid[gone, n]

    def going_on(self, called_off: bool) -> set[Unit]:
        return set(self.costs) - self.cancelled - (self.nowhere if called_off else set())

    def left(self, unit: Unit) -> int:
        return self.costs[unit] - sum(amount for (other, _), amount in self.paid.items() if other == unit)

    def owed(self, called_off: bool) -> int:
        return sum(self.left(unit) for unit in self.going_on(called_off))

    def to_capture(self, fulfillment_id: str, called_off: bool) -> Asked:
        """What is asked of the bank: as it was asked before, where nobody knows what became of it."""
        if fulfillment_id in self.in_doubt:
            return self.in_doubt[fulfillment_id]
        mine = self.in_fulfillment.get(fulfillment_id, set())
        rest = self.going_on(called_off) - mine
        if 0 < sum(self.left(unit) for unit in rest) < SMALLEST_CHARGE:
            mine = mine | rest
        return Asked({unit: left for unit in mine if (left := self.left(unit))})

    def captured(self, asked: Asked) -> None:
        for unit, amount in asked.units.items():
            assert amount <= self.left(unit), f"charged twice: {unit}"
            self.paid[unit, self.card] += amount

    def refunded(self, some: Iterable[Unit]) -> None:
        """Each tender gets back what it paid for them."""
        wanted = set(some)
        self.given_back |= Counter({part: amount for part, amount in self.paid.items() if part[0] in wanted})

    def refundable_units(self) -> set[Unit]:
        return {part[0] for part, amount in self.paid.items() if amount > self.back(part)}

    def back(self, part: tuple[Unit, int]) -> int:
        """Of what was paid: it went back, is on its way or is to go."""
        return self.paid[part] if part[0] in self.cancelled else self.given_back[part]

    def taken_of(self, tender: int) -> int:
        return sum(amount for (_, n), amount in self.paid.items() if n == tender)

    def back_of(self, tender: int) -> int:
        return sum(self.back(part) for part in self.paid if part[1] == tender)

    @property
    def tenders(self) -> list[int]:
        return sorted({*self.others, self.card})

    @property
    def taken_in_the_end(self) -> int:
        """By the bank, where nothing is set aside any more."""
        sent = set().union(*self.in_fulfillment.values())
        return self.taken_of(self.card) + sum(self.left(unit) for unit in sent)


def units(line_no: int, first: int, quantity: int) -> set[Unit]:
    return {(line_no, first + n) for n in range(quantity)}
