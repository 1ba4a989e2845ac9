"""A label is bought once, for the address as it is, whatever the carrier answers and whenever."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from activities import facts
from activities.facts.effects import unresolved
from activities.facts.sums import sums
from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.intake.people import Address
from activities.labels import LabelActivities
from activities.models import ParcelStep, Subject
from activities.ports import Label, LabelStatus, Rate
from activities.providers.shippo.labels import ShippoLabels
from infra.clock import wall_clock
from infra.database.tables import Effect, Order
from infra.hold_kinds import HoldKind
from infra.sandbox.client import SandboxControl
from tests.activities import orders
from tests.fixtures_database import Database
from tests.shipping import TOKEN
from tests.shop import unique

SETTLE = timedelta(minutes=1)


@pytest.fixture
def shippo(sandbox: SandboxControl) -> ShippoLabels:
    return ShippoLabels(TOKEN, sandbox.shippo_base, timeout=5)


@pytest.fixture
def step(database: Database) -> ParcelStep:
    """A parcel that waits for its label."""
    order_id = unique("L")
    orders.placed(database, order_id, in_stock=1)
    return ParcelStep(order_id=order_id, at=wall_clock(), fulfillment_id=orders.packed(database, order_id), parcel=1)


class Meanwhile:
    """Shippo, and what happens beside a call or to its answer."""

    def __init__(self, shippo: ShippoLabels, **changes: Callable[[Any], Any]) -> None:
        self.shippo = shippo
        self.changes = changes

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.shippo, name)
        change = self.changes.get(name, lambda answer: answer)
        return lambda *args, **kwargs: change(method(*args, **kwargs))


def a_while_later(database: Database) -> None:
    with database.sessions.begin() as tx:
        tx.execute(update(Effect).values(last_called_at=wall_clock() - 2 * SETTLE))


def label_of(database: Database, step: ParcelStep) -> tuple[str, str | None]:
    with database.sessions() as tx:
        parcel = facts.labels.parcel_of(tx, step.fulfillment_id, step.parcel)
        return parcel.label_status, parcel.tracking_number


def test_every_purchase_is_given_time_before_it_is_looked_up(
    database: Database, sandbox: SandboxControl, shippo: ShippoLabels, step: ParcelStep
) -> None:
    """Also the second one: its answer may be lost like that of the first."""
    activities = LabelActivities(database.sessions, shippo, SETTLE)
    sandbox.fail("shippo", "buy", "error", match=step.order_id)
    sandbox.fail("shippo", "buy", "lose_answer", match=step.order_id)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            activities.buy(step)
        assert label_of(database, step)[0] == "buying"
        with pytest.raises(OutcomeUnknown) as waiting:
            activities.buy(step)
        assert waiting.value.code == "settling"
        a_while_later(database)
    activities.buy(step)
    assert label_of(database, step)[0] == "bought"
    assert sandbox.books(step.order_id)["labels"] == 1


def test_a_purchase_that_the_carrier_still_works_on_is_no_label_yet(
    database: Database, sandbox: SandboxControl, shippo: ShippoLabels, step: ParcelStep
) -> None:
    def queued(label: Label) -> Label:
        return label.model_copy(update={"status": LabelStatus.QUEUED, "tracking_number": None, "label_url": None})

    slow = Meanwhile(shippo, buy=queued, labels_of=lambda found: [queued(label) for label in found])
    with pytest.raises(OutcomeUnknown):
        LabelActivities(database.sessions, slow, SETTLE).buy(step)
    a_while_later(database)
    with pytest.raises(OutcomeUnknown) as waiting:
        LabelActivities(database.sessions, slow, SETTLE).buy(step)
    assert waiting.value.code == "queued"
    assert label_of(database, step) == ("buying", None)
    LabelActivities(database.sessions, shippo, SETTLE).buy(step)
    status, number = label_of(database, step)
    assert status == "bought"
    assert number
    assert sandbox.books(step.order_id)["labels"] == 1


@pytest.mark.parametrize(("code", "failure"), [("carrier_timeout", Unavailable), ("insufficient_funds", Refused)])
def test_a_purchase_that_failed_is_looked_up_before_there_is_another(
    database: Database,
    sandbox: SandboxControl,
    shippo: ShippoLabels,
    step: ParcelStep,
    code: str,
    failure: type[ProviderFailure],
) -> None:
    """A carrier that says no may have made the label; and one that did not is asked again."""
    final = failure is Refused

    def failed(label: Label) -> Label:
        return label.model_copy(update={"status": LabelStatus.FAILED, "error_code": code, "final": final})

    def away(_: Any) -> Any:
        raise Unavailable("shippo", "busy")

    refusing = Meanwhile(shippo, buy=failed, labels_of=lambda found: [failed(label) for label in found])
    with pytest.raises(failure):
        LabelActivities(database.sessions, refusing, SETTLE).buy(step)
    assert label_of(database, step) == ("none", None)
    with pytest.raises(OutcomeUnknown):
        LabelActivities(database.sessions, Meanwhile(shippo, buy=failed, labels_of=away), SETTLE).buy(step)
    assert label_of(database, step) == ("buying", None)
    a_while_later(database)
    before = sandbox.books(step.order_id)["labels"]
    LabelActivities(database.sessions, shippo, SETTLE).buy(step)
    assert label_of(database, step)[0] == "bought"
    assert sandbox.books(step.order_id)["labels"] == before, "it was made after all"


def test_a_label_that_was_made_though_its_carrier_said_no_is_adopted(
    database: Database, sandbox: SandboxControl, shippo: ShippoLabels, step: ParcelStep
) -> None:
    wrong = Meanwhile(shippo, buy=lambda label: label.model_copy(update={"status": LabelStatus.FAILED}))
    LabelActivities(database.sessions, wrong, SETTLE).buy(step)
    assert label_of(database, step)[0] == "bought"
    assert sandbox.books(step.order_id)["labels"] == 1


def test_an_address_that_changes_beside_the_pricing_is_priced_anew(
    database: Database, sandbox: SandboxControl, shippo: ShippoLabels, step: ParcelStep
) -> None:
    elsewhere = Address(name="Ada", street1="1 Market St", city="San Francisco", state="CA", zip="94105", country="US")

    def moved(rates: Any) -> Any:
        with database.sessions.begin() as tx:
            order, place = tx.get_one(Order, step.order_id), facts.addresses.ship_to(tx, step.order_id)
            facts.addresses.address_given(tx, order, place, elsewhere, wall_clock(), by="eve")
        return rates

    with pytest.raises(Unavailable) as stale:
        LabelActivities(database.sessions, Meanwhile(shippo, rates=moved), SETTLE).buy(step)
    assert stale.value.code == "changed_meanwhile"
    assert sandbox.books(step.order_id)["labels"] == 0
    LabelActivities(database.sessions, shippo, SETTLE).buy(step)
    shipment = [str(r) for r in sandbox.requests("shippo") if step.order_id in str(r) and "address_to" in str(r)][-1]
    assert "1 Market St" in shipment


def test_a_purchase_of_unknown_outcome_fixes_the_address(
    database: Database, sandbox: SandboxControl, shippo: ShippoLabels, step: ParcelStep
) -> None:
    sandbox.fail("shippo", "buy", "lose_answer", match=step.order_id)
    with pytest.raises(OutcomeUnknown):
        LabelActivities(database.sessions, shippo, SETTLE).buy(step)
    with database.sessions.begin() as tx:
        parcel = Subject.parcel(step.fulfillment_id, step.parcel)
        facts.holds.opened(tx, step.order_id, HoldKind.BUY_LABEL_FAILED, parcel, step.at, code="no_answer")
        because = facts.addresses.fixed_because(
            tx, tx.get_one(Order, step.order_id), facts.addresses.ship_to(tx, step.order_id)
        )
    assert because is not None
    assert "try again in a minute" in because


def test_a_purchase_that_is_given_up_keeps_nothing_open(
    database: Database, sandbox: SandboxControl, shippo: ShippoLabels, step: ParcelStep
) -> None:
    sandbox.fail("shippo", "buy", "lose_answer", match=step.order_id)
    with pytest.raises(OutcomeUnknown):
        LabelActivities(database.sessions, shippo, SETTLE).buy(step)
    with database.sessions.begin() as tx:
        facts.labels.written_off(tx, step.fulfillment_id, step.parcel, step.at)
        assert sums(tx, tx.get_one(Order, step.order_id)).open_labels == 0
        assert not unresolved(tx, step.order_id, f"label:{step.fulfillment_id}/1")


@pytest.mark.parametrize("answer", [LabelStatus.QUEUED, LabelStatus.FAILED, LabelStatus.BOUGHT])
def test_an_answer_that_says_nothing_of_a_labels_money_changes_nothing(
    database: Database, shippo: ShippoLabels, step: ParcelStep, answer: LabelStatus
) -> None:
    """Before its money is asked back, that is no label to give back; afterwards the provider is slow to show it."""
    activities = LabelActivities(database.sessions, shippo, SETTLE)
    activities.buy(step)
    slow = Meanwhile(shippo, label=lambda label: label.model_copy(update={"status": answer}))
    if answer != LabelStatus.BOUGHT:
        with pytest.raises(Unavailable):
            LabelActivities(database.sessions, slow, SETTLE).refund(step)
        assert label_of(database, step)[0] == "bought"
    activities.refund(step)
    LabelActivities(database.sessions, slow, SETTLE).refund(step)
    assert label_of(database, step)[0] == "refund_requested"


@pytest.mark.both_databases
def test_services_have_long_names(database: Database, step: ParcelStep) -> None:
    """The longest of Shippo's own has 46 characters."""
    service = "usps_first_class_package_international_service"
    rate = Rate(rate_id="rate", carrier="usps", service=service, amount=2000, currency="usd")
    with database.sessions.begin() as tx:
        facts.labels.buying(tx, step.fulfillment_id, 1, rate, step.at)
    with database.sessions() as tx:
        assert facts.labels.parcel_of(tx, step.fulfillment_id, 1).service == service
