"""Stock, whatever happens in whatever order, for several orders and places: against plain integers per shelf, and a
queue by placement."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from activities import facts
from activities.facts import cancellation_requests
from activities.facts.journal import locked_order
from activities.facts.requests import Impossible
from activities.models import CALLED_OFF, Action, CancelReason, Subject, WantedLine
from activities.ports import TrackingStatus
from infra.clock import wall_clock
from infra.database.tables import Fulfillment, Hold, Order, Parcel
from infra.hold_kinds import HoldKind
from tests.fixtures_database import Database
from tests.machines import profiles
from tests.machines.account import BOX
from tests.machines.asking import PLACES, SKUS, checked, open_shop, place, valid_orders
from tests.machines.choosing import given, pick, some
from tests.machines.stock_checks import Known, by_shelf
from tests.machines.stock_choices import Choices
from tests.machines.stock_model import Model
from tests.shop import unique

EXAMPLES, STEPS = 7, 14


class StockMachine(Choices, profiles.Tried):
    new_database: ClassVar[Callable[[], Database]]

    def __init__(self) -> None:
        super().__init__()
        self.database, self.orders, self.model = type(self).new_database(), [], Model()
        self.lines: list[int] = []
        """How many each has."""
        self.known: dict[str, Known] = {}
        self.fulfillments: list[Fulfillment] = []
        self.returning: set[str] = set()
        """Not lost, whatever the carrier says later."""
        open_shop(self.database)

    @initialize(
        stock=st.lists(st.sampled_from([6, 5, 4, 3, 2, 1, 0]), min_size=6, max_size=6),
        first=st.lists(valid_orders, min_size=2, max_size=3),
        far=st.sampled_from(["stopped", "stopped", "refused", "short", "short", "recalled", "reserved"]),
        packs=st.booleans(),
        cancelled=st.sampled_from([None, 1]),
    )
    def stocked(
        self, stock: list[int], first: list[dict[str, Any]], far: str, packs: bool, cancelled: int | None
    ) -> None:
        """The first of each choice makes the example that is tried whatever the seed: one that stops a fulfillment."""
        for (sku, where), units in zip([(sku, where) for sku in SKUS for where in PLACES], stock, strict=True):
            if units:
                self.restock(sku, where, units)
        for order in first:
            self.order_is_placed(order)
        for number in range(len(first)):
            self.look()
            self.reserve(number)
        if far == "reserved":
            return
        self.look()
        self.recalled(packs, cancelled)
        if far in ("stopped", "refused") and self.to_stop:
            self.stop(0, far == "stopped")
        elif far == "short" and self.to_stop:
            f = self.to_stop[0]
            self.short_pick(self.at_place.index(f), min(self.of(f)), 1)

    def recalled(self, packs: bool, units: int | None) -> None:
        """A warehouse has been asked for units, and is to stop some that are cancelled."""
        if not self.to_pack:
            return
        number = self.orders.index(self.to_pack[0].order_id)
        self.requested(0, packs)
        self.look()
        for line in range(self.lines[number]):
            if not self.to_stop:
                self.cancel(self.going.index(number), line, units, False)
                self.look()

    @invariant()
    def everything_adds_up(self) -> None:
        self.look()

    def fact(self, happens: Callable[..., Any], *about: Any, **more: Any) -> Any:
        with self.database.sessions.begin() as tx:
            return happens(tx, *about, **more)

    # --- what the model hears -----------------------------------------------------------------------------------------

    def freed(self, number: int) -> None:
        """What this order has let go, since it was looked at, is back on the shelf, and goes to whoever waits."""
        order_id = self.orders[number]
        with self.database.sessions() as tx:
            released = self.read(tx, order_id).released - self.known[order_id].released
        for shelf, units in released.items():
            self.model.change(shelf, reserved=-units)
        for shelf in sorted(released):
            self.model.served(shelf)

    def gives_up(self, number: int, waiting: Iterable[tuple[str, int]]) -> None:
        for sku, units in waiting:
            self.model.gives_up(sku, number, units)

    def of(self, f: Fulfillment, *, left: bool = False) -> dict[str, int]:
        """Its units, by product."""
        known = self.known[f.order_id]
        rows = known.gone if left else known.held
        return {sku: units for (name, sku, _), units in rows.items() if name == f.fulfillment_id}

    # --- orders and stock ---------------------------------------------------------------------------------------------

    @given("room")
    @rule(order=valid_orders)
    def order_is_placed(self, order: dict[str, Any]) -> None:
        asked = checked(order, unique("S"))
        assert asked
        self.orders.append(place(self.database, asked))
        self.lines.append(len(asked.lines))

    @rule(sku=st.sampled_from(SKUS), where=st.sampled_from(PLACES), units=st.integers(1, 4))
    def restock(self, sku: str, where: str, units: int) -> None:
        reference, lines = unique("PO"), [(sku, units)]
        for _ in range(2):  # the same once more changes nothing
            self.fact(facts.inventory.received, reference=reference, location_id=where, lines=lines)
        self.model.change((sku, where), on_hand=units)
        self.model.served((sku, where))

    @rule(sku=st.sampled_from(SKUS), where=st.sampled_from(PLACES), units=st.integers(1, 3), again=st.booleans())
    def block(self, sku: str, where: str, units: int, again: bool) -> None:
        """As many as are there, and `again` for sale."""
        shelf, happens = (sku, where), facts.inventory.unblock if again else facts.inventory.block
        there = self.model.blocked.get(shelf, 0) if again else self.model.available(shelf)
        done = self.fact(happens, unique("B"), {shelf: units}).get(shelf, 0)
        assert done == min(units, there)
        self.model.change(shelf, blocked=-done if again else done)
        if done and again:
            self.model.served(shelf)

    @given("going")
    @rule(which=some)
    def reserve(self, which: int) -> None:
        number = pick(self.going, which)
        order_id = self.orders[number]
        before, wanted = self.known[order_id], Counter[str]()
        for (_, sku), units in before.open.items():
            wanted[sku] += units
        self.fact(facts.reserving.reserved, order_id, wall_clock())
        with self.database.sessions() as tx:
            now, policy = self.read(tx, order_id), tx.get_one(Order, order_id).backorder
        taken = by_shelf(now) - by_shelf(before)
        for sku, units in wanted.items():
            free = sum(self.model.available((sku, where)) for where in PLACES)
            got = sum(count for (product, _), count in taken.items() if product == sku)
            assert got == min(units, free) or (self.avoided and got <= min(units, free))
            if policy != "cancel_unavailable":
                self.model.queue(sku, number, units - got)
        for shelf, units in taken.items():
            self.model.change(shelf, reserved=units)

    # --- cancelled ----------------------------------------------------------------------------------------------------

    @given("going")
    @rule(
        which=some, line=some, units=st.sampled_from([1, 2, None]), whole=st.sampled_from([False, False, False, True])
    )
    def cancel(self, which: int, line: int, units: int | None, whole: bool) -> None:
        """Without a number: all that is left of the line."""
        number = pick(self.going, which)
        line = line % self.lines[number] + 1
        order_id, before = self.orders[number], self.known[self.orders[number]]
        wanted = None if whole else [WantedLine(line=line, quantity=units)]
        try:
            with self.database.sessions.begin() as tx:
                asked = cancellation_requests.asked(tx, locked_order(tx, order_id), by="shop", lines=wanted)
        except Impossible:
            return
        about = {"reason": CancelReason.CUSTOMER, "by": "shop", "why": "", "at": wall_clock()}
        self.fact(facts.cancellation.cancellation_decided, order_id, asked.change and asked.change.change_id, **about)
        for (line_no, sku), waits in before.waiting.items():
            if whole or (line_no == line and units is None):
                self.model.gives_up(sku, number, waits)
            elif line_no == line and units:
                nowhere = before.open[line_no, sku]
                self.model.gives_up(sku, number, max(0, min(waits, units - nowhere)))
        self.freed(number)

    @given("ending")
    @rule(which=some)
    def release_stock(self, which: int) -> None:
        number = pick(self.ending, which)
        self.fact(facts.reserving.released, self.orders[number], wall_clock())
        self.gives_up(number, self.waits_of(number))
        self.freed(number)

    @given("queued")
    @rule(which=some)
    def backorder_is_given_up(self, which: int) -> None:
        number = pick(self.queued, which)
        order_id, now = self.orders[number], wall_clock()
        hold_id = self.fact(facts.holds.opened, order_id, HoldKind.BACKORDER_OVERDUE, Subject.order(order_id), now)
        with self.database.sessions.begin() as tx:
            facts.holds.closed(tx, hold_id, now, by="operator", why="", action=Action.SKIP)
            by = facts.cancellation.Decided("operator", "", None)
            facts.cancellation.cancelled_for_hold(tx, order_id, tx.get_one(Hold, hold_id), by, now)
        self.gives_up(number, self.waits_of(number))
        self.freed(number)

    # --- warehouses ---------------------------------------------------------------------------------------------------

    @given("to_pack")
    @rule(which=some, packs=st.booleans())
    def requested(self, which: int, packs: bool) -> None:
        f = pick(self.to_pack, which)
        self.fact(facts.fulfillments.requested, f.fulfillment_id, wall_clock())
        if packs:
            self.fact(facts.packing.packed, f.fulfillment_id, [BOX], wall_clock())

    @given("at_place")
    @rule(which=some, sku=st.sampled_from(SKUS), units=st.integers(1, 3))
    def short_pick(self, which: int, sku: str, units: int) -> None:
        f = pick(self.at_place, which)
        self.fact(facts.short_pick.short_picked, f.fulfillment_id, [(sku, units)], wall_clock())
        lost = min(units, self.of(f).get(sku, 0))
        self.model.change((sku, f.location_id), on_hand=-lost, reserved=-lost)

    @given("to_stop")
    @rule(which=some, can=st.booleans())
    def stop(self, which: int, can: bool) -> None:
        f = pick(self.to_stop, which)
        self.fact(facts.recall.recall_asked, f.fulfillment_id, wall_clock())
        happens = facts.recall.recall_confirmed if can else facts.recall.recall_refused
        self.fact(happens, f.fulfillment_id, wall_clock())
        self.freed(self.orders.index(f.order_id))

    @given("to_pack")
    @rule(which=some)
    def planned_elsewhere(self, which: int) -> None:
        f = pick(self.to_pack, which)
        self.fact(facts.recall.planned_elsewhere, f.fulfillment_id, "full", wall_clock())
        self.avoided = True
        self.freed(self.orders.index(f.order_id))

    @given("packed")
    @rule(which=some)
    def leave(self, which: int) -> None:
        f = pick(self.packed, which)
        self.fact(facts.handing_over.released, f.fulfillment_id, wall_clock())
        self.fact(facts.handing_over.handed_over, f.fulfillment_id, wall_clock())
        for sku, units in self.of(f).items():
            self.model.change((sku, f.location_id), on_hand=-units, reserved=-units)

    @given("shipped")
    @rule(which=some, lost=st.booleans(), again=st.booleans())
    def parcel_comes_back(self, which: int, lost: bool, again: bool) -> None:
        f = pick(self.shipped, which)
        with self.database.sessions.begin() as tx:
            parcel = tx.get_one(Parcel, (f.fulfillment_id, 1))
            status = TrackingStatus.FAILURE if lost else TrackingStatus.RETURN_TO_SENDER
            facts.tracking.tracked(tx, parcel, status, wall_clock())
        with self.database.sessions.begin() as tx:
            ending = tx.get_one(Order, f.order_id).cancellation in CALLED_OFF
            if again:
                facts.undelivered.sent_again(tx, f.fulfillment_id, wall_clock())
            else:
                facts.undelivered.paid_back(tx, f.fulfillment_id, None, wall_clock())
        if not lost:
            self.returning.add(f.fulfillment_id)
        if f.fulfillment_id not in self.returning or (again and ending):
            return
        back = self.of(f, left=True)
        for sku, units in back.items():
            self.model.change((sku, f.location_id), on_hand=units)
        for sku in back:
            self.model.served((sku, f.location_id))


def test_stock_adds_up_whatever_happens(
    new_sqlite: Callable[[], Database], record_property: Callable[[str, object], None]
) -> None:
    StockMachine.new_database = staticmethod(new_sqlite)
    profiles.run(StockMachine, EXAMPLES, STEPS, record_property)
