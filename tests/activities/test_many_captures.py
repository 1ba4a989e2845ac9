"""One authorization takes at most 50 captures: the last of them ends it, and the rest is set aside anew."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from activities import facts
from activities.capture import CaptureActivities
from activities.facts.charges import MOST_CAPTURES
from activities.models import FulfillmentStep, OrderStep
from activities.payment import PaymentActivities
from activities.providers.stripe.payments import StripePayments
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Fulfillment, MoneyMove, Payment, Stock
from infra.sandbox.client import SandboxControl
from tests.activities import orders
from tests.fixtures_database import Database
from tests.shop import unique

PARCELS = MOST_CAPTURES + 1


@pytest.fixture
def packed(database: Database) -> str:
    """An order of one mug from each of 51 places, all packed."""
    order_id = unique("M")
    orders.placed(database, order_id, PARCELS)
    for n in range(PARCELS):
        orders.located(database, f"P{n}", n + 2, stock=1)
    now = wall_clock()
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, order_id, now)
        for n in range(PARCELS):
            facts.fulfillments.requested(tx, f"{order_id}-{n + 1}", now)
            facts.packing.packed(tx, f"{order_id}-{n + 1}", [orders.BOX], now)
    return order_id


def test_the_fifty_first_parcel_is_paid_from_another_authorization(
    database: Database, sandbox: SandboxControl, packed: str
) -> None:
    stripe = StripePayments("sk_test_captures", sandbox.stripe_base, timeout=5)
    payments, capture = PaymentActivities(database.sessions, stripe), CaptureActivities(database.sessions, stripe)
    at = wall_clock()
    payments.authorize(OrderStep(order_id=packed, at=at))
    parcels = [FulfillmentStep(order_id=packed, at=at, fulfillment_id=f"{packed}-{n + 1}") for n in range(PARCELS)]
    for parcel in parcels[:MOST_CAPTURES]:
        [f] = capture.capture(parcel).fulfillments
        assert f.amount == 0, parcel.fulfillment_id
    [last] = capture.capture(parcels[-1]).fulfillments
    assert last.amount > 0, "there is no authorization left for it"
    payments.reauthorize(parcels[-1])
    [last] = capture.capture(parcels[-1]).fulfillments
    assert last.amount == 0
    books = sandbox.books(packed)
    total = 1800 * PARCELS + 500
    assert (books["authorizations"], books["captures"], books["captured"]) == (2, PARCELS, total)
    with database.sessions() as tx:
        of_each = select(Payment.n, func.count()).join(MoneyMove, MoneyMove.payment_id == Payment.payment_id)
        counts = tx.execute(of_each.where(MoneyMove.kind == "captured").group_by(Payment.n).order_by(Payment.n)).all()
        assert [tuple(each) for each in counts] == [(1, MOST_CAPTURES), (2, 1)]
        assert [str(breach) for breach in breaches(tx)] == []
        assert tx.scalar(select(func.count()).select_from(Fulfillment)) == PARCELS
        assert tx.scalar(select(func.sum(Stock.reserved))) == PARCELS


def test_a_rest_below_the_smallest_charge_is_taken_with_what_comes_before_it(database: Database) -> None:
    """Of three parcels the last two together cost less than the provider takes: all are one charge."""
    order_id = unique("M")
    orders.placed(database, order_id)
    with database.sessions.begin() as tx:
        order = facts.journal.locked_order(tx, order_id)
        now = facts.bill.bill(tx, order)
    first, second, third = (
        facts.units.PricedUnits(line, 0, 1, amount) for line, amount in ((1, 1800), (2, 20), (3, 20))
    )
    unpaid: dict[str | None, list[facts.units.PricedUnits]] = {"a": [first], "b": [second], "c": [third]}

    def asked(name: str, left: dict[str | None, list[facts.units.PricedUnits]]) -> int:
        return sum(each.amount for each in facts.charges.to_ask_for(replace(now, unpaid=left), name, "usd"))

    assert asked("a", unpaid) == 1840
    assert asked("b", unpaid) == 20, "the big one is still to come, with which the other small one goes"
    assert asked("a", {"a": [first], "c": [third._replace(amount=50)]}) == 1800, "it can be a charge of its own"
