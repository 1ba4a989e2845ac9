"""Money that is given back: never kept for what is not sent, never given back twice without a person who hears."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.bill import bill
from activities.facts.fulfillments import locked
from activities.models import CancelReason
from activities.ports import IntentStatus, PaymentIntent, RefundStatus
from activities.ports import Refund as ProviderRefund
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import Hold, MoneyMove, Order, Payment, Refund
from infra.words import MoneyMoveKind
from tests.activities import orders
from tests.activities.disputes import ORDER, TAKEN, on_its_way, refund
from tests.fixtures_database import Database
from tests.starter import stages

pytestmark = pytest.mark.both_databases
SOME = 1000


def given_back(tx: Session) -> Sequence[int]:
    mine = (MoneyMove.order_id == ORDER, MoneyMove.kind == MoneyMoveKind.REFUNDED)
    return tx.scalars(select(MoneyMove.amount).where(*mine)).all()


def test_what_has_come_for_a_charge_goes_back_though_the_rest_never_came(database: Database) -> None:
    """Somebody had taken the rest, and gave it back before it was used."""
    orders.placed(database, ORDER, 2, in_stock=2)
    stages.authorized(database, ORDER)
    orders.packed(database, ORDER)
    with database.sessions.begin() as tx:
        order, f = locked(tx, f"{ORDER}-1")
        payment = tx.scalars(select(Payment)).one()
        payment.multicapture = True
        charge = facts.charges.asked(tx, order, f.fulfillment_id, bill(tx, order), wall_clock())
        assert charge
        asked = {"charge_id": charge.charge_id, "payment_id": payment.payment_id, "received": 0, "amount": SOME}
        after = PaymentIntent(intent_id="pi_1", status=IntentStatus.AUTHORIZED, amount=TAKEN, captured=SOME)
        facts.charges.captured(tx, f.fulfillment_id, asked, after, wall_clock())
        facts.recall.recall_asked(tx, f.fulfillment_id, wall_clock())
    with database.sessions.begin() as tx:
        assert facts.refunds.owed_back(tx, tx.get_one(Order, ORDER), wall_clock()) == [], "it is still to be sent"
        facts.cancellation.cancellation_decided(
            tx, ORDER, None, reason=CancelReason.CUSTOMER, by="x", why="", at=wall_clock()
        )
        facts.recall.recall_confirmed(tx, f"{ORDER}-1", wall_clock())
    with database.sessions.begin() as tx:
        [owed] = tx.scalars(select(Refund))
        assert owed.amount == SOME
        assert not facts.refunds.lowers_charge(tx, owed.refund_id, wall_clock())
        on_its_way(tx, owed)
    with database.sessions() as tx:
        assert given_back(tx) == [SOME]
        assert [*breaches(tx)] == []


@pytest.mark.parametrize("end", [RefundStatus.SUCCEEDED, RefundStatus.FAILED])
def test_one_that_was_given_up_while_it_was_asked_for_and_made_after_all(paid: Database, end: RefundStatus) -> None:
    with paid.sessions.begin() as tx:
        asked = refund(tx, SOME)
        facts.refunds.given_up(tx, asked.refund_id, wall_clock())
        made = ProviderRefund(refund_id="re_1", amount=SOME, status=RefundStatus.PENDING)
        facts.refunds.pending(tx, asked.refund_id, made, wall_clock())
        assert given_back(tx) == [SOME]
        assert asked.status == RefundStatus.GIVEN_UP
    with paid.sessions.begin() as tx:
        [asked] = tx.scalars(select(Refund))
        facts.refunds.seen(tx, asked, end, wall_clock())
    with paid.sessions() as tx:
        holds = list(tx.scalars(select(Hold.kind).where(Hold.closed_at.is_(None))))
        assert holds == (["refunded_after_all"] if end == RefundStatus.SUCCEEDED else [])
        assert [*breaches(tx)] == []
