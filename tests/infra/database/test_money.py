"""Money may be of no order: of several at once, or of a deposit. A move is of something."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from infra.database.tables import MoneyMove, Payment
from tests.fixtures_database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def move(reference: str, payment_id: int | None) -> MoneyMove:
    about = {"kind": "captured", "amount": 45000, "currency": "eur", "reference": reference}
    return MoneyMove(payment_id=payment_id, **about, effective_at=NOW, recorded_at=NOW)


@pytest.mark.both_databases
def test_a_payment_needs_no_order_and_a_move_needs_one_of_both(database: Database) -> None:
    with database.sessions.begin() as tx:
        payment = Payment(
            n=1,
            method="transfer",
            off_session=True,
            reusable=False,
            amount=45000,
            status="captured",
            multicapture=False,
            recorded_at=NOW,
        )
        tx.add(payment)
        tx.flush()
        tx.add(move("t-1", payment.payment_id))
    with pytest.raises(IntegrityError), database.sessions.begin() as tx:
        tx.add(move("t-2", None))
