"""Walk 8 of docs/data.md: several tenders pay an order. Drawn in turn; the last is lowered first; given back in
reverse."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activities import facts
from activities.facts import effects, refund_requests
from activities.facts.bill import bill
from activities.facts.fulfillments import locked
from activities.facts.journal import locked_order
from activities.facts.refund_requests import Wanted
from activities.models import WantedLine
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Message, Payment
from tests.activities.tenders import (
    CARD,
    FIRST,
    GIFT,
    ORDER,
    SECOND,
    VOUCHER,
    authorized,
    cancel,
    captured,
    charges,
    done,
    moves,
    placed,
    refunds,
    statuses,
    tenders,
)
from tests.fixtures_database import Database
from tests.starter import stages


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


def test_a_unit_that_the_card_has_not_paid_yet_gives_back_what_the_voucher_paid(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD)
    authorized(database)
    stages.packed(database, ORDER)
    with database.sessions.begin() as tx:
        order, f = locked(tx, f"{ORDER}-1")
        assert facts.charges.asked(tx, order, f.fulfillment_id, bill(tx, order), wall_clock())
        refund_requests.asked(tx, order, Wanted(lines=[WantedLine(line=1)]), by="x")
        assert refunds(tx) == [(6000, "c1", True)]


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


@pytest.mark.parametrize("in_doubt", [True, False])
def test_what_the_card_is_just_being_asked_for_is_left_to_it(database: Database, in_doubt: bool) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD, in_stock=(0, 1))
    authorized(database)
    stages.packed(database, ORDER)
    with database.sessions.begin() as tx:
        order, f = locked(tx, f"{ORDER}-1")
        charge = facts.charges.asked(tx, order, f.fulfillment_id, bill(tx, order), wall_clock())
        assert charge
        about = {"charge_id": charge.charge_id, "fulfillment_id": f.fulfillment_id, "amount": charge.amount}
        about["payment_id"] = tx.scalars(select(Payment.payment_id).where(Payment.order_id == ORDER)).one()
        effect = effects.begin(tx, ORDER, "capture:c2", name="capture:c2", **about)
        if not in_doubt:
            effects.finish(tx, effect, "nothing_happened")
    cancel(database, 1)
    with database.sessions() as tx:
        left = [(2, "open", [(2, 3000)])] if in_doubt else [(2, "cancelled", [(2, 3000)])]
        assert charges(tx)[1:2] == left
        assert sum(amount for amount, _, _ in refunds(tx)) == (6000 if in_doubt else 3000)
        assert [*breaches(tx)] == []


def test_a_voucher_that_was_given_back_in_part_pays_for_nothing_else(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD)
    authorized(database)
    with database.sessions.begin() as tx:
        refund_requests.asked(tx, locked_order(tx, ORDER), Wanted(amount=500), by="x")
    cancel(database, 1)
    with database.sessions() as tx:
        assert refunds(tx) == [(500, "c1", True), (5500, "c1", True)]
        assert tenders(tx)[1] == (0, 0, 3000)
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
        assert message == {"refunded": 0, "paid_as": "voucher 17", "maybe_charged": 1}
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


def test_a_card_that_is_needed_for_nothing_may_say_yes_all_the_same(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 7000}, CARD)
    cancel(database, 2)
    authorized(database)
    with database.sessions() as tx:
        assert tenders(tx) == [(7000, 0, 0), (0, 0, 0)]
        assert statuses(tx) == ("processing", "captured")
        confirmed = (Message.order_id == ORDER, Message.kind == "confirmed")
        assert len(tx.scalars(select(Message).where(*confirmed)).all()) == 1


def test_a_renewal_asks_the_card_for_what_the_voucher_leaves(database: Database) -> None:
    placed(database, VOUCHER | {"amount": 6000}, CARD)
    authorized(database)
    cancel(database, 2)
    with database.sessions.begin() as tx:
        order = locked_order(tx, ORDER)
        payments = select(Payment).where(Payment.order_id == ORDER).order_by(Payment.n)
        [first] = tx.scalars(payments)
        first.capture_before = wall_clock() + timedelta(hours=20)
        facts.renewal.renewal_due(tx, order, f"{ORDER}/1", wall_clock())
        assert [(p.tender_n, p.amount) for p in tx.scalars(payments)] == [(2, 4000), (2, 1000)]


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
