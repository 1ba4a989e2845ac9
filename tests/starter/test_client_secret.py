"""What a browser confirms a payment with: answered to the key that placed the order, and kept no longer than needed."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from activities import facts
from activities.ports import IntentStatus, PaymentIntent
from infra.database.tables import Event, Message, Payment
from tests.fixtures_database import Database
from tests.starter import stages
from tests.starter.door import Api, an_order

SECRET = "pi_1_secret_abc"
ORDER = "/v1/orders/W-1001"

pytestmark = pytest.mark.both_databases


def confirmation_asked(database: Database) -> None:
    with database.sessions.begin() as tx:
        payment = tx.scalars(select(Payment).order_by(Payment.n.desc())).first()
        assert payment
        payment.intent = "pi_1"
        asked = {"intent_id": "pi_1", "status": IntentStatus.ACTION_REQUIRED, "amount": payment.amount}
        answer = PaymentIntent.model_validate(asked | {"client_secret": SECRET})
        assert SECRET not in repr(answer)
        facts.money.answered(tx, payment.payment_id, answer, stages.now())


def kept(database: Database) -> str | None:
    with database.sessions() as tx:
        return tx.scalars(select(Payment.client_secret)).one()


async def test_it_is_told_to_the_key_that_placed_the_order_alone(api: Api) -> None:
    placing = api.key("orders:read", "orders:write")
    await api.client.post("/v1/orders", json=an_order(), headers=placing)
    confirmation_asked(api.database)
    answered = await api.client.get(ORDER, headers=placing)
    assert answered.json()["payment"]["authorizations"][0]["client_secret"] == SECRET
    assert answered.headers["cache-control"] == "no-store"
    stale = await api.client.post(f"{ORDER}/cancellation", json={}, headers=placing | {"If-Match": '"0"'})
    assert (stale.status_code, stale.headers["cache-control"]) == (412, "no-store")
    others = [api.client.headers, api.key("orders:read"), api.key("orders:read", "orders:write", "orders:operate")]
    for other in others:
        seen = await api.client.get(ORDER, headers=dict(other))
        assert seen.status_code == 200
        assert SECRET not in seen.text
        assert seen.json()["payment"]["authorizations"][0]["client_secret"] is None
        listed = await api.client.get("/v1/orders", headers=dict(other))
        assert SECRET not in listed.text
    with api.database.sessions() as tx:
        written = [*tx.scalars(select(Event.data)), *tx.scalars(select(Message.data))]
    assert written
    assert SECRET not in str(written)


@pytest.mark.parametrize("after", ["authorized", "declined", "confirmed", "voided"])
async def test_it_is_forgotten_with_the_wait(api: Api, after: str) -> None:
    await api.place()
    confirmation_asked(api.database)
    assert kept(api.database) == SECRET
    if after in ("authorized", "declined"):
        {"authorized": stages.authorized, "declined": stages.declined}[after](api.database)
    with api.database.sessions.begin() as tx:
        payment_id = tx.scalars(select(Payment.payment_id)).one()
        if after == "confirmed":
            assert facts.money.customer_acted(tx, payment_id, stages.now())
        if after == "voided":
            facts.money.void_given_up(tx, "W-1001", stages.now())
    assert kept(api.database) is None


async def test_no_row_keeps_it_longer(api: Api) -> None:
    await api.place()
    confirmation_asked(api.database)
    with pytest.raises(IntegrityError, match="secret_while_asked"), api.database.sessions.begin() as tx:
        tx.execute(update(Payment).values(status="declined"))
