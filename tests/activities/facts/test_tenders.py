"""Walk 8 of docs/data.md: several tenders pay an order. Drawn in turn; the last is lowered first; given back in
reverse."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts import refund_requests
from activities.facts.bill import bill
from activities.facts.fulfillments import locked
from activities.facts.journal import locked_order
from activities.facts.refund_requests import Wanted
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from activities.models import CancelReason, WantedLine
from activities.ports import IntentStatus, PaymentIntent
from activities.views import order as view
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Charge, ChargeUnits, Hold, Message, MoneyMove, Order, Payment, Product, Refund
from tests.activities import orders
from tests.fixtures_database import Database
from tests.starter import stages

ORDER = "W-1"
VOUCHER = {"method": "external", "reference": "voucher 17"}
GIFT = {"method": "external", "reference": "gift card"}
CARD = {"method": "card", "payment_method": "pm_card_visa"}
FIRST, SECOND = 7000, 3000
"""What the one unit of each line costs."""


def placed(database: Database, *payments: dict[str, Any], in_stock: tuple[int, int] = (1, 1)) -> None:
    orders.placed(database, "other")  # and with it the place
    skus = ("LAMP", "MUG")
    with database.sessions.begin() as tx:
        tx.merge(Product(sku="LAMP", name="Lamp", weight_g=400, lead_time_days=7))
        lines = [(sku, units) for sku, units in zip(skus, in_stock, strict=True) if units]
        if lines:
            facts.inventory.received(tx, reference="shelves", location_id="OAK", lines=lines)
        asked = example_order(ORDER, dict.fromkeys(skus, 1), payments=payments, notify=["email"])
        for line, price in zip(asked["lines"], (FIRST, SECOND), strict=True):
            line["unit_price"] = price
        asked["shipping"]["price"], asked["total"] = 0, FIRST + SECOND
        facts.placing.placed(tx, AskedOrder.model_validate(asked), order_id=ORDER, idempotency_key=None)


def authorized(database: Database) -> None:
    stages.authorized(database, ORDER)


def cancel(database: Database, *lines: int) -> None:
    """One unit of each, or the whole order."""
    with database.sessions.begin() as tx:
        wanted = [{"line": line, "quantity": 1} for line in lines] or None
        who: dict[str, Any] = {"reason": CancelReason.CUSTOMER, "by": "x", "why": ""}
        change = facts.cancellation.cancellation_asked(tx, ORDER, lines=wanted, **who)
        facts.cancellation.cancellation_decided(tx, ORDER, change.change_id, **who, at=wall_clock())


def captured(database: Database) -> None:
    """What is packed, all of it at once."""
    stages.packed(database, ORDER)
    with database.sessions.begin() as tx:
        order, f = locked(tx, f"{ORDER}-1")
        payment = tx.scalars(select(Payment).where(Payment.order_id == ORDER)).one()
        charge = facts.charges.asked(tx, order, f.fulfillment_id, bill(tx, order), wall_clock())
        assert charge
        asked = {
            "charge_id": charge.charge_id,
            "payment_id": payment.payment_id,
            "received": 0,
            "amount": charge.amount,
        }
        after = PaymentIntent(
            intent_id="pi_1", status=IntentStatus.CAPTURED, amount=payment.amount, captured=charge.amount
        )
        facts.charges.captured(tx, f.fulfillment_id, asked, after, wall_clock())


def charges(tx: Session) -> list[tuple[int, str, list[tuple[int, int]]]]:
    """Tender, status, and of which line how much."""
    rows = select(Charge, ChargeUnits).join(ChargeUnits, ChargeUnits.charge_id == Charge.charge_id)
    found: dict[Charge, list[tuple[int, int]]] = {}
    for charge, units in tx.execute(rows.order_by(Charge.n, ChargeUnits.line_no)):
        found.setdefault(charge, []).append((units.line_no, units.amount * units.quantity))
    return [(charge.tender_n, str(charge.status), units) for charge, units in found.items()]


def moves(tx: Session) -> list[tuple[str, int, str | None]]:
    rows = tx.scalars(select(MoneyMove).where(MoneyMove.order_id == ORDER).order_by(MoneyMove.move_id))
    return [(str(move.kind), move.amount, move.charge_id and move.charge_id.removeprefix(f"{ORDER}-")) for move in rows]


def refunds(tx: Session) -> list[tuple[int, str | None, bool]]:
    """Amount, of which charge, and whether a person pays it back."""
    rows = tx.scalars(select(Refund).order_by(Refund.n))
    return [(r.amount, r.charge_id and r.charge_id.removeprefix(f"{ORDER}-"), r.payment_id is None) for r in rows]


def statuses(tx: Session) -> tuple[str, str]:
    order = tx.get_one(Order, ORDER)
    return str(order.status), str(order.payment_status)


def tenders(tx: Session) -> list[tuple[int, int, int]]:
    """Captured, refunded, still to come."""
    found = view.read(tx, tx.get_one(Order, ORDER)).payment.tenders
    return [(each.captured, each.refunded, each.to_come) for each in found]


def done(database: Database, action: str = "paid_otherwise") -> None:
    """A person has paid it back, or has given it up."""
    with database.sessions.begin() as tx:
        mine = Refund.order_id == ORDER, Refund.payment_id.is_(None), Refund.status == "asked"
        refund = tx.scalars(select(Refund).where(*mine).order_by(Refund.n)).first()
        assert refund
        getattr(facts.refunds, action)(tx, refund.refund_id, wall_clock())
        hold = tx.scalars(select(Hold).where(Hold.subject_id == refund.refund_id)).one()
        assert "Paid as: voucher 17." in hold.advice
        facts.holds.closed(tx, hold.hold_id, wall_clock(), by="x", why="")


@pytest.mark.both_databases
def test_the_last_tender_is_lowered_first_and_all_goes_back_in_reverse(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD)
    with database.sessions() as tx:
        assert charges(tx) == [(1, "paid", [(1, 6000)])]
        assert moves(tx) == [("captured", 6000, "c1")]
        assert [(p.tender_n, p.amount) for p in tx.scalars(select(Payment).where(Payment.order_id == ORDER))] == [
            (2, 4000)
        ]
        assert statuses(tx) == ("placed", "none"), "the card was not asked yet"
        assert tenders(tx) == [(6000, 0, 0), (0, 0, 4000)]
    authorized(database)
    cancel(database, 2)
    with database.sessions() as tx:
        assert (refunds(tx), tenders(tx)) == ([], [(6000, 0, 0), (0, 0, 1000)])
        assert statuses(tx) == ("processing", "partially_captured")
    captured(database)
    with database.sessions.begin() as tx:
        assert charges(tx)[1:] == [(2, "paid", [(1, 1000)])]
        assert moves(tx)[1:] == [("authorized", 4000, None), ("voided", 3000, None), ("captured", 1000, "c2")]
        assert statuses(tx) == ("processing", "captured")
        refund_requests.asked(tx, locked_order(tx, ORDER), Wanted(), by="x")
    with database.sessions() as tx:
        assert refunds(tx) == [(1000, "c2", False), (6000, "c1", True)]
    done(database)
    with database.sessions() as tx:
        assert tenders(tx) == [(6000, 6000, 0), (1000, 0, 0)]
        assert [*breaches(tx)] == []


@pytest.mark.parametrize(
    ("wanted", "parts"),
    [
        (Wanted(amount=4500), [(4000, "c2", False), (500, "c1", True)]),
        (Wanted(lines=[WantedLine(line=1)]), [(1000, "c2", False), (6000, "c1", True)]),
        (Wanted(lines=[WantedLine(line=2, quantity=1)]), [(3000, "c2", False)]),
    ],
)
def test_each_gets_back_no_more_than_it_gave(database: Database, wanted: Wanted, parts: list[Any]) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD)
    authorized(database)
    captured(database)
    with database.sessions.begin() as tx:
        order = locked_order(tx, ORDER)
        refund_requests.asked(tx, order, wanted, by="x")
        assert refunds(tx) == parts
        left = FIRST + SECOND - sum(amount for amount, _, _ in parts)
        with pytest.raises(facts.requests.WrongFields, match="amount"):
            refund_requests.asked(tx, order, Wanted(amount=left + 1), by="x")
        refund_requests.asked(tx, order, Wanted(), by="x")
        given = {(charge, by_hand): 0 for _, charge, by_hand in refunds(tx)}
        for amount, charge, by_hand in refunds(tx):
            given[charge, by_hand] += amount
        assert given == {("c1", True): 6000, ("c2", False): 4000}


@pytest.mark.both_databases
def test_what_was_paid_for_a_cancelled_unit_pays_for_others_before_the_card_does(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD)
    authorized(database)
    cancel(database, 1)
    with database.sessions() as tx:
        assert charges(tx) == [
            (1, "cancelled", [(1, 6000)]),
            (1, "paid", [(2, 3000)]),
            (1, "paid", [(1, 3000)]),
        ]
        assert moves(tx)[2:] == [("assigned", -6000, "c1"), ("assigned", 3000, "c2"), ("assigned", 3000, "c3")]
        assert refunds(tx) == [(3000, "c3", True)]
        assert tenders(tx) == [(6000, 0, 0), (0, 0, 0)]
    done(database)
    with database.sessions.begin() as tx:
        order = locked_order(tx, ORDER)
        assert facts.refunds.owed_back(tx, order, wall_clock()) == [], "safe to repeat"
        assert [*breaches(tx)] == []
    cancel(database)
    with database.sessions() as tx:
        assert refunds(tx) == [(3000, "c3", True), (3000, "c2", True)]
        assert statuses(tx)[0] == "cancelling"


def test_what_a_tender_paid_of_several_units_goes_on_for_those_that_do(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 8000}, CARD)
    authorized(database)
    cancel(database, 1)
    with database.sessions() as tx:
        assert charges(tx)[1:] == [(1, "paid", [(2, 1000)]), (1, "paid", [(2, 2000)]), (1, "paid", [(1, 5000)])]
        assert refunds(tx) == [(5000, "c4", True)]
        assert tenders(tx) == [(8000, 0, 0), (0, 0, 0)]
        assert [*breaches(tx)] == []


def test_a_tender_that_is_drawn_after_the_card_lowers_nothing_of_it(database: Database) -> None:
    placed(database, CARD | {"amount": 4000}, VOUCHER)
    with database.sessions() as tx:
        assert charges(tx) == [(2, "paid", [(1, 3000), (2, 3000)])]
    authorized(database)
    cancel(database, 2)
    with database.sessions() as tx:
        assert refunds(tx) == [(3000, "c1", True)]
        assert tenders(tx) == [(0, 0, 4000), (6000, 0, 0)]


@pytest.mark.parametrize("ends", ["paid_otherwise", "given_up"])
def test_cancelled_whole_it_owes_until_a_person_has_seen_to_it(database: Database, ends: str) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD)
    stages.declined(database, ORDER)
    with database.sessions() as tx:
        assert statuses(tx) == ("placed", "declined"), "what others have taken pays only a part"
    cancel(database)
    with database.sessions.begin() as tx:
        facts.reserving.released(tx, ORDER, wall_clock())
    with database.sessions() as tx:
        assert refunds(tx) == [(6000, "c1", True)]
        assert statuses(tx) == ("cancelling", "captured")
        [message] = tx.scalars(select(Message.data).where(Message.order_id == ORDER, Message.kind == "cancelled"))
        assert message == {"refunded": 0, "paid_as": "voucher 17"}
    done(database, ends)
    with database.sessions() as tx:
        assert statuses(tx) == ("cancelled", "refunded" if ends == "paid_otherwise" else "captured")
        assert [*breaches(tx)] == []


def test_a_declined_card_that_is_needed_for_nothing_any_more_holds_up_nothing(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 7000}, CARD)
    stages.declined(database, ORDER)
    cancel(database, 2)
    with database.sessions() as tx:
        assert (refunds(tx), tenders(tx)) == ([], [(7000, 0, 0), (0, 0, 0)])
        assert statuses(tx) == ("processing", "captured")
        kinds = tx.scalars(select(Message.kind).where(Message.order_id == ORDER).order_by(Message.message_id)).all()
        assert [str(kind) for kind in kinds] == ["payment_problem", "confirmed", "partly_cancelled"]


def test_wholly_paid_by_two_others_each_gets_its_own_back(database: Database) -> None:
    placed(database, GIFT | {"amount": 6000}, VOUCHER)
    with database.sessions() as tx:
        assert charges(tx) == [(1, "paid", [(1, 6000)]), (2, "paid", [(1, 1000), (2, 3000)])]
        assert statuses(tx) == ("processing", "captured")
        assert tx.scalars(select(Payment).where(Payment.order_id == ORDER)).all() == []
    cancel(database, 1)
    with database.sessions() as tx:
        assert refunds(tx) == [(1000, "c2", True), (6000, "c1", True)]
        [message] = tx.scalars(
            select(Message.data).where(Message.order_id == ORDER, Message.kind == "partly_cancelled")
        )
        assert message["paid_as"] == "gift card, voucher 17"
        assert [*breaches(tx)] == []


def test_a_rest_of_nothing_asks_no_card(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 10000}, CARD)
    with database.sessions.begin() as tx:
        assert tx.scalars(select(Payment).where(Payment.order_id == ORDER)).all() == []
        assert statuses(tx) == ("processing", "captured")
        facts.statuses.derive(tx, locked_order(tx, ORDER))
        facts.statuses.conclude(tx)
        assert statuses(tx) == ("processing", "captured")
        assert [*breaches(tx)] == []
