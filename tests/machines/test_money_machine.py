"""Money, whatever happens in whatever order: against plain integers per unit, and the sandbox's books."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from activities import facts
from activities.models import FulfillmentSnapshot
from activities.providers.stripe.payments import StripePayments
from infra.sandbox.client import SandboxControl
from tests.fixtures_database import Database
from tests.machines import ending, profiles
from tests.machines.account import CALM, Account, Trouble
from tests.machines.asking import PLACES, SKUS, checked, open_shop, place, valid_orders
from tests.machines.choosing import given, pick, some, troubles
from tests.machines.ending import Manner
from tests.machines.money_model import Model
from tests.machines.money_outside import Outside
from tests.shop import unique

EXAMPLES, STEPS = 10, 14


class MoneyMachine(Outside):
    new_database: ClassVar[Callable[[], Database]]
    sandbox: ClassVar[SandboxControl]
    stripe: ClassVar[StripePayments]

    @initialize(
        order=valid_orders,
        stock=st.lists(st.integers(0, 8), min_size=6, max_size=6),
        manner=st.builds(Manner, st.booleans(), st.sampled_from(["won", "lost"]), st.booleans()),
        far=st.sampled_from(["placed", "paid", "refunding", "refunding"]),
    )
    def placed(self, order: dict[str, Any], stock: list[int], manner: Manner, far: str) -> None:
        asked = checked(order, unique("M"))
        assert asked
        database = type(self).new_database()
        open_shop(database)
        with database.sessions.begin() as tx:
            for (where, sku), units in zip(product(PLACES, SKUS), stock, strict=True):
                if units:
                    facts.inventory.received(tx, reference=f"{where}{sku}", location_id=where, lines=[(sku, units)])
        self.account = Account(database, self.sandbox, self.stripe, place(database, asked))
        self.model, self.total, self.manner = Model.of(asked), asked.total, manner
        self.lines = [line.quantity for line in asked.lines]
        if far == "placed":
            return
        if self.ready:
            self.account.attempt(self.account.paying.authorize, self.account.step)
            self.account.load()
        if self.account.order.funded:
            self.reserve()
        self.look()
        while self.to_pack:
            self.pack(0)
            self.look()
        for _ in self.packed:
            if self.to_pay and not self.uncovered:
                self.capture(0, CALM)
                self.look()
        if far == "refunding" and self.charged:
            self.ask_units_back(0, 1)
            self.look()
            for refund_id in self.open_refunds:
                self.account.refund(refund_id)

    @invariant()
    def everything_adds_up(self) -> None:
        self.look()

    def teardown(self) -> None:
        if not hasattr(self, "account"):
            return
        exact = self.only_ours and not self.doubtful and self.model.exact
        cancelled = self.model.cancelled
        self.acts = ending.brought_to_its_end(self.account, self.manner)
        self.only_ours = False  # what was captured on the way the model was not told
        self.look()
        assert self.account.closed
        if exact and (not self.model.others or self.model.cancelled == cancelled):
            assert self.account.books["captured"] == self.model.taken_in_the_end
        for payment in self.account.payments:
            held = payment.intent and self.stripe.intent(payment.intent).capturable
            assert not held, f"payment {payment.n} is {payment.status}, and the bank still holds {held}"

    # --- the process --------------------------------------------------------------------------------------------------

    @given("ready")
    @rule(trouble=troubles("create_customer", "create_intent", "confirm", "void"))
    def authorize(self, trouble: Trouble) -> None:
        self.account.attempt(self.account.paying.authorize, self.account.step, trouble)

    @property
    def ready(self) -> bool:
        return self.account.order.payment_ready and not self.account.closed

    @given("to_reserve")
    @rule()
    def reserve(self) -> None:
        self.account.stock.reserve(self.account.step)

    @property
    def to_reserve(self) -> bool:
        a = self.account
        return a.order.funded and a.order.unplanned and not (a.called_off or a.closed)

    @given("to_pay")
    @rule(which=some, trouble=troubles("capture", "intent"))
    def capture(self, which: int, trouble: Trouble) -> None:
        a, f = self.account, pick(self.to_pay, which)
        asked, before = self.model.to_capture(f.id, a.called_off), a.books["captured"]
        failure = a.attempt(a.capturing.capture, a.of(f.id), trouble)
        taken = a.sandbox.books(a.order_id)["captured"] - before
        if taken and self.only_ours:
            assert taken == asked.amount
            self.model.captured(asked)
        elif failure and not taken:
            self.model.in_doubt.setdefault(f.id, asked)

    @given("uncovered")
    @rule(which=some, trouble=troubles("create_intent", "confirm"))
    def reauthorize(self, which: int, trouble: Trouble) -> None:
        self.account.attempt(self.account.paying.reauthorize, self.account.of(pick(self.uncovered, which).id), trouble)

    @property
    def uncovered(self) -> list[FulfillmentSnapshot]:
        order = self.account.order
        return [f for f in self.to_pay if f.amount > order.capturable + order.elsewhere and not order.payment_ready]

    @given("to_release")
    @rule()
    def release_stock(self) -> None:
        self.account.stock.release(self.account.step)

    @given("to_void")
    @rule(trouble=troubles("cancel", "capture"))
    def void(self, trouble: Trouble) -> None:
        self.account.attempt(self.account.paying.void, self.account.step, trouble)

    @given("open_refunds")
    @rule(which=some, trouble=troubles("create_refund", "refunds"))
    def refund(self, which: int, trouble: Trouble) -> None:
        self.account.refund(pick(self.open_refunds, which), trouble)

    @property
    def open_refunds(self) -> list[str]:
        return list(self.account.order.refunds)

    @rule(days=st.integers(1, 5))
    def days_pass(self, days: int) -> None:
        self.account.pass_time(timedelta(days=days))
        self.account.process.pass_deadlines(self.account.step)

    # --- goods --------------------------------------------------------------------------------------------------------

    @given("to_pack")
    @rule(which=some)
    def pack(self, which: int) -> None:
        self.account.pack(pick(self.to_pack, which).id)

    @given("to_leave")
    @rule(which=some)
    def leave(self, which: int) -> None:
        self.account.leave(pick(self.to_leave, which).id)

    @given("packed")
    @rule(which=some)
    def leave_unasked(self, which: int) -> None:
        self.account.fact(facts.handing_over.handed_over, pick(self.packed, which).id, self.account.at)

    @given("on_its_way")
    @rule(which=some)
    def arrive(self, which: int) -> None:
        self.account.arrive(pick(self.on_its_way, which).id)

    @given("to_stop")
    @rule(which=some, can=st.booleans())
    def stop(self, which: int, can: bool) -> None:
        self.account.stop(pick(self.to_stop, which).id, can=can)

    @given("packed")
    @rule(which=some, sku=st.sampled_from(SKUS), units=st.integers(1, 3))
    def short_pick(self, which: int, sku: str, units: int) -> None:
        missing = [(sku, units)]
        self.account.fact(facts.short_pick.short_picked, pick(self.packed, which).id, missing, self.account.at)

    @rule(units=st.integers(1, 3))
    def restock(self, units: int) -> None:
        ending.restock(self.account, units)


def test_money_adds_up_whatever_happens(
    new_sqlite: Callable[[], Database], sandbox: SandboxControl, record_property: Callable[[str, object], None]
) -> None:
    MoneyMachine.new_database = staticmethod(new_sqlite)
    MoneyMachine.sandbox = sandbox
    MoneyMachine.stripe = StripePayments("sk_test_machine", sandbox.stripe_base, timeout=5)
    profiles.run(MoneyMachine, EXAMPLES, STEPS, record_property)
