"""What cannot be is found by the question about it, and named with its ids; what may be is not."""

import pytest
from sqlalchemy import select, text

from activities.ports import IntentStatus
from activities.views.check import QUESTIONS, breaches, totals
from infra.database.tables import Order, Payment
from tests.activities import orders
from tests.fixtures_database import Database
from tests.starter import stages

ORDER = "W-1"
MOVED = "INSERT INTO money_moves (order_id, payment_id, kind, amount, currency, reference, effective_at, recorded_at) "
MOVED += "SELECT order_id, payment_id, '{}', amount + 1, '{}', 'x', effective_at, recorded_at FROM money_moves "
MOVED += "WHERE kind = 'authorized'"
GIVEN_UP = (
    "INSERT INTO line_cancellations (order_id, n, line_no, first_unit, quantity, status, whole, reason, recorded_at)"
)
GIVEN_UP += " SELECT order_id, {}, 1, 0, 1, '{}', TRUE, 'customer', recorded_at FROM orders"
DISPUTED = "INSERT INTO disputes (dispute_id, payment_id, amount, reason, answered, status, effective_at, recorded_at)"
DISPUTED += " SELECT 'W-1', payment_id, 1, 'general', FALSE, 'won', recorded_at, recorded_at FROM payments"
RETURNED = MOVED.format("dispute_returned", "USD").replace("order_id,", "order_id, dispute_id,", 1)
RETURNED = RETURNED.replace("SELECT order_id,", "SELECT order_id, 'W-1',")
ASKED = "INSERT INTO holds (hold_id, order_id, kind, subject_kind, subject_id, reason, code, advice, opened_at)"
ASKED += " SELECT 'h', order_id, 'dispute', 'dispute', 'W-1', 'dispute', 'x', 'x', recorded_at FROM orders"
BACK = 'INSERT INTO changes (order_id, kind, "by", why, recorded_at) '
BACK += "SELECT order_id, 'return', 'x', 'x', recorded_at FROM orders; "
BACK += "INSERT INTO returns "
BACK += "(order_id, n, change_id, location_id, refund, void, exchanged, received_at, recorded_at) "
BACK += "SELECT order_id, 1, change_id, 'OAK', 'cash', FALSE, 0, recorded_at, recorded_at FROM changes; "
BACK += "INSERT INTO return_units (order_id, line_no, first_unit, n, quantity, condition) "
BACK += "SELECT order_id, 1, 0, 1, 1, 'sellable' FROM returns"
CLAIM = "INSERT INTO claims (claim_id, digest, made_by, channel, lines, units, status, expires_at, recorded_at) "
CLAIM += "SELECT order_id, '', 'k', 'web', '[]', 1, 'held', recorded_at, recorded_at FROM orders"
BROKEN = {
    "more came back of a dispute than the bank took": f"{DISPUTED}; {RETURNED}",
    "a person is asked about a dispute that was decided": f"{DISPUTED}; {ASKED}",
    "captured more than was authorized": MOVED.format("captured", "USD"),
    "an authorization neither captured nor given back, or both": (
        "UPDATE orders SET status = 'cancelled'; UPDATE money_moves SET amount = amount - 1 WHERE kind = 'voided'"
    ),
    "refunded more than was captured": MOVED.format("refunded", "USD"),
    "charged more than the order costs": "UPDATE money_moves SET amount = amount + 9500 WHERE charge_id IS NOT NULL",
    "taken elsewhere, and neither given back nor told to a person": MOVED.format("captured", "USD"),
    "kept for units that were never sent": "UPDATE orders SET status = 'completed'",
    "money in another currency than its order": MOVED.format("voided", "EUR"),
    "unit amounts that are not the order's total": "UPDATE unit_amounts SET total = total + 1",
    "reserved for nobody, or not for whom it is": "UPDATE reservations SET status = 'released'",
    "stock that its moves do not explain": "UPDATE stock SET on_hand = on_hand + 1",
    "a count that the moves do not bear out": (
        "INSERT INTO counts (count_id, location_id, cause, round, tolerance_units, tolerance_percent, status, "
        "asked_by, recorded_at) SELECT 'C-1', location_id, 'cycle', 1, 0, 0, 'closed', 'x', occurred_at "
        "FROM stock_moves LIMIT 1; INSERT INTO count_lines (count_id, sku, status, counted, counted_at, packed) "
        "SELECT 'C-1', sku, 'accepted', 999, occurred_at, 0 FROM stock_moves LIMIT 1"
    ),
    "stock held by a closed order": "UPDATE orders SET status = 'completed'",
    "an authorization held by a closed order": (
        "UPDATE orders SET status = 'cancelled'; UPDATE payments SET status = 'authorized'"
    ),
    "units sold and not accounted for": "UPDATE orders SET status = 'completed'",
    "held by a checkout otherwise than it says": CLAIM,
    "a place in the queue held by a closed order": "UPDATE orders SET status = 'completed'",
    "an unused label held by a closed order": "UPDATE orders SET status = 'completed'",
    "a wish to cancel that a closed order never answered": (
        f"{GIVEN_UP.format(1, 'asked')}; UPDATE orders SET status = 'completed'"
    ),
    "a line that lists show at another time than its order": "UPDATE order_lines SET placed_at = '2000-01-01 00:00:00'",
    "units cancelled twice": f"{GIVEN_UP.format(1, 'asked')}; {GIVEN_UP.format(2, 'done')}",
    "a charge that its units do not make": "UPDATE charge_units SET amount = amount + 1",
    "charged more for a line than it costs": "UPDATE charge_units SET quantity = quantity + 10",
    "received for a charge otherwise than its status says": "UPDATE charges SET status = 'cancelled'",
    "given back of a charge more than was received for it": (
        "UPDATE money_moves SET kind = 'refunded' WHERE charge_id IS NOT NULL"
    ),
    "tenders that do not make the order's total": "UPDATE tenders SET amount = 1",
    "drawn more of a tender than it was to pay": "UPDATE tenders SET amount = 1",
    "a charge that another tender has paid": (
        "INSERT INTO tenders (order_id, n, method, reference, due) SELECT order_id, 2, 'card', 'x', due FROM tenders; "
        "UPDATE payments SET tender_n = 2"
    ),
    "a refund of which its moves tell otherwise": (
        "INSERT INTO refunds (refund_id, order_id, n, amount, credited, status, recorded_at) "
        "SELECT 'W-1-r1', order_id, 1, 100, 0, 'pending', recorded_at FROM orders"
    ),
    "money assigned from nowhere": MOVED.format("assigned", "USD"),
    "picked up, and no hand-over tells of it, or the other way round": (
        "UPDATE fulfillments SET method = 'pickup'; UPDATE reservations SET status = 'consumed'"
    ),
    "a unit in two places, or none that was ordered": "UPDATE backorders SET first_unit = first_unit - 1",
    "a unit that came back and was not away": BACK,
    "a message that waits, and nothing that ends it": "UPDATE messages SET due_at = recorded_at",
}


@pytest.fixture
def busy(database: Database) -> Database:
    """An order of five, of which two are waited for and three are packed, paid for and have their label."""
    orders.placed(database, ORDER, 5, in_stock=3)
    stages.authorized(database, ORDER)
    stages.labelled(database, ORDER)
    stages.captured(database, ORDER)
    return database


@pytest.mark.both_databases
def test_each_question_finds_what_breaks_it(busy: Database) -> None:
    assert BROKEN.keys() == QUESTIONS.keys()
    with busy.sessions() as tx:
        assert [*breaches(tx)] == []
    for what, statements in BROKEN.items():
        with busy.sessions() as tx:  # and back again
            for statement in statements.split("; "):
                tx.execute(text(statement))
            found = {breach.what: breach for breach in breaches(tx)}
            assert what in found, (what, found)
            assert {orders.SKU, ORDER, f"{ORDER}-c1", f"{ORDER}-r1"} & {*found[what].ids.values()}, found[what]
            assert str(found[what]).startswith(f"{what}: ")


@pytest.mark.both_databases
def test_the_database_does_the_sums(busy: Database) -> None:
    for n in range(20):
        orders.placed(busy, f"w-{n}")
        stages.answered(busy, IntentStatus.AUTHORIZED, f"w-{n}", f"pi_w{n}")
    with busy.sessions.begin() as tx:
        tx.execute(text(MOVED.format("captured", "USD").replace("'x'", "order_id")))
    with busy.sessions() as tx:
        found = [*totals(tx)]
        assert [each.order_id for each in found] == sorted([ORDER, *(f"w-{n}" for n in range(20))])
        assert found[0] == (ORDER, 5700 + 9501, 0, 1, 0)
        assert {each[1:] for each in found[1:]} == {(2301, 0, 0, 0)}
        assert [*totals(tx, ORDER)] == found[:1]


def test_a_payment_that_the_provider_never_had_holds_nothing(database: Database) -> None:
    """Its order ends when the stock is back; that nobody will be asked for it is recorded a step later."""
    orders.placed(database, ORDER, 2)
    orders.cancelled(database, ORDER)
    with database.sessions() as tx:
        assert tx.get_one(Order, ORDER).status == "cancelled"
        assert tx.scalars(select(Payment.status)).all() == ["asked"]
        assert [*breaches(tx)] == []
