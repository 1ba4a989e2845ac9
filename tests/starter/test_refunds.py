"""Money that is asked back: never more than was taken, once, refused by field, one message for a request."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from activities import facts
from activities.facts import refund_requests
from activities.facts.journal import locked_order
from activities.facts.refund_requests import Wanted
from activities.facts.requests import WrongFields
from activities.facts.units import PricedUnits
from activities.intake.allocation import cost
from activities.ports import Dispute, RefundStatus
from activities.ports import Refund as ProviderRefund
from infra.database.tables import Event, Message, Payment, Refund, UnitAmount
from infra.words import ChargeStatus, MoneyMoveKind
from tests.starter import stages
from tests.starter.door import Api

pytestmark = pytest.mark.both_databases


async def paid(api: Api) -> int:
    """Placed, shipped, captured; gives its total."""
    total = int((await api.place()).json()["total"])
    stages.authorized(api.database)
    stages.shipped(api.database)
    stages.captured(api.database)
    stages.read_by_the_order(api.database)
    return total


async def ask(api: Api, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return await api.client.post("/v1/orders/W-1001/refunds", json=body, headers=headers)


def errors(answer: Any) -> list[str]:
    return [error["field"] for error in answer.json()["errors"]]


def refunds(api: Api) -> list[tuple[int, str]]:
    with api.database.sessions() as tx:
        return [(each.amount, each.status) for each in tx.scalars(select(Refund).order_by(Refund.n))]


async def test_a_whole_refund_is_all_that_was_taken(api: Api) -> None:
    total = await paid(api)
    answer = await ask(api, cause="damaged")
    assert answer.status_code == 202
    [refund] = answer.json()["payment"]["refunds"]
    assert (refund["amount"], refund["cause"]) == (total, "damaged")
    with api.database.sessions() as tx:
        assert tx.scalars(select(Event.data).where(Event.type == "refund_asked")).one()["cause"] == "damaged"
    assert stages.nudges(api.database) == ["news"]
    assert (await ask(api)).status_code == 409
    assert refunds(api) == [(total, "asked")]


async def test_by_line_and_quantity_each_unit_goes_back_at_what_it_cost(api: Api) -> None:
    total = await paid(api)
    first = (await ask(api, lines=[{"line": 1, "quantity": 1}])).json()["payment"]["refunds"]
    assert first[0]["lines"] == [{"line": 1, "quantity": 1}]
    assert errors(await ask(api, lines=[{"line": 1, "quantity": 2}])) == ["lines[0].quantity"]
    assert (await ask(api, lines=[{"line": 1}])).status_code == 202
    assert (await ask(api)).status_code in (202, 409)
    assert sum(amount for amount, _ in refunds(api)) == total


async def test_by_amount_and_shipping_never_more_than_is_left(api: Api) -> None:
    total = await paid(api)
    assert errors(await ask(api, amount=total + 1)) == ["amount"]
    assert (await ask(api, amount=100)).status_code == 202
    assert errors(await ask(api, amount=total)) == ["amount"]
    assert (await ask(api, amount=total - 100)).status_code == 202
    assert refunds(api) == [(100, "asked"), (total - 100, "asked")]


async def test_shipping_alone_goes_back_once(api: Api) -> None:
    await paid(api)
    answer = await ask(api, shipping=True)
    order = answer.json()
    assert order["payment"]["refunds"][0]["amount"] == order["shipping"]["price"]
    assert errors(await ask(api, shipping=True)) == ["shipping"]


async def test_bad_requests_are_refused_by_field_and_change_nothing(api: Api) -> None:
    await paid(api)
    assert errors(await ask(api, amount=100, currency="jpy")) == ["currency"]
    assert errors(await ask(api, lines=[{"line": 9}])) == ["lines[0].line"]
    assert errors(await ask(api, lines=[{"line": 1}, {"line": 1}])) == ["lines[1].line"]
    assert (await ask(api, amount=0)).status_code == 422
    assert (await ask(api, amount=5, shipping=True)).status_code == 422
    assert refunds(api) == []
    assert stages.nudges(api.database) == []


async def test_nothing_was_taken_yet(api: Api) -> None:
    await api.place()
    stages.authorized(api.database)
    assert (await ask(api)).status_code == 409
    assert refunds(api) == []


async def test_the_same_request_is_known_again_and_another_is_refused(api: Api) -> None:
    await paid(api)
    assert [(await ask(api, amount=100, refund_request_id="R-1")).status_code for _ in range(3)] == [202, 200, 200]
    assert (await ask(api, "R-1", amount=100)).status_code == 200
    assert errors(await ask(api, amount=200, refund_request_id="R-1")) == ["refund_request_id"]
    assert errors(await ask(api, amount=100, currency="eur", refund_request_id="R-1")) == ["currency"]
    assert refunds(api) == [(100, "asked")]


async def test_two_at_once_never_give_back_more_than_was_taken(api: Api) -> None:
    total = await paid(api)

    def one(_: int) -> bool:
        with api.database.sessions.begin() as tx:
            try:
                refund_requests.asked(tx, locked_order(tx, "W-1001"), Wanted(amount=total - 100), by="x")
            except WrongFields:
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [False, False, False, True]
    assert refunds(api) == [(total - 100, "asked")]


async def test_only_who_may_operate_asks_for_money_back(api: Api) -> None:
    await paid(api)
    headers = api.key("orders:read", "orders:write")
    answer = await api.client.post("/v1/orders/W-1001/refunds", json={}, headers=headers)
    assert answer.status_code == 403


async def test_one_message_tells_of_all_refunds_of_a_request(api: Api) -> None:
    total = await paid(api)
    await ask(api)
    with api.database.sessions.begin() as tx:
        made = ProviderRefund(refund_id="re_1", amount=total, status=RefundStatus.SUCCEEDED)
        facts.refunds.pending(tx, "W-1001-r1", made, stages.now())
    with api.database.sessions() as tx:
        messages = tx.scalars(select(Message).where(Message.kind == "refunded")).all()
        assert {(m.subject, m.data["amount"]) for m in messages} == {("refund 1", total)}
    assert refunds(api) == [(total, "succeeded")]


async def test_of_several_charges_each_gives_back_its_own_the_newest_first_and_one_message_tells(api: Api) -> None:
    await api.place()
    stages.authorized(api.database)
    with api.database.sessions.begin() as tx:
        order, payment = locked_order(tx, "W-1001"), tx.scalars(select(Payment)).one()
        rows = tx.scalars(select(UnitAmount).where(UnitAmount.line_no == 1)).all()
        costs = [cost(rows, unit, 1) for unit in (0, 1)]
        for unit, amount in enumerate(costs):
            units = [PricedUnits(1, unit, 1, amount)]
            charge = facts.charges.write(tx, order, unit + 1, 1, units, ChargeStatus.PAID)
            kind, name = MoneyMoveKind.CAPTURED, charge.charge_id
            facts.moves.moved(tx, order, payment.payment_id, kind, amount, name, stages.now(), name)
    answer = await ask(api, lines=[{"line": 1, "quantity": 2}])
    assert answer.status_code == 202, answer.text
    with api.database.sessions() as tx:
        made = tx.scalars(select(Refund).order_by(Refund.n)).all()
        assert [(each.charge_id, each.amount) for each in made] == [("W-1001-c2", costs[1]), ("W-1001-c1", costs[0])]
    for n, amount in enumerate(reversed(costs), start=1):
        with api.database.sessions.begin() as tx:
            taken = ProviderRefund(refund_id=f"re_{n}", amount=amount, status=RefundStatus.SUCCEEDED)
            facts.refunds.pending(tx, f"W-1001-r{n}", taken, stages.now())
    with api.database.sessions() as tx:
        mails = tx.scalars(select(Message).where(Message.kind == "refunded", Message.channel == "email")).all()
        assert [each.data["amount"] for each in mails] == [sum(costs)]


async def test_what_a_bank_disputes_is_not_given_back(api: Api) -> None:
    total = await paid(api)
    seen = Dispute(dispute_id="dp_1", intent_id="pi_1", amount=total - 100, reason="general", status="open")
    with api.database.sessions.begin() as tx:
        payment_id = tx.scalars(select(Payment.payment_id)).one()
        facts.disputes.reported(tx, payment_id, seen, stages.now())
    assert errors(await ask(api, amount=101)) == ["amount"]
    with api.database.sessions.begin() as tx:
        whole = seen.model_copy(update={"amount": total})
        facts.disputes.reported(tx, payment_id, whole, stages.now())
    assert (await ask(api)).status_code == 409
    assert refunds(api) == []
