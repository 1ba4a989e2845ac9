"""What is asked after every step of the stock machine."""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts import planning
from activities.facts.journal import locked_order
from activities.models import CLOSED
from activities.views.check import breaches
from infra.database.tables import Backorder, Fulfillment, LineCancellation, Reservation, Stock
from infra.words import LineCancellationStatus
from tests.fixtures_database import Database
from tests.machines.stock_model import Model, Shelf

ASKED = (
    select(LineCancellation.fulfillment_id, func.sum(LineCancellation.quantity))
    .where(LineCancellation.status == LineCancellationStatus.ASKED)
    .group_by(LineCancellation.fulfillment_id)
)
"""Units that each fulfillment's warehouse is to stop, because they are cancelled."""


@dataclass
class Known:
    """An order's units, as the tables have them."""

    open: Counter[tuple[int, str]] = field(default_factory=Counter)
    """By line and product: neither set aside, gone, waiting nor cancelled."""
    waiting: Counter[tuple[int, str]] = field(default_factory=Counter)
    held: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By fulfillment, product and place."""
    gone: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    released: Counter[Shelf] = field(default_factory=Counter)
    """Ever."""
    ending: bool = False
    closed: bool = False


class Checked:
    database: Database
    orders: list[str]
    model: Model
    avoided = False
    """A place has refused units, which wait for another."""

    def look(self) -> None:
        with self.database.sessions() as tx:
            found = [str(breach) for breach in breaches(tx)]
            assert found == [], found
            self.known = {order_id: self.read(tx, order_id) for order_id in self.orders}
            self.fulfillments = list(tx.scalars(select(Fulfillment).order_by(Fulfillment.n, Fulfillment.order_id)))
            asked = Counter({of or "": units for of, units in tx.execute(ASKED)})
            stock = {
                (row.sku, row.location_id): (row.on_hand, row.reserved, row.blocked)
                for row in tx.scalars(select(Stock))
            }
        model = self.model
        ours = {shelf: (units, model.reserved[shelf], model.blocked[shelf]) for shelf, units in model.on_hand.items()}
        assert stock == ours, f"on the shelves: {stock}, not {ours}"
        for known in self.known.values():
            for (fulfillment_id, _, _), units in known.held.items():
                asked[fulfillment_id] -= units
        assert not +asked, f"to be stopped, and not there: {+asked}"
        for number, (order_id, known) in enumerate(self.known.items()):
            theirs = Counter[str]()
            for (_, sku), units in known.waiting.items():
                theirs[sku] += units
            waits = {sku: self.model.waits(number, sku) for sku in theirs.keys() | self.model.waiting.keys()}
            assert theirs == +Counter(waits), f"{order_id} waits for {theirs}, not {waits}"
        if not self.avoided:
            for (sku, place), _ in ours.items():
                free = self.model.available((sku, place))
                assert not (free and any(self.model.waiting.get(sku, []))), f"{free} of {sku}, and somebody waits"

    def read(self, tx: Session, order_id: str) -> Known:
        order, known = locked_order(tx, order_id), Known()
        known.ending, known.closed = order.cancellation in ("accepted", "partly"), order.status in CLOSED
        for units in planning.open_units(tx, order):
            known.open[units.line_no, units.sku] += units.quantity
        for row in tx.scalars(select(Backorder).where(Backorder.order_id == order_id, Backorder.status == "waiting")):
            known.waiting[row.line_no, row.sku] += row.quantity
        for held in tx.scalars(select(Reservation).where(Reservation.order_id == order_id)):
            if held.status == "released":
                known.released[held.sku, held.location_id] += held.quantity
            else:
                of = known.held if held.status == "held" else known.gone
                of[held.fulfillment_id or "", held.sku, held.location_id] += held.quantity
        return known

    def waits_of(self, number: int) -> list[tuple[str, int]]:
        return [(sku, units) for (_, sku), units in self.known[self.orders[number]].waiting.items()]


def by_shelf(known: Known) -> Counter[tuple[str, str]]:
    held = Counter[tuple[str, str]]()
    for (_, sku, where), units in known.held.items():
        held[sku, where] += units
    return held
