"""A key is used for a minute from its first call: what the provider keeps under it holds nobody up, and what it did is
done once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from activities import facts
from activities.capture import CaptureActivities
from activities.failures import ProviderFailure
from activities.models import FulfillmentStep, OrderStep, RefundStep
from activities.payment import PaymentActivities
from activities.ports import Payments
from activities.providers.stripe.payments import StripePayments
from activities.refund import RefundActivities
from infra.clock import wall_clock
from infra.database.tables import Customer, Effect
from infra.sandbox.client import Mode, SandboxControl
from tests.activities import orders
from tests.fixtures_database import Database
from tests.shop import unique

APART = timedelta(seconds=10)
"""Between two tries: as close as the retries of a step come for its first minute."""
ACTIVITIES = (PaymentActivities, CaptureActivities, RefundActivities)
CALLS = ["create_customer", "create_intent", "confirm", "capture", "void", "refund"]


class ProcessEnded(BaseException):
    """Everything in memory is gone; what was committed stays."""


class Ending:
    """Stripe, and the process that ends right before or right after one call to it."""

    def __init__(self, stripe: StripePayments, call: str, when: str) -> None:
        self.stripe = stripe
        self.call: str | None = call
        self.when = when

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.stripe, name)
        if name != self.call:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self.call = None
            if self.when == "after":
                method(*args, **kwargs)
            raise ProcessEnded

        return call


@pytest.fixture
def stripe(sandbox: SandboxControl) -> StripePayments:
    return StripePayments("sk_test_keys", sandbox.stripe_base, timeout=5)


@pytest.fixture
def order_id(database: Database, sandbox: SandboxControl) -> str:
    order_id = unique("K")
    orders.placed(database, order_id, in_stock=1)
    return order_id


def time_passes(database: Database, by: timedelta) -> None:
    with database.sessions.begin() as tx:
        for effect in tx.scalars(select(Effect)):
            moved = {"first_called_at": effect.first_called_at - by, "last_called_at": effect.last_called_at - by}
            tx.execute(update(Effect).where(Effect.effect_id == effect.effect_id).values(**moved))


def done(database: Database, step: Callable[[], object]) -> timedelta:
    """Tries until it is done; gives how long that took."""
    taken = timedelta()
    while taken < timedelta(minutes=5):
        try:
            step()
        except (ProviderFailure, ProcessEnded):
            time_passes(database, APART)
            taken += APART
        else:
            return taken
    raise AssertionError(f"not done within {taken}")


def ready_for(call: str, database: Database, order_id: str, stripe: StripePayments) -> tuple[str, OrderStep]:
    """The activity that makes this call, with all that comes before it done."""
    activities, step = PaymentActivities(database.sessions, stripe), OrderStep(order_id=order_id, at=wall_clock())
    if call in ("create_customer", "create_intent", "confirm"):
        return "authorize", step
    activities.authorize(step)
    if call == "void":
        return "void", step
    fulfillment_id = orders.packed(database, order_id)
    of_one = FulfillmentStep(**step.model_dump(), fulfillment_id=fulfillment_id)
    if call == "refund":
        CaptureActivities(database.sessions, stripe).capture(of_one)
        with database.sessions.begin() as tx:
            facts.recall.recall_confirmed(tx, fulfillment_id, step.at)
        return call, RefundStep(**step.model_dump(), refund_id=f"{order_id}-r1")
    return call, of_one


def method(name: str, database: Database, payments: Payments) -> Callable[[OrderStep], object]:
    found = next(each for each in ACTIVITIES if hasattr(each, name))
    activity: Callable[[OrderStep], object] = getattr(found(database.sessions, payments), name)
    return activity


def books_and_effects(database: Database, sandbox: SandboxControl, order_id: str, call: str) -> None:
    """The outside world's books, and everything under the customer that is on record."""
    books = sandbox.books(order_id)
    expected = {"authorizations": 1, "captures": call in ("capture", "refund"), "refunds": call == "refund"}
    assert {name: books[name] for name in expected} == expected
    assert books["voids"] == (call == "void")


@pytest.mark.parametrize("mode", ["error_kept", "error_after", "lose_answer"])
@pytest.mark.parametrize("call", CALLS)
def test_an_answer_that_the_provider_keeps_holds_nobody_up(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, order_id: str, call: str, mode: Mode
) -> None:
    name, step = ready_for(call, database, order_id, stripe)
    fault = sandbox.fail("stripe", call, mode, match=order_id)
    activity = method(name, database, stripe)
    assert done(database, lambda: activity(step)) <= timedelta(minutes=2, seconds=10)
    assert sandbox.struck(fault) == 1
    books_and_effects(database, sandbox, order_id, call)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_a_process_that_ends_at_a_call_leaves_one_effect(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, order_id: str, call: str, when: str
) -> None:
    name, step = ready_for(call, database, order_id, stripe)
    activity = method(name, database, Ending(stripe, call, when))
    assert done(database, lambda: activity(step)) == APART
    books_and_effects(database, sandbox, order_id, call)


def test_orders_of_one_customer_at_once_share_one_at_the_provider(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, order_id: str
) -> None:
    other, customer_id = unique("K"), f"C-{order_id}"
    orders.placed(database, other, customer_id=customer_id)
    made: list[str] = []

    class Beside(StripePayments):
        def create_customer(self, customer_id: str, *, key: str) -> str:
            made.append(super().create_customer(customer_id, key=key))
            if len(made) == 1:
                PaymentActivities(database.sessions, self).authorize(OrderStep(order_id=other, at=wall_clock()))
            return made[-1]

    beside = Beside("sk_test_keys", sandbox.stripe_base, timeout=5)
    PaymentActivities(database.sessions, beside).authorize(OrderStep(order_id=order_id, at=wall_clock()))
    assert len(made) == 2
    assert len(set(made)) == 1
    assert len(stripe.intents_of(made[0])) == 2


def test_a_customer_that_was_made_twice_is_the_one_on_record(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, order_id: str
) -> None:
    """The answer to the first was kept as an error, so the second has another key; and an order came in between."""
    other, customer_id = unique("K"), f"C-{order_id}"
    orders.placed(database, other, customer_id=customer_id)
    sandbox.fail("stripe", "create_customer", "error_after", match=customer_id)
    activities = PaymentActivities(database.sessions, stripe)
    for each in (order_id, other):
        done(database, lambda each=each: activities.authorize(OrderStep(order_id=each, at=wall_clock())))  # type: ignore[misc]
    with database.sessions() as tx:
        known = str(tx.get_one(Customer, customer_id).provider_customer)
        keys = tx.scalars(select(Effect.outcome).where(Effect.subject_kind == "customer").order_by(Effect.n)).all()
    assert keys == ["nothing_happened", "done"]
    assert len(stripe.intents_of(known)) == 2
