"""Money that is set aside is always given back, also where two attempts meet."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import func, select

from activities import facts
from activities.capture import CaptureActivities
from activities.facts import effects
from activities.failures import OutcomeUnknown, Unavailable
from activities.models import CancelReason, FulfillmentStep, OrderStep, RefundStep
from activities.news import PaymentEnded, PaymentTaken
from activities.payment import PaymentActivities
from activities.ports import IntentStatus
from activities.providers.stripe.payments import StripePayments
from activities.refund import RefundActivities
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Charge, Customer, Hold, MoneyMove, Order, Payment, Refund
from infra.sandbox.client import SandboxControl
from infra.words import EventType
from tests.activities import orders
from tests.fixtures_database import Database
from tests.shop import unique
from tests.starter import stages


class Meanwhile:
    """Stripe, and what happens after a call and before its answer is read."""

    def __init__(self, stripe: StripePayments, call: str, happens: Callable[[Any], object]) -> None:
        self.stripe = stripe
        self.call = call
        self.happens = happens

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.stripe, name)
        if name != self.call:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            answer = method(*args, **kwargs)
            self.happens(answer)
            return answer

        return call


@pytest.fixture
def stripe(sandbox: SandboxControl) -> StripePayments:
    return StripePayments("sk_test_payment", sandbox.stripe_base, timeout=5)


@pytest.fixture
def step(database: Database) -> OrderStep:
    order_id = unique("M")
    orders.placed(database, order_id)
    return OrderStep(order_id=order_id, at=wall_clock())


class ProcessEnded(BaseException):
    """Everything in memory is gone; what was committed stays."""


def dies(_: Any) -> None:
    raise ProcessEnded


def payment(database: Database) -> Payment:
    with database.sessions() as tx:
        return tx.scalars(select(Payment)).one()


def test_a_payment_that_is_voided_while_it_is_made_is_not_confirmed(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, step: OrderStep
) -> None:
    """The attempt outlived its time, the order was cancelled beside it."""
    beside = PaymentActivities(database.sessions, stripe)
    slow = Meanwhile(stripe, "create_intent", lambda _: beside.void(step))
    with pytest.raises(Unavailable):
        PaymentActivities(database.sessions, slow).authorize(step)
    assert payment(database).status == "ended"
    assert sandbox.books(step.order_id)["authorizations"] == 0
    PaymentActivities(database.sessions, stripe).authorize(step)
    assert sandbox.books(step.order_id)["authorizations"] == 0


def test_a_payment_that_is_made_while_it_is_voided_is_voided_next(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, step: OrderStep
) -> None:
    def authorized(_: Any) -> None:
        PaymentActivities(database.sessions, stripe).authorize(step)

    activities = PaymentActivities(database.sessions, Meanwhile(stripe, "intents_of", authorized))
    sandbox.fail("stripe", "create_intent", "error", match=step.order_id)
    with pytest.raises(OutcomeUnknown):
        PaymentActivities(database.sessions, stripe).authorize(step)
    with pytest.raises(Unavailable):
        activities.void(step)
    PaymentActivities(database.sessions, stripe).void(step)
    books = sandbox.books(step.order_id)
    assert (books["authorizations"], books["voids"]) == (1, 1)
    assert payment(database).status == "ended"


def test_what_somebody_took_of_an_order_that_is_cancelled_goes_back(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, step: OrderStep
) -> None:
    activities = PaymentActivities(database.sessions, stripe)
    activities.authorize(step)
    stripe.capture(str(payment(database).intent), amount=2300, final=True, key=f"{step.order_id}-astray")
    with database.sessions.begin() as tx:
        reason = CancelReason.CUSTOMER
        facts.cancellation.cancellation_decided(tx, step.order_id, None, reason=reason, by="x", why="", at=step.at)
        facts.reserving.released(tx, step.order_id, step.at)
    known = activities.void(step)
    assert known.order
    [refund_id] = known.order.refunds
    RefundActivities(database.sessions, stripe).refund(RefundStep(**step.model_dump(), refund_id=refund_id))
    books = sandbox.books(step.order_id)
    assert (books["captured"], books["refunded"]) == (2300, 2300)
    with database.sessions() as tx:
        assert tx.scalars(select(Hold.code)).all() == []
        assert tx.get_one(Order, step.order_id).payment_status == "refunded"


def test_a_capture_of_unknown_outcome_is_looked_up_before_its_authorization_is_replaced(
    database: Database, sandbox: SandboxControl, stripe: StripePayments
) -> None:
    order_id = unique("M")
    orders.placed(database, order_id, in_stock=1)
    activities = PaymentActivities(database.sessions, stripe)
    step = OrderStep(order_id=order_id, at=wall_clock())
    activities.authorize(step)
    fulfillment_id = orders.packed(database, order_id)
    sandbox.fail("stripe", "capture", "lose_answer", match=order_id)
    with pytest.raises(OutcomeUnknown):
        CaptureActivities(database.sessions, stripe).capture(
            FulfillmentStep(**step.model_dump(), fulfillment_id=fulfillment_id)
        )
    with database.sessions.begin() as tx:
        facts.placing.payment_method_given(tx, order_id, "pm_card_mastercard", step.at)
    activities.authorize(step)
    with database.sessions() as tx:
        assert tx.scalars(select(Charge.status)).all() == ["paid"]
        assert tx.scalars(select(Hold.code)).all() == []


def test_what_somebody_took_before_the_order_heard_of_it_pays_its_goods(
    database: Database, sandbox: SandboxControl, stripe: StripePayments
) -> None:
    """Confirmed, the answer lost, and taken in the provider's dashboard before the next try."""
    order_id = unique("M")
    orders.placed(database, order_id, in_stock=1)
    step = OrderStep(order_id=order_id, at=wall_clock())
    activities = PaymentActivities(database.sessions, stripe)
    sandbox.fail("stripe", "confirm", "lose_answer", match=order_id)
    with pytest.raises(OutcomeUnknown):
        activities.authorize(step)
    stripe.capture(str(payment(database).intent), amount=2300, final=True, key=f"{order_id}-astray")
    known = activities.authorize(step)
    assert known.order
    assert not known.order.payment_ready, "it would be tried again at once, and for ever"
    assert (known.order.elsewhere, known.order.funded) == (2300, True)
    of_one = FulfillmentStep(**step.model_dump(), fulfillment_id=orders.packed(database, order_id))
    [f] = CaptureActivities(database.sessions, stripe).capture(of_one).fulfillments
    assert f.amount == 0
    with database.sessions() as tx:
        assert tx.scalars(select(Charge.status)).all() == ["paid"]
        assert tx.scalars(select(Hold.code)).all() == []
        assert tx.get_one(Order, order_id).payment_status == "captured"
    assert sandbox.books(order_id)["captured"] == 2300


@pytest.mark.parametrize("again", [False, True], ids=["the first", "its renewal"])
def test_an_intent_whose_id_was_lost_is_looked_up_when_its_key_is_used_no_more(
    database: Database,
    sandbox: SandboxControl,
    stripe: StripePayments,
    step: OrderStep,
    monkeypatch: pytest.MonkeyPatch,
    again: bool,
) -> None:
    activities = PaymentActivities(database.sessions, stripe)
    if again:
        activities.authorize(step)
        with database.sessions.begin() as tx:
            facts.renewal.asked_again(tx, step.order_id, step.at)
    sandbox.fail("stripe", "create_intent", "lose_answer", match=step.order_id)
    with pytest.raises(OutcomeUnknown):
        activities.authorize(step)
    monkeypatch.setattr(effects, "UNDER_WAY", timedelta())
    activities.authorize(step)
    with database.sessions() as tx:
        customer = tx.scalars(select(Customer.provider_customer)).one()
        used = tx.scalars(select(Payment.intent).order_by(Payment.n)).all()
    made = [intent.intent_id for intent in stripe.intents_of(str(customer))]
    assert (len(used), sorted(made)) == (1 + again, sorted(map(str, used)))
    assert sandbox.books(step.order_id)["authorizations"] == len(used)


@pytest.mark.parametrize("mode", ["lose_answer", "error"])
def test_an_end_that_is_told_while_a_capture_is_in_doubt_is_booked_once(
    database: Database, sandbox: SandboxControl, stripe: StripePayments, mode: Literal["lose_answer", "error"]
) -> None:
    order_id = unique("M")
    orders.placed(database, order_id, in_stock=1)
    step = OrderStep(order_id=order_id, at=wall_clock())
    PaymentActivities(database.sessions, stripe).authorize(step)
    of_one = FulfillmentStep(**step.model_dump(), fulfillment_id=orders.packed(database, order_id))
    activities, intent = CaptureActivities(database.sessions, stripe), str(payment(database).intent)
    sandbox.fail("stripe", "capture", mode, match=order_id)
    with pytest.raises(OutcomeUnknown):
        activities.capture(of_one)
    if mode == "error":
        stripe.void(intent, key=f"{order_id}-lapsed")
    with database.sessions.begin() as tx:
        facts.news.payments.ended(tx, PaymentEnded(intent=intent, order=order_id, expired=True), step.at)
    activities.capture(of_one)
    with database.sessions() as tx:
        moves = tx.execute(select(MoneyMove.kind, MoneyMove.amount).order_by(MoneyMove.move_id)).all()
    end = "captured" if mode == "lose_answer" else "voided"
    assert [tuple(move) for move in moves] == [("authorized", 2300), (end, 2300)]
    assert payment(database).status == ("captured" if mode == "lose_answer" else "ended")


@pytest.mark.parametrize(("undone", "after"), [(False, IntentStatus.AUTHORIZED), (True, IntentStatus.ENDED)])
def test_dead_between_the_mark_of_a_given_intent_and_its_record_it_is_ours_all_the_same(
    database: Database,
    sandbox: SandboxControl,
    stripe: StripePayments,
    step: OrderStep,
    undone: bool,
    after: IntentStatus,
) -> None:
    given = sandbox.check_out(2300)["id"]
    with database.sessions.begin() as tx:
        facts.placing.is_given(tx.scalars(select(Payment)).one(), given)
    with pytest.raises(ProcessEnded):
        PaymentActivities(database.sessions, Meanwhile(stripe, "mark", dies)).authorize(step)
    assert stripe.intent(given).metadata == {"order_id": step.order_id, "payment": "1"}
    assert payment(database).unseen
    activities = PaymentActivities(database.sessions, stripe)
    activities.void(step) if undone else activities.authorize(step)
    assert (stripe.intent(given).status, str(payment(database).status)) == (after, after.value)
    calls = [call["path"].partition(given) for call in sandbox.requests("stripe") if call["method"] == "POST"]
    assert [what for _, about, what in calls if about] == ["", *(["/cancel"] if undone else [])], "marked once"


def test_what_was_captured_of_a_hold_that_we_took_for_lapsed_was_not_given_back(
    database: Database, step: OrderStep
) -> None:
    """Somebody captured a part; that was never told, and a week later nothing can be set aside any more."""
    stages.authorized(database, step.order_id)
    orders.cancelled(database, step.order_id)
    with database.sessions.begin() as tx:
        payment_id = tx.scalars(select(Payment.payment_id)).one()
        facts.money.ended(tx, payment_id, EventType.AUTHORIZATION_ENDED, step.at)
        assert facts.news.payments.taken(tx, PaymentTaken(intent="pi_1", order=step.order_id, captured=900), step.at)
    with database.sessions() as tx:
        rows = tx.execute(select(MoneyMove.kind, func.sum(MoneyMove.amount)).group_by(MoneyMove.kind))
        assert dict(rows.all()) == {"authorized": 2300, "captured": 900, "assigned": 0, "voided": 1400}
        assert tx.scalars(select(Refund.amount)).all() == [900]
        assert [*breaches(tx)] == []
    assert payment(database).status == "captured"
